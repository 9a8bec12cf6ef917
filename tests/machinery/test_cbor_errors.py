"""Errors of CBOR bodies; texts are upstream's."""

from typing import Any

import pytest

from pykube_cp.machinery.codec.catalog import CBOR, decode_body
from pykube_cp.machinery.codec.interface import DecodeError
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
