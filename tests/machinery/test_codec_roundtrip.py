"""Every kind of upstream's fixtures: JSON, YAML and protobuf are the same object, and ours."""

import os
from functools import cache
from pathlib import Path

import pytest

from pykube_cp.machinery import schema, structural
from pykube_cp.machinery.codec import json, yaml_rules
from pykube_cp.machinery.codec.catalog import CBOR, PROTOBUF
from pykube_cp.machinery.gvk import GVK

OWN = Path(__file__).parent.parent / "cases" / "roundtrip"


@cache
def upstream_fixtures() -> Path | None:
    """``testdata/HEAD`` of k8s.io/api in Go's module cache."""
    cache_dir = os.environ.get("GOMODCACHE") or str(Path.home() / "go" / "pkg" / "mod")
    tag = schema.upstream_tag().replace("v1.", "v0.")
    found = Path(cache_dir) / "k8s.io" / f"api@{tag}" / "testdata" / "HEAD"
    return found if found.is_dir() else None


def cases() -> list[Path]:
    upstream = upstream_fixtures()
    listed = sorted(upstream.glob("*.json")) if upstream else []
    return [
        *sorted(OWN.glob("*.json")),
        *(path for path in listed if "WatchEvent" not in path.name),
    ]


def test_upstream_fixtures_are_present() -> None:
    if upstream_fixtures() is None:
        pytest.skip("needs k8s.io/api in Go's module cache (cd conformance && go mod download)")
    assert len(cases()) > 190


@pytest.mark.parametrize("path", cases(), ids=lambda path: path.stem)
def test_all_forms_agree(path: Path) -> None:
    raw = json.loads(path.read_bytes())
    kind = schema.type_of(GVK.of(raw))
    obj, errors = structural.normalize(raw, kind, strict=True)
    assert errors == []
    assert obj == raw
    assert yaml_rules.loads(path.with_suffix(".yaml").read_bytes()) == raw
    message = path.with_suffix(".pb").read_bytes()
    assert PROTOBUF.decode(message) == obj
    assert PROTOBUF.encode(obj) == message
    assert CBOR.decode(CBOR.encode(obj)) == obj


def test_zero_values_survive_protobuf() -> None:
    for gvk, name in schema.kinds().items():
        kind = schema.type_named(name)
        if not kind.protobuf or gvk.kind == "WatchEvent" or gvk.group == "meta.k8s.io":
            continue
        if name.startswith(structural.STORED_AS_JSON):
            continue
        obj = structural.zero(kind)
        if gvk.kind.endswith("List") and "items" in obj:
            obj["items"] = None
        obj |= {"apiVersion": gvk.api_version, "kind": gvk.kind}
        assert PROTOBUF.decode(PROTOBUF.encode(obj)) == obj, gvk
