"""Bodies that mean harm, or are only broken: nothing but a DecodeError comes out, and soon."""

import contextlib
import random
import time
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest

from pykube_cp.machinery import leaves, schema, structural
from pykube_cp.machinery.codec import json_syntax, yaml_rules
from pykube_cp.machinery.codec.catalog import CBOR, JSON, PROTOBUF, YAML, decode_body
from pykube_cp.machinery.codec.interface import MAX_DEPTH, Codec, DecodeError
from pykube_cp.machinery.codec.proto_encode import delimited
from pykube_cp.machinery.codec.protobuf import envelope
from pykube_cp.machinery.gvk import GVK
from pykube_cp.testing.mutations import BYTES, mutated

CASES = Path(__file__).parent.parent / "cases" / "roundtrip"
CODECS = {"json": JSON, "yaml": YAML, "protobuf": PROTOBUF, "cbor": CBOR}
ROUNDS = {"json": 2500, "yaml": 400, "protobuf": 2500, "cbor": 1500}
DEFAULT = GVK("", "v1", "ConfigMap")

codecs = pytest.mark.parametrize("name", CODECS)


@cache
def objects() -> list[dict[str, Any]]:
    """Full definitions, a rich pod, and the zero value of every kind."""
    found = [orjson.loads(path.read_bytes()) for path in sorted(CASES.glob("*.json"))]
    for gvk, name in schema.kinds().items():
        kind = schema.type_named(name)
        if kind.protobuf and gvk.kind != "WatchEvent":
            zero = structural.zero(kind)
            found.append({**zero, "apiVersion": gvk.api_version, "kind": gvk.kind})
    return found * 2


def refusal(name: str, body: bytes) -> str | None:
    """What is said of a body that is refused; None when it is read."""
    try:
        decode_body(CODECS[name].media_type, body, default=DEFAULT, strict=True)
    except DecodeError as error:
        return str(error)
    return None


@pytest.mark.slow
@codecs
def test_mutated_bodies_are_read_or_refused(name: str) -> None:
    codec, rng = CODECS[name], random.Random(7)
    bodies = [codec.encode(rng.choice(objects())) for _ in range(100)]
    found = [refusal(name, mutated(rng.choice(bodies), rng)) for _ in range(ROUNDS[name])]
    assert "" not in found
    assert 0 < found.count(None) < len(found)


@pytest.mark.slow
@codecs
def test_noise_is_read_or_refused(name: str) -> None:
    rng = random.Random(11)
    head = {"protobuf": PROTOBUF.encode(objects()[0])[:60], "cbor": b"\xd9\xd9\xf7"}.get(name, b"")
    for _ in range(500):
        assert refusal(name, head + bytes(rng.choices(BYTES, k=rng.randrange(60)))) != ""


@codecs
def test_broken_watches_end_or_are_refused(name: str) -> None:
    codec, rng = CODECS[name], random.Random(13)
    if not codec.streams:
        return
    frame = codec.frame_event("ADDED", codec.encode(objects()[0]))
    for _ in range(100):
        with contextlib.suppress(DecodeError):
            codec.read_frames(mutated(frame, rng))


def deep(levels: int, codec: Codec) -> bytes:
    value: Any = "x"
    for _ in range(levels - 2):
        value = {"a": value}
    map_of = {"apiVersion": "example.com/v1", "kind": "Deep", "spec": value}
    return codec.encode(map_of)


@pytest.mark.parametrize("name", ["json", "yaml", "cbor"])
def test_depth_has_one_limit(name: str) -> None:
    codec = CODECS[name]
    assert codec.decode(deep(MAX_DEPTH, codec))["kind"] == "Deep"
    with pytest.raises(DecodeError, match="max"):
        codec.decode(deep(MAX_DEPTH + 2, codec))


def schema_of(levels: int) -> dict[str, Any]:
    definition = orjson.loads(
        (CASES / "apiextensions.k8s.io.v1.CustomResourceDefinition.json").read_bytes()
    )
    below: dict[str, Any] = {"type": "string"}
    for _ in range(levels):
        below = {"properties": {"a": below}}
    definition["spec"]["versions"][0]["schema"] = {"openAPIV3Schema": below}
    return definition  # type: ignore[no-any-return]  # as read


def test_schemas_in_protobuf_nest_no_deeper_than_json() -> None:
    assert PROTOBUF.decode(PROTOBUF.encode(schema_of(100)))["kind"] == "CustomResourceDefinition"
    for levels in (130, 180):
        with pytest.raises(DecodeError, match="exceeded max depth"):
            PROTOBUF.decode(PROTOBUF.encode(schema_of(levels)))


@pytest.mark.parametrize("levels", [MAX_DEPTH, 300, 2000])
def test_free_json_in_protobuf_nests_no_deeper_than_json(levels: int) -> None:
    raw = delimited(b"\x0a" + delimited(b"[" * levels + b"]" * levels))
    with pytest.raises(DecodeError, match="exceeded max depth"):
        PROTOBUF.decode(envelope("apps/v1", "ControllerRevision", b"\x12" + raw))


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("json", b"[" + b"[1]," * 200_000),
        ("json", b'{"a":"' + b"\\n" * 400_000),
        ("json", b'{"a":"' + b"\xff" * 400_000 + b'"'),
        ("json", b"[" + b"1," * 400_000 + b"x"),
        ("json", b"9" * 400_000),
        ("json", b'"' + b"\\ud800" * 100_000),
        ("yaml", b"a: " + b"1" * 400_000),
        ("yaml", b"a: 0b" + b"1" * 400_000),
        ("yaml", b"? " * 100_000),
        ("yaml", b"[" * 100_000),
        ("yaml", b"a: &a [" + b"x," * 10_000 + b"]\nb: [" + b"*a," * 500 + b"]"),
        ("cbor", b"\xbf" * 100_000),
        ("cbor", b"\xd9\xd9\xf7" * 100_000),
        ("cbor", b"\x9b" + b"\x7f" * 8),
        ("cbor", b"\xbb" + b"\x7f" * 8),
        ("cbor", b"\x5b" + b"\x7f" * 8),
        ("cbor", b"\x7b" + b"\xff" * 8),
        ("protobuf", b"k8s\x00" + b"\x13" * 400_000),
        ("protobuf", b"k8s\x00\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
        ("protobuf", b"k8s\x00" + b"\xff" * 400_000),
    ],
    ids=lambda value: value if isinstance(value, str) else value[:8].hex(),
)
def test_bombs_go_off_at_once(name: str, body: bytes) -> None:
    begun = time.process_time()
    assert refusal(name, body) != ""
    assert time.process_time() - begun < 2


@pytest.mark.parametrize("text", ["1h" * 50_000, "1" * 50_000 + "s", "1." + "1" * 50_000 + "s"])
def test_long_durations_are_judged_at_once(text: str) -> None:
    begun = time.process_time()
    with contextlib.suppress(DecodeError):
        leaves.parse_duration(text)
    assert time.process_time() - begun < 1


def test_a_large_broken_body_is_not_explained_in_detail() -> None:
    body = b"[" + b"[]," * (json_syntax.MAX_STEPS + 1) + b"x]"
    with pytest.raises(DecodeError, match="invalid character 'x' in JSON input"):
        JSON.decode(body)


def test_numbers_no_integer_holds_are_no_integers() -> None:
    assert yaml_rules.loads(b"a: " + b"1" * 5000) == {"a": "1" * 5000}
    assert yaml_rules.loads(b"a: 18446744073709551616") == {"a": 18446744073709551616.0}
