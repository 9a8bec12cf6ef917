"""Errors of CBOR bodies; texts are upstream's."""

from typing import Any

import pytest

from pykube_cp.machinery.codec.catalog import CBOR, decode_body
from pykube_cp.machinery.codec.interface import DecodeError, UnreadableError
from pykube_cp.machinery.gvk import GVK

CONFIG_MAP, POD = GVK("", "v1", "ConfigMap"), GVK("", "v1", "Pod")


def refused(data: bytes, gvk: GVK = CONFIG_MAP) -> str:
    with pytest.raises(DecodeError) as caught:
        decode_body(CBOR.media_type, data, default=gvk)
    return str(caught.value).removeprefix("unable to determine group/version/kind: ")


@pytest.mark.parametrize(
    ("body", "found", "field", "wanted"),
    [
        ({"metadata": {"name": 1}}, "positive integer", "metadata", "string"),
        ({"metadata": {"name": -1.5}}, "primitives", "metadata", "string"),
        ({"spec": {"priority": "1"}}, "byte string", "spec", "int32"),
        ({"spec": {"containers": {}}}, "map", "spec", "[]v1.Container"),
        ({"spec": {"containers": [{"name": "a"}, {"name": []}]}}, "array", "spec", "string"),
        (
            {"metadata": []},
            "array",
            "metadata",
            "v1.ObjectMeta (cannot decode CBOR array to struct without toarray option)",
        ),
    ],
)
def test_values_of_the_wrong_type(body: Any, found: str, field: str, wanted: str) -> None:
    assert refused(CBOR.encode(body), POD) == (
        f"cbor: cannot unmarshal {found} into Go struct field v1.Pod.{field} of type {wanted}"
    )


def test_texts_are_told_from_bytes() -> None:
    body = b"\xa1\x48metadata\x61a"
    assert "cannot unmarshal UTF-8 text string into" in refused(body)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"\x01", "positive integer into Go value of type v1.TypeMeta"),
        (b"\xd9\xd9\xf7\x20", "negative integer into Go value of type v1.TypeMeta"),
        (
            b"\x80",
            (
                "array into Go value of type v1.TypeMeta "
                "(cannot decode CBOR array to struct without toarray option)"
            ),
        ),
        (
            b"\xa1\x64kind\x01",
            "positive integer into Go struct field v1.TypeMeta.kind of type string",
        ),
    ],
)
def test_what_does_not_tell_its_kind(data: bytes, text: str) -> None:
    assert refused(data) == f"cbor: cannot unmarshal {text}"


def test_null_and_versions_that_are_none_say_nothing() -> None:
    assert decode_body(CBOR.media_type, b"\xf6", default=POD).gvk == POD
    body = CBOR.encode({"apiVersion": "a/b/c"})
    assert decode_body(CBOR.media_type, body, default=POD).gvk == POD


@pytest.mark.parametrize(
    ("body", "index"),
    [
        ({"data": {"x": "y"}, "unknown": 1, "other": 2}, 1),
        ({"metadata": {"name": "a", "managedFields": [{"x": 1}]}}, 0),
    ],
)
def test_unknown_fields_are_told_by_their_place(body: Any, index: int) -> None:
    data = CBOR.encode(body)
    decoded = decode_body(CBOR.media_type, data, default=CONFIG_MAP, strict=True)
    assert decoded.strict_errors == [f"cbor: found unknown field at map element index {index}"]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (
            b"\xa1\x68metadata\xa1\x6ageneration\x1b\xff\xff\xff\xff\xff\xff\xff\xff",
            (
                "cbor: cannot unmarshal positive integer into Go struct field "
                "v1.ConfigMap.metadata of type int64 (18446744073709551615 overflows int64)"
            ),
        ),
        (b"\xa1\x64data\xa1\x61k\x61\xff", "cbor: invalid UTF-8 string"),
        (
            b"\xa1\x64data\xa2\x61k\xf6\x41k\xf6",
            'cbor: found duplicate map key "k" at map element index 1',
        ),
    ],
)
def test_what_is_well_formed_is_read_when_the_kind_is_known(data: bytes, text: str) -> None:
    with pytest.raises(DecodeError) as caught:
        decode_body(CBOR.media_type, data, default=CONFIG_MAP)
    assert not isinstance(caught.value, UnreadableError)
    assert str(caught.value) == text


def test_times_are_texts() -> None:
    body = b"\xa1\x68metadata\xa1\x71creationTimestamp\xc0\x742020-01-01T00:00:00Z"
    decoded = decode_body(CBOR.media_type, body, default=CONFIG_MAP)
    assert decoded.obj["metadata"]["creationTimestamp"] == "2020-01-01T00:00:00Z"
    body = b"\xa1\x68metadata\xa1\x64name\xc1\x01"
    assert refused(body) == (
        "cbor: cannot unmarshal positive integer into Go struct field v1.ConfigMap.metadata "
        "of type string"
    )
    body = b"\xa1\x68metadata\xf7"
    assert "name" not in decode_body(CBOR.media_type, body, default=CONFIG_MAP).obj["metadata"]


def test_a_kind_given_twice_tells_none() -> None:
    with pytest.raises(UnreadableError, match="found duplicate map key"):
        decode_body(CBOR.media_type, b"\xa2\x64kind\xf6\x64kind\xf6", default=CONFIG_MAP)


def test_lengths_beyond_all_memory() -> None:
    assert refused(b"\x9b" + b"\xff" * 8) == (
        "cbor: array length 18446744073709551615 is too large, it would cause integer overflow"
    )
