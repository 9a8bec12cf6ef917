import struct
from typing import Any

import orjson
import pytest

from pykube_cp.machinery.codec import catalog, json, yaml_rules
from pykube_cp.machinery.codec.catalog import CBOR, CODECS, JSON, PROTOBUF, YAML, decode_body
from pykube_cp.machinery.codec.interface import (
    MAX_DEPTH,
    Codec,
    DecodeError,
    NotEncodableError,
    UnreadableError,
)
from pykube_cp.machinery.gvk import GVK

CONFIG_MAP = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "a"},
    "data": {"k": "v"},
}


def refused(codec: Codec, data: bytes) -> str:
    with pytest.raises(DecodeError) as caught:
        codec.decode(data)
    return str(caught.value)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "unexpected end of JSON input"),
        (b'{"a":', "unexpected end of JSON input"),
        (b'{"a" 1}', "invalid character '1' after object key"),
        (b'{"a":1 "b"}', "invalid character '\"' after object key:value pair"),
        (b"{a:1}", "invalid character 'a' looking for beginning of object key string"),
        (b"[1 2]", "invalid character '2' after array element"),
        (b"nul", "invalid character ' ' in literal null (expecting 'l')"),
        (b"nulx", "invalid character 'x' in literal null (expecting 'l')"),
        (b"x", "invalid character 'x' looking for beginning of value"),
        (b"{} x", "invalid character 'x' after top-level value"),
        (b'"\\q"', "invalid character 'q' in string escape code"),
        (b'"\n"', "invalid character '\\n' in string literal"),
        (b"1.x", "invalid character 'x' after decimal point in numeric literal"),
        (b"[01]", "invalid character '1' after array element"),
        (b"\xff", "invalid character '\u00ff' looking for beginning of value"),
        (b"[\x00]", "invalid character '\\x00' looking for beginning of value"),
        (b'"\\u12"', "invalid character '\"' in \\u hexadecimal character escape"),
        (b'"\\', "invalid character ' ' in string escape code"),
        (b"-", "invalid character ' ' in numeric literal"),
        (b"1e", "invalid character ' ' in exponent of numeric literal"),
        (b'{"a":1,}', "invalid character '}' looking for beginning of object key string"),
        (b"[1,]", "invalid character ']' looking for beginning of value"),
        (b"[1e999]", "json: cannot unmarshal number 1e999 into Go value of type float64"),
    ],
)
def test_broken_json_is_explained_as_go_does(data: bytes, text: str) -> None:
    assert refused(JSON, data) == text


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b'["\xff\xfe"]', ["\ufffd\ufffd"]),
        (b'["\xe2\x82"]', ["\ufffd\ufffd"]),
        (b'{"\xc3\xa9\xc3": 1}', {"\u00e9\ufffd": 1}),
        (rb'"\ud800"', "\ufffd"),
        (rb'"\ud800\u0041"', "\ufffdA"),
        (rb'"\ud83d\ude00\ud83d"', "\U0001f600\ufffd"),
        (rb'"\\ud800\udc00"', "\\ud800\ufffd"),
    ],
)
def test_json_that_is_no_text_is_mended_as_go_does(data: bytes, value: Any) -> None:
    assert JSON.decode(data) == value
    assert JSON.decode(data, strict=[]) == value


def test_duplicates_are_found_in_mended_json() -> None:
    assert type(JSON.decode(b'{"a": "\xff", "a": 1}', strict=[])) is not dict


def test_depth_is_bounded_in_every_form() -> None:
    deep: Any = 1
    for _ in range(MAX_DEPTH - 1):
        deep = [deep]
    assert JSON.decode(orjson.dumps(deep)) == deep
    assert "max" in refused(YAML, b"[" * 5000)
    assert "max" in refused(YAML, b"- " * 5000)
    assert "max" in refused(CBOR, b"\x81" * 5000 + b"\x01")
    for body in (b"[" * 300 + b"]" * 300, b"[" * 5000 + b"]" * 5000, b'{"a":' * 5000 + b"}" * 5000):
        assert refused(JSON, body).endswith(" exceeded max depth")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", True),
        ("n", False),
        ("~", None),
        ("014", 12),
        ("0o14", 12),
        ("0b11", 3),
        ("08", 8),
        ("1_000", 1000),
        ("1e3", 1000),
        ("1e400", "1e400"),
        (".5", 0.5),
        (".5_0", 0.5),
        (".5__0", ".5__0"),
        (".1e999", ".1e999"),
        ("12:30:45", "12:30:45"),
        ("2026-01-01", "2026-01-01"),
        ("!!str 1", "1"),
        ("'yes'", "yes"),
        ("!!binary aGk=", "hi"),
    ],
)
def test_yaml_scalars_as_gos_library_reads_them(text: str, value: Any) -> None:
    assert yaml_rules.loads(f"a: {text}".encode()) == {"a": value}


