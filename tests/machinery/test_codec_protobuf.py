"""Protobuf as Go's generated code reads it, down to its errors."""

import pytest

from pykube_cp.machinery.codec.catalog import PROTOBUF
from pykube_cp.machinery.codec.interface import DecodeError
from pykube_cp.machinery.codec.proto_encode import delimited
from pykube_cp.machinery.codec.protobuf import envelope
from pykube_cp.machinery.objects import Object


def read(kind: str, message: bytes, api_version: str = "v1") -> Object:
    obj = PROTOBUF.decode(envelope(api_version, kind, message))
    return {key: value for key, value in obj.items() if key not in {"apiVersion", "kind"}}


def refused(kind: str, message: bytes) -> str:
    with pytest.raises(DecodeError) as caught:
        read(kind, message)
    return str(caught.value)


def meta(*members: bytes) -> bytes:
    """The metadata of an object."""
    return b"\x0a" + delimited(b"".join(members))


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (b"\x0a", "unexpected EOF"),
        (b"\x0a\x05a", "unexpected EOF"),
        (b"\x08\x01", "proto: wrong wireType = 0 for field ObjectMeta"),
        (meta(b"\x08\x01"), "proto: wrong wireType = 0 for field Name"),
        (meta(b"\x28\x01"), "proto: wrong wireType = 0 for field UID"),
        (meta(b"\x3a\x00"), "proto: wrong wireType = 2 for field Generation"),
        (meta(b"\x58\x01"), "proto: wrong wireType = 0 for field Labels"),
        (meta(b"\x42\x02\x0a\x00"), "proto: wrong wireType = 2 for field Seconds"),
        (b"\x02\x00", "proto: ConfigMap: illegal tag 0 (wire type 2)"),
        (meta(b"\x07"), "proto: ObjectMeta: illegal tag 0 (wire type 7)"),
        (b"\xfa\xff\xff\xff\x7f\x00", "proto: ConfigMap: illegal tag -1 (wire type 34359738362)"),
        (b"\x7c", "proto: ConfigMap: wiretype end group for non-group"),
        (b"\x7e\x00", "proto: illegal wireType 6"),
        (b"\x7b\x7b\x7c", "unexpected EOF"),
        (b"\x80" * 10 + b"\x01", "proto: integer overflow"),
        (
            b"\x0a" + b"\xff" * 9 + b"\x01",
            "proto: negative length found during unmarshaling",
        ),
        (
            b"\x7a" + b"\xff" * 9 + b"\x01",
            "proto: negative length found during unmarshaling",
        ),
    ],
)
def test_errors_are_those_of_go(message: bytes, text: str) -> None:
    assert refused("ConfigMap", message) == text


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"k8s\x00\x08\x01", "proto: wrong wireType = 0 for field TypeMeta"),
        (b"k8s\x00\x0a\x02\x08\x01", "proto: wrong wireType = 0 for field APIVersion"),
        (b"k8s\x00\x04", "proto: Unknown: wiretype end group for non-group"),
        (
            envelope("v1", "Nope\n", b""),
            (
                'no kind "Nope\\n" is registered for version "v1" in scheme '
                '"pkg/api/legacyscheme/scheme.go:30"'
            ),
        ),
    ],
)
def test_broken_envelopes(body: bytes, text: str) -> None:
    with pytest.raises(DecodeError) as caught:
        PROTOBUF.decode(body)
    assert str(caught.value) == text


@pytest.mark.parametrize(
    "unknown",
    [
        b"\x78\x96\x01",
        b"\x79" + b"x" * 8,
        b"\x7d" + b"x" * 4,
        b"\x7a\x03abc",
        b"\x7b\x08\x01\x7b\x0a\x01a\x7c\x7c",
    ],
)
def test_unknown_members_are_skipped_groups_as_well(unknown: bytes) -> None:
    named = meta(unknown, b"\x0a\x01a", unknown)
    assert read("ConfigMap", unknown + named + unknown)["metadata"] == {"name": "a"}


def test_a_tag_is_cut_to_32_bits() -> None:
    assert read("ConfigMap", b"\x8a\x80\x80\x80\x80\x01\x03\x0a\x01a")["metadata"] == {"name": "a"}


def test_a_message_that_comes_twice_is_one() -> None:
    twice = meta(b"\x0a\x01a") + meta(b"\x1a\x01b", b"\x38\x02") + meta(b"\x38\x00")
    assert read("ConfigMap", twice)["metadata"] == {"name": "a", "namespace": "b"}


def test_the_last_of_several_values_counts_also_when_empty() -> None:
    assert read("ConfigMap", meta(b"\x0a\x01a\x0a\x00\x1a\x01b\x1a\x01c"))["metadata"] == {
        "namespace": "c"
    }


def test_bytes_that_are_no_text_are_replaced_one_by_one() -> None:
    assert read("ConfigMap", meta(b"\x0a\x03\xe2\x82a"))["metadata"] == {"name": "\ufffd\ufffda"}


def test_entries_of_maps_need_no_order_and_no_value() -> None:
    entries = b"\x12\x05\x12\x011\x0a\x00" + b"\x12\x03\x0a\x01b" + b"\x12\x05\x7a\x01x\x0a\x00"
    assert read("ConfigMap", entries)["data"] == {"": "", "b": ""}


def test_lists_of_numbers_may_be_packed() -> None:
    review = {"apiVersion": "v1", "kind": "PodPortForwardOptions", "ports": [80, 443, -1]}
    packed = b"\x0a" + delimited(b"\x50\xbb\x03" + b"\xff" * 9 + b"\x01")
    assert read("PodPortForwardOptions", packed) == {"ports": review["ports"]}
    assert PROTOBUF.decode(PROTOBUF.encode(review)) == review


def test_boxed_lists_may_be_empty() -> None:
    listed = {
        "apiVersion": "v1",
        "kind": "APIResourceList",
        "groupVersion": "v1",
        "resources": [
            {"name": "a", "singularName": "", "namespaced": False, "kind": "A", "verbs": []},
        ],
    }
    assert PROTOBUF.decode(PROTOBUF.encode(listed)) == listed
