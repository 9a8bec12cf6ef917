"""Prefixes, generated names and hashes; what is allowed is in the recorded cases."""

import re

from pykube_cp.machinery import names


def test_a_dash_may_end_a_prefix() -> None:
    assert names.is_dns1123_label("web-", prefix=True) == []
    assert names.is_dns1123_label("web-") != []
    assert names.is_path_segment_name("..", prefix=True) == []
    assert names.is_path_segment_name("..") == ["may not be '..'"]
    assert names.is_path_segment_name("a/%") == ["may not contain '/'", "may not contain '%'"]


def test_generated_names_fit() -> None:
    made = names.generate_name("a" * 100)
    assert len(made) == 63
    assert re.fullmatch(r"web-[bcdfghjklmnpqrstvwxz2456789]{5}", names.generate_name("web-"))


def test_hashes() -> None:
    assert names.fnv32a(b"foobar") == 0xBF9CF968
    assert names.fnv32(b"foobar") == 0x31F0B262
    assert names.fnv64a(b"foobar") == 0x85944171F73967E8
    assert names.safe_encode_string(str(names.fnv32a(b"foobar"))) == "7658c79c64"