def test_yaml_aliases_merges_and_keys() -> None:
    text = b"a: &x {b: 1, c: 2}\nd: {<<: *x, c: 3}\n1: [*x, *x]\ntrue: t\n---\nsecond: 1"
    value = yaml_rules.loads(text)
    inner = {"b": 1, "c": 2}
    assert value == {"a": inner, "d": {"b": 1, "c": 3}, "1": [inner, inner], "true": "t"}
    assert value["1"][0] is not value["1"][1]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (b"a: b\n\tc: d\n", "yaml: line 2: found a tab character that violates indentation"),
        (b"a: 1\nb: c: d\n", "yaml: line 2: mapping values are not allowed in this context"),
        (b"a:\n  - b\n c: d\n", "yaml: line 2: did not find expected key"),
        (b"- a\nb: c\n", "yaml: line 1: did not find expected '-' indicator"),
        (b'"a\n', "yaml: line 2: found unexpected end of stream"),
        (b"a: \x01\n", "yaml: control characters are not allowed"),
        (b"a: \xff\n", "yaml: invalid leading UTF-8 octet"),
        (b"{? [a] : x}", 'yaml: invalid map key: []interface {}{"a"}'),
        (
            b"? {a: 1, b: null}\n: x\n",
            'yaml: invalid map key: map[interface {}]interface {}{"a":1, "b":interface {}(nil)}',
        ),
    ],
)
def test_broken_yaml_is_explained_as_go_does(text: bytes, error: str) -> None:
    assert refused(YAML, text) == error


@pytest.mark.parametrize("text", [b"b: 1\na: {d: 1, c: 2}", b'{"b": 1, "a": {"d": 1, "c": 2}}'])
def test_yaml_members_come_in_order(text: bytes) -> None:
    value = YAML.decode(text)
    assert [*value] == ["a", "b"]
    assert [*value["a"]] == ["c", "d"]


def test_yaml_bombs_are_refused() -> None:
    lines = [b"a: &a [x,x,x,x,x,x,x,x,x]"]
    for name, below in zip(b"bcdefghij", b"abcdefghi", strict=True):
        lines.append(b"%c: &%c [%s]" % (name, name, b",".join([b"*%c" % below] * 9)))
    assert refused(YAML, b"\n".join(lines)) == "yaml: document contains excessive aliasing"
    assert refused(YAML, b"a: &a [*a]") == "yaml: anchor 'a' value contains itself"


def test_yaml_duplicates_are_told_with_their_line() -> None:
    notes: list[str] = []
    assert yaml_rules.loads(b"a: 1\nb: 2\na: 3", notes) == {"a": 3, "b": 2}
    assert notes == ['yaml: unmarshal errors:\n  line 3: key "a" already set in map']


def test_a_yaml_value_given_twice_is_told_where_it_begins() -> None:
    notes: list[str] = []
    yaml_rules.loads(b"a:\n  b: 1\na:\n  b: 1\n  b: 2\n", notes)
    assert notes == [
        (
            'yaml: unmarshal errors:\n  line 5: key "b" already set in map\n'
            '  line 4: key "a" already set in map'
        )
    ]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (b"~: 1\n", "unsupported map key of type: %!s(<nil>), key: <nil>, value: 1"),
        (
            b"null: {a: [b, ~]}",
            (
                "unsupported map key of type: %!s(<nil>), key: <nil>, "
                'value: map[interface {}]interface {}{"a":[]interface {}{"b", interface {}(nil)}}'
            ),
        ),
        (b"~: 1\nb: c: d\n", "yaml: line 2: mapping values are not allowed in this context"),
        (b"a: *x\nb: c: d\n", "yaml: unknown anchor 'x' referenced"),
    ],
)
def test_what_is_wrong_with_the_text_goes_before_what_it_means(text: bytes, error: str) -> None:
    assert refused(YAML, text) == error


@pytest.mark.parametrize(
    "text", ["yes", "1", "12:30:45", "2026-01-01", "", "- a", "a: b", "x\ny\n"]
)
def test_yaml_written_reads_back(text: str) -> None:
    assert yaml_rules.loads(yaml_rules.dumps({"a": [text]})) == {"a": [text]}


