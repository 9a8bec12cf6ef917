import orjson
import pytest

from pykube_cp.storage.object_store import LARGEST, is_too_large

LINES = "\n" * (LARGEST // 2 + 1)
"""Twice as long in JSON."""


@pytest.mark.parametrize(
    ("api_version", "kind", "text", "expected"),
    [
        ("v1", "Pod", "a" * LARGEST, True),
        ("v1", "Pod", "a" * (LARGEST - 1000), False),
        ("v1", "Pod", LINES, False),
        ("apiextensions.k8s.io/v1", "CustomResourceDefinition", LINES, True),
        ("example.com/v1", "Widget", LINES, True),
    ],
)
def test_what_is_too_large_in_the_form_that_upstream_stores(
    api_version: str, kind: str, text: str, *, expected: bool
) -> None:
    metadata = {"name": "a", "annotations": {"a": text}}
    obj = {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": {}}
    assert is_too_large(orjson.dumps(obj)) is expected
