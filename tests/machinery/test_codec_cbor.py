"""CBOR as upstream's decoder takes it: tags, limits, and what it says of the rest."""

from typing import Any

import pytest

from pykube_cp.machinery.codec import cbor_rules
from pykube_cp.machinery.codec.catalog import CBOR, decode_body
from pykube_cp.machinery.codec.interface import DecodeError
from pykube_cp.machinery.gvk import GVK


@pytest.mark.parametrize(
    ("data", "value"),
    [
        ("d9d9f7 a1 4161 01", {"a": 1}),
        ("a1 6161 f6", {"a": None}),
        ("1b7fffffffffffffff", (1 << 63) - 1),
        ("3b7fffffffffffffff", -(1 << 63)),
        ("f93e00", 1.5),
        ("fa47c35000", 100000.0),
        ("fb3ff199999999999a", 1.1),
        ("5f 4161 4162 ff", "ab"),
        ("9f 01 f5 f4 ff", [1, True, False]),
        ("bf 4161 80 ff", {"a": []}),
        ("41ff", "\ufffd"),
        ("d6 43616263", "YWJj"),
        ("d5 42fbef", "--8"),
        ("d7 42fbef", "fbef"),
        ("d6 82 4161 d7 4161", ["YQ==", "61"]),
        ("c0 74 323031332d30332d32315432303a30343a30305a", "2013-03-21T20:04:00Z"),
        ("c0 76 323031332d30332d32315432303a30343a30302e305a", "2013-03-21T20:04:00Z"),
        ("c1 1a514b67b0", "2013-03-21T20:04:00Z"),
        ("c1 fb41d452d9ec200000", "2013-03-21T20:04:00.5Z"),
        ("c1 fbbff8000000000000", "1969-12-31T23:59:58.5Z"),
        ("d823 6161", "a"),
        ("d81c 81 00", [0]),
        ("d81d 00", 0),
        ("d9 0100 80", []),
    ],
)
def test_items(data: str, value: Any) -> None:
    found = CBOR.decode(bytes.fromhex(data))
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("", "EOF"),
        ("a1", "unexpected EOF"),
        ("1b7fff", "unexpected EOF"),
        ("61", "unexpected EOF"),
        ("0000", "cbor: 1 bytes of extraneous data starting at index 1"),
        ("61ff", "cbor: invalid UTF-8 string"),
        (
            "1b8000000000000000",
            (
                "cbor: cannot unmarshal positive integer into Go value of type int64 "
                "(9223372036854775808 overflows Go's int64)"
            ),
        ),
        (
            "3bffffffffffffffff",
            (
                "cbor: cannot unmarshal negative integer into Go value of type int64 "
                "(-18446744073709551616 overflows Go's int64)"
            ),
        ),
        ("a2 4161 01 6161 02", 'cbor: found duplicate map key "a" at map element index 1'),
        ("a1 01 01", "cbor: cannot unmarshal positive integer into Go value of type string"),
        ("a1 80 01", "cbor: cannot unmarshal array into Go value of type string"),
        ("c2 4101", "cbor: data item of cbor type tag is not accepted by protocol: bignum"),
        ("c2 01", "cbor: tag number 2 or 3 must be followed by byte string, got positive integer"),
        ("c0 01", "cbor: tag number 0 must be followed by text string, got positive integer"),
        (
            "c1 6161",
            (
                "cbor: tag number 1 must be followed by integer or floating-point number, "
                "got UTF-8 text string"
            ),
        ),
        (
            "f7",
            (
                "cbor: data item of cbor type primitives is not accepted by protocol: "
                "simple value 23 is not recognized"
            ),
        ),
        (
            "f820",
            (
                "cbor: data item of cbor type primitives is not accepted by protocol: "
                "simple value 32 is not recognized"
            ),
        ),
        ("f810", "cbor: invalid simple value 16 for type primitives"),
        (
            "f97e00",
            "cbor: data item of cbor type primitives is not accepted by protocol: floating-point NaN",
        ),
        (
            "f97c00",
            (
                "cbor: data item of cbor type primitives is not accepted by protocol: "
                "floating-point infinity"
            ),
        ),
        ("ff", 'cbor: unexpected "break" code'),
        ("bf 4161 ff", 'cbor: unexpected "break" code'),
        ("1f", "cbor: invalid additional information 31 for type positive integer"),
        ("5c", "cbor: invalid additional information 28 for type byte string"),
        (
            "5f 6161 ff",
            "cbor: wrong element type UTF-8 text string for indefinite-length byte string",
        ),
        ("5f 5f ff ff", "cbor: indefinite-length byte string chunk is not definite-length"),
        (
            "ba 00200001",
            "cbor: exceeded max number of key-value pairs 2097152 for CBOR map",
        ),
        (
            "c1 1b7fffffffffffffff",
            (
                "cbor: decoded time cannot be represented in RFC3339 format with sub-second precision: "
                "Time.MarshalText: year outside of range [0,9999]"
            ),
        ),
    ],
)
def test_what_is_refused(data: str, text: str) -> None:
    with pytest.raises(DecodeError) as caught:
        CBOR.decode(bytes.fromhex(data))
    assert str(caught.value) == text


def test_bytes_of_typed_objects_may_be_text_or_tagged() -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "data": {"a": "YWJj"}}
    for value in ("d6 43616263", "44 59574a6a", "64 59574a6a"):
        encoded = cbor_rules.dumps(secret).replace(b"\x44YWJj", bytes.fromhex(value))
        read = decode_body("application/cbor", encoded, default=GVK("", "v1", "Secret"))
        assert read.obj["data"] == {"a": "YWJj"}


def test_text_is_written_as_bytes_behind_the_tag_that_tells_cbor() -> None:
    assert cbor_rules.dumps({"a": ["b", 1, None]}) == bytes.fromhex("d9d9f7 a1 4161 83 4162 01 f6")


def test_a_broken_event_is_refused_and_an_unfinished_one_awaited() -> None:
    frame = CBOR.frame_event("ADDED", CBOR.encode({"a": 1}))
    assert CBOR.read_frames(frame + frame[:7]) == ([("ADDED", {"a": 1})], frame[:7])
    for broken in (b"\xff", b"\x01", b"\xa1\x44type\x41a"):
        with pytest.raises(DecodeError):
            CBOR.read_frames(frame + broken)