@pytest.mark.parametrize("codec", [JSON, PROTOBUF, CBOR], ids=lambda codec: codec.media_type)
def test_watch_events_are_framed_and_read(codec: Codec) -> None:
    frame = codec.frame_event("ADDED", codec.encode(CONFIG_MAP))
    events, rest = codec.read_frames(frame * 2 + frame[:-3])
    assert events == [("ADDED", CONFIG_MAP)] * 2
    assert rest == frame[:-3]


def test_protobuf_frames_have_their_length_in_front_and_no_envelope() -> None:
    frame = PROTOBUF.frame_event("ADDED", PROTOBUF.encode(CONFIG_MAP))
    assert struct.unpack(">I", frame[:4]) == (len(frame) - 4,)
    assert frame[4:11] == b"\x0a\x05ADDED"
    assert b"k8s\x00" in frame[11:]


@pytest.mark.parametrize("codec", [*CODECS, CBOR], ids=lambda codec: codec.media_type)
def test_lists_from_encoded_items(codec: Codec) -> None:
    head = {"apiVersion": "v1", "kind": "ConfigMapList", "metadata": {"resourceVersion": "7"}}
    for count in (0, 1, 2):
        parts = codec.encode_list(head, [codec.encode_item(CONFIG_MAP)] * count)
        value = codec.decode(b"".join(parts))
        assert value["metadata"] == {"resourceVersion": "7"}
        assert [item["data"] for item in value["items"] or ()] == [{"k": "v"}] * count


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "empty data"),
        (b"{}", "expected prefix [107 56 115 0]"),
        (b"k8s\x00", "empty body"),
        (b"k8s\x00\x0a\x00", "Object 'Kind' is missing in"),
        (b"k8s\x00\x0a\xff", "unexpected EOF"),
        (PROTOBUF.encode(CONFIG_MAP)[:-9], "unexpected EOF"),
        (b"k8s\x00\x0a\x09\x0a\x02v1\x12\x03Foo", 'no kind "Foo" is registered for version "v1"'),
    ],
)
def test_broken_protobuf_is_refused(data: bytes, text: str) -> None:
    assert text in refused(PROTOBUF, data)


def test_what_has_no_protobuf() -> None:
    for kind in ("Table", "Gadget"):
        with pytest.raises(NotEncodableError):
            PROTOBUF.encode({"apiVersion": "meta.k8s.io/v1", "kind": kind})


def test_bodies_are_normalized_and_their_kind_completed() -> None:
    body = b'{"metadata": {"name": "a", "labels": {}}, "x": 1, "data": {"a": "1", "a": "2"}}'
    read = decode_body("application/json", body, default=GVK("", "v1", "ConfigMap"), strict=True)
    assert read.obj == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "a"},
        "data": {"a": "2"},
    }
    assert read.strict_errors == ['unknown field "x"', 'duplicate field "data.a"']


def test_bodies_of_custom_kinds_stay_as_sent() -> None:
    body = b'{"apiVersion": "example.com/v1", "kind": "Gadget", "a": {}, "b": 1, "b": 2}'
    read = decode_body("application/json", body, strict=True)
    assert read.gvk == GVK("example.com", "v1", "Gadget")
    assert read.obj["a"] == {}
    assert type(read.obj) is dict
    assert read.strict_errors == ['duplicate field "b"']


def test_custom_kinds_hold_no_number_beyond_a_float64() -> None:
    body = b'{"apiVersion": "example.com/v1", "kind": "Gadget", "a": [1, 1.5, -1e999, 1e998]}'
    with pytest.raises(DecodeError) as caught:
        decode_body("application/json", body, default=GVK("example.com", "v1", "Gadget"))
    text = "json: cannot unmarshal number -1e999 into Go value of type float64"
    assert str(caught.value) == text
    assert not isinstance(caught.value, UnreadableError)


def test_null_is_an_object_that_says_nothing() -> None:
    read = decode_body(
        "application/json", b" null ", default=GVK("", "v1", "ConfigMap"), strict=True
    )
    assert read.obj == {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {}}
    assert decode_body("application/yaml", b"", default=read.gvk).obj == read.obj


