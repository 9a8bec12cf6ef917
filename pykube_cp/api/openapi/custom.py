"""Types of custom kinds: what OpenAPI says of objects that a CustomResourceDefinition made."""
# upstream: apiextensions-apiserver pkg/controller/openapi/builder/builder.go

from collections.abc import Iterable

from pykube_cp.machinery.gvk import GVK
from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.schema import META
from pykube_cp.registry.resource import Resource


def type_name(kind: GVK) -> str:
    """``stable.example.com/v1 CronTab`` is ``com.example.stable.v1.CronTab``."""
    group = ".".join(reversed(kind.group.split(".")))
    return f"{group}.{kind.version}.{kind.kind}"


def definitions(rows: Iterable[Resource], prefix: str) -> dict[str, Object]:
    """The schemas of custom kinds and their lists; ``prefix`` begins references."""
    found: dict[str, Object] = {}
    for row in rows:
        if row.is_custom:
            name = type_name(row.gvk)
            found[name] = {"type": "object", "x-kubernetes-group-version-kind": [_kind(row.gvk)]}
            found[f"{name}List"] = _list(row, prefix)
    return found


def _list(row: Resource, prefix: str) -> Object:
    """A list says what it holds, even where nothing is known of its items."""
    text = "More info: https://git.k8s.io/community/contributors/devel/sig-architecture/"
    items: Object = {
        "description": f"List of {row.plural}. {text}api-conventions.md",
        "type": "array",
        "items": {"$ref": prefix + type_name(row.gvk)},
    }
    kind = GVK(row.group, row.version, row.list_kind)
    return {
        "description": f"{row.list_kind} is a list of {row.kind}",
        "type": "object",
        "required": ["items"],
        "properties": {
            "apiVersion": {"type": "string"},
            "items": items,
            "kind": {"type": "string"},
            "metadata": {"$ref": f"{prefix}{META}ListMeta"},
        },
        "x-kubernetes-group-version-kind": [_kind(kind)],
    }


def _kind(kind: GVK) -> Object:
    return {"group": kind.group, "kind": kind.kind, "version": kind.version}
