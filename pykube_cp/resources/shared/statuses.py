"""Status objects that mean success."""

from pykube_cp.machinery.objects import Object


def success(group_resource: tuple[str, str], obj: Object) -> Object:
    """What a delete answers when the object is gone."""
    # upstream: apiserver pkg/registry/generic/registry/store.go finalizeDelete
    group, resource = group_resource
    meta = obj["metadata"]
    details = {"name": meta["name"], "group": group, "kind": resource, "uid": meta.get("uid", "")}
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": {key: value for key, value in details.items() if value},
    }


def created(code: int = 201) -> Object:
    """What bindings and evictions answer."""
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "code": code,
    }