@pytest.mark.parametrize(
    ("media_type", "body", "text"),
    [
        (
            "application/json",
            b"{",
            "couldn't get version/kind; json parse error: unexpected end of JSON input",
        ),
        ("application/yaml", b"a: *b", "yaml: unknown anchor 'b' referenced"),
        ("application/cbor", b"\xa1", "unable to determine group/version/kind: unexpected EOF"),
        ("application/vnd.kubernetes.protobuf", b"k8s\x00\x0a\xff", "unexpected EOF"),
    ],
)
def test_bodies_that_do_not_even_tell_their_kind(media_type: str, body: bytes, text: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        decode_body(media_type, body, default=GVK("", "v1", "Pod"))
    assert str(caught.value) == text


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b'{"apiVersion":"v1"}', "Object 'Kind' is missing in '{\"apiVersion\":\"v1\"}'"),
        (b'{"kind":"Pod"}', "Object 'apiVersion' is missing in '{\"kind\":\"Pod\"}'"),
        (b'{"apiVersion":"a/b/c","kind":"x"}', "unexpected GroupVersion string: a/b/c"),
        (
            b'{"kind": 1}',
            (
                "couldn't get version/kind; json parse error: json: cannot unmarshal number into"
                " Go struct field .kind of type string"
            ),
        ),
        (
            b"[]",
            (
                "couldn't get version/kind; json parse error: json: cannot unmarshal array into"
                ' Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\"";'
                ' Kind string "json:\\"kind,omitempty\\"" }'
            ),
        ),
    ],
)
def test_bodies_that_do_not_say_their_kind(body: bytes, text: str) -> None:
    with pytest.raises(DecodeError) as caught:
        decode_body("application/json", body)
    assert str(caught.value) == text


def test_duplicate_keys_in_other_spellings() -> None:
    for body in (b'{"a" : 1, "a" : 2}', b'{"a": "\\u0022:", "b": 1, "b": 2}'):
        assert type(json.loads_noticing_duplicates(body)) is not dict


def test_numbers_in_json_with_duplicates_are_those_without() -> None:
    numbers = [b"9" * 30, b"9" * 300, b"18446744073709551615", b"-9223372036854775808", b"1.5"]
    body = b'{"a":1,"a":2,"b":[%b]}' % b",".join(numbers)
    value = json.loads_noticing_duplicates(body)
    assert value["b"] == value.tree["b"] == json.loads(body)["b"]
    assert type(value.tree["b"][0]) is float
    body = b'{"a":1,"a":2,"b":%b}' % (b"9" * 5000)
    assert json.loads_noticing_duplicates(body, unbounded=True).tree["b"] == float("inf")


def test_catalog_lists_all_pages() -> None:
    assert {codec.media_type for codec in catalog.KNOWN.values()} == {
        "application/json",
        "application/yaml",
        "application/vnd.kubernetes.protobuf",
        "application/cbor",
    }


@pytest.mark.parametrize(
    "number", ["1e300", "1e400", "-1e400", "1.50", "9" * 100, "9" * 400, "-0.0"]
)
def test_errors_show_numbers_as_they_were_written(number: str) -> None:
    body = b'{"kind":"Secret","metadata":{"generation":%b}}' % number.encode()
    with pytest.raises(DecodeError) as caught:
        decode_body(JSON.media_type, body, default=GVK("", "v1", "ConfigMap"))
    assert str(caught.value) == (
        f"json: cannot unmarshal number {number} into Go struct field "
        "ObjectMeta.metadata.generation of type int64"
    )
    assert caught.value.stated == GVK("", "v1", "Secret")


def test_numbers_beyond_all_types_matter_only_where_they_are_kept() -> None:
    body = b'{"metadata":{"generation":9223372036854775807},"unknown":[1e400,%b]}' % (b"9" * 400)
    decoded = decode_body(JSON.media_type, body, default=GVK("", "v1", "ConfigMap"), strict=True)
    assert decoded.obj["metadata"]["generation"] == (1 << 63) - 1
    assert decoded.strict_errors == ['unknown field "unknown"']


def test_floats_beyond_a_float64() -> None:
    body = b'{"spec":{"names":{"kind":"A"},"versions":[{"schema":{"openAPIV3Schema":{"maximum":%b}}}]}}'
    gvk = GVK("apiextensions.k8s.io", "v1", "CustomResourceDefinition")
    decode_body(JSON.media_type, body % b"1.5", default=gvk)
    with pytest.raises(DecodeError, match=r"cannot unmarshal number 1e400 into .* of type float64"):
        decode_body(JSON.media_type, body % b"1e400", default=gvk)
