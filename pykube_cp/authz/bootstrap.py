"""Objects that every API server keeps from its first start on, out of generated data."""

from functools import cache
from importlib import resources
from typing import Any

import orjson

from pykube_cp.machinery.objects import Object, deep_copy


@cache
def _data() -> dict[str, Any]:
    path = resources.files("pykube_cp.authz") / "data" / "bootstrap.json"
    found: dict[str, Any] = orjson.loads(path.read_bytes())
    return found


def objects() -> list[Object]:
    """Roles, bindings, priority classes, priority levels and flow schemas."""
    found: list[Object] = deep_copy(_data()["objects"])
    return found


def node_rules() -> list[Object]:
    """What every kubelet may do, apart from what its pods refer to."""
    found: list[Object] = _data()["nodeRules"]
    return found
