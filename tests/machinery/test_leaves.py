"""Leaves in the one form that Go writes, and Go's words for what is none; found by the round trip."""

import pytest

from pykube_cp.machinery import leaves, schema
from pykube_cp.machinery.codec.interface import DecodeError


def refused(text: str, read: object) -> str:
    assert callable(read)
    with pytest.raises(DecodeError) as caught:
        read(text)
    return str(caught.value)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (2.0, "2"),
        (-1.5, "-1.5"),
        (1026963425703824512.0, "1026963425703824500"),
        (1026963425703824512, "1026963425703824500"),
        (9007199254740993, "9007199254740992"),
        (1 << 53, "9007199254740992"),
        (1e20, "1e+20"),
    ],
)
def test_whole_doubles_have_the_digits_of_go(value: float, written: str) -> None:
    assert str(leaves.double(value, "float64")) == written


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("YQ", 0),
        ("YWJ", 0),
        ("YWJjY", 4),
        ("YWJjY\n", 5),
        ("=", 0),
        ("Y=", 1),
        ("YQ=", 3),
        ("YQ=a", 2),
        ("YQ==a", 4),
        ("YWI=a", 4),
        ("YW\n?=", 3),
        ("é", 0),
        ("YWJjé", 4),
    ],
)
def test_broken_base64_is_told_where_go_stops(text: str, at: int) -> None:
    assert refused(text, leaves.decode_base64) == f"illegal base64 data at input byte {at}"


def test_delete_is_shown_as_it_is_in_times() -> None:
    assert '"2008-01-01_\x7fT"' in refused("2008-01-01_\x7fT", leaves.time)


@pytest.mark.parametrize("text", ["1" * 5000 + "s", "9223372036854775808ns", "1h" * 3_000_000])
def test_durations_beyond_64_bits_are_none(text: str) -> None:
    assert refused(text, leaves.parse_duration).startswith('time: invalid duration "')


def test_fractions_of_durations_may_be_long() -> None:
    assert leaves.duration("0." + "1" * 5000 + "h") == "6m39.999999999s"


def test_fields_know_gos_names() -> None:
    meta = schema.type_named("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta")
    assert meta.fields["uid"].go_name == "UID"
    assert meta.fields["name"].go_name == "Name"
    pod = schema.type_named("io.k8s.api.core.v1.Pod")
    assert pod.fields["metadata"].go_name == "ObjectMeta"
