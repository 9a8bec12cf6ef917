"""Custom resources: what their schema says about merging."""

from typing import Any

import pytest

from pykube_cp.machinery.apply import compare, fields, merge, reconcile, shapes, validate

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "properties": {
                "whole": {
                    "type": "object",
                    "x-kubernetes-map-type": "atomic",
                    "additionalProperties": {"type": "integer"},
                },
                "labels": {"type": "object", "additionalProperties": {"type": "string"}},
                "names": {
                    "type": "array",
                    "x-kubernetes-list-type": "set",
                    "items": {"type": "string"},
                },
                "ports": {
                    "type": "array",
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["port", "protocol"],
                    "items": {
                        "type": "object",
                        "properties": {
                            "port": {"type": "integer"},
                            "protocol": {"type": "string", "default": "TCP"},
                            "name": {"type": "string"},
                        },
                    },
                },
                "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                "size": {"x-kubernetes-int-or-string": True},
            },
        }
    },
}
SHAPE = shapes.of_custom_resource(SCHEMA)


def paths(found: fields.Fields) -> list[str]:
    return [fields.path_text(path) for path in fields.paths(found)]


def test_differences_follow_the_schema() -> None:
    old = {"spec": {"whole": {"a": 1}, "names": ["a"], "ports": [{"port": 1, "name": "x"}]}}
    new = {
        "spec": {
            "whole": {"a": 2},
            "names": ["b"],
            "ports": [{"port": 1, "protocol": "TCP", "name": "y"}],
            "free": {"deep": {"x": [1]}},
        }
    }
    found = compare.compare(SHAPE, old, new)
    port = '.spec.ports[port=1,protocol="TCP"]'
    assert paths(found.modified) == [".spec.whole", f"{port}.name"]
    assert paths(found.removed) == ['.spec.names[="a"]']
    assert paths(found.added) == [
        ".spec.free",
        ".spec.free.deep",
        ".spec.free.deep.x",
        '.spec.names[="b"]',
        f"{port}.protocol",
    ]


def test_every_object_has_metadata() -> None:
    validate.validate(SHAPE, {"apiVersion": "v1", "kind": "K", "metadata": {"name": "a"}})
    with pytest.raises(validate.ShapeError, match=r"^\.metadata\.foo: field not declared"):
        validate.validate(SHAPE, {"metadata": {"foo": "a"}})


def test_unknown_members_only_where_preserved() -> None:
    validate.validate(SHAPE, {"spec": {"free": {"any": [1, {}]}, "size": "1"}})
    with pytest.raises(validate.ShapeError, match=r"^\.spec\.other: field not declared"):
        validate.validate(SHAPE, {"spec": {"other": 1}})


def test_merging_takes_a_whole_map_whole() -> None:
    live = {"spec": {"whole": {"a": 1}, "labels": {"a": "1"}}}
    config = {"spec": {"whole": {"b": 1}, "labels": {"b": "1"}}}
    merged = {"spec": {"whole": {"b": 1}, "labels": {"a": "1", "b": "1"}}}
    assert merge.merge(SHAPE, live, config) == merged


def test_sets_follow_a_list_that_became_whole() -> None:
    owned: fields.Fields = {
        "f:spec": {"f:whole": {".": {}, "f:a": {}}, "f:labels": {"f:a": {}}, "f:gone": {}}
    }
    made = reconcile.reconcile(SHAPE, owned)
    assert paths(made) == [".spec.gone", ".spec.whole", ".spec.labels.a"]
    assert reconcile.reconcile(SHAPE, made) is made


def test_whole_schema_unknown() -> None:
    assert shapes.of_custom_resource({}) is shapes.DEDUCED
