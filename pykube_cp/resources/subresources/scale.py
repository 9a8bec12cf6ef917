"""Scale: replicas of a workload, seen the same way for every kind."""
# upstream: pkg/registry/apps/deployment/storage/storage.go ScaleREST

from pykube_cp.machinery import errors, selectors
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.gvk import GVK
from pykube_cp.machinery.objects import Object, deep_copy
from pykube_cp.resources.subresources.interface import Answer, Call, Page

_KIND = GVK("autoscaling", "v1", "Scale")
_META = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")


async def get(call: Call) -> Answer:
    return Answer(_scale((await call.store.get(call.namespace, call.name)).object()))


async def update(call: Call) -> Answer:
    """Set the replicas; a version in the body must be the workload's."""
    assert call.body is not None
    body = call.body

    async def change(old: Object | None) -> Object:
        assert old is not None
        scale = deep_copy(body)
        return _changed(call, old, scale)

    updated = await call.store.update(call.context, call.name, change, call.admit)
    return Answer(_scale(updated.entry.object()))


async def patch(call: Call) -> Answer:
    """Patch the scale as ``get`` shows it."""
    assert call.patch is not None
    patcher = call.patch

    async def change(old: Object | None) -> Object:
        assert old is not None
        return _changed(call, old, patcher(_scale(old)))

    updated = await call.store.update(
        call.context, call.name, change, call.admit, retry_given_version=True
    )
    return Answer(_scale(updated.entry.object()))


def _changed(call: Call, old: Object, scale: Object) -> Object:
    replicas = (scale.get("spec") or {}).get("replicas", 0)
    if replicas < 0:
        path = Path("spec").child("replicas")
        detail = "must be greater than or equal to 0"
        found = [FieldError.invalid(path, replicas, detail)]
        raise errors.invalid((_KIND.group, _KIND.kind), call.name, found)
    meta = scale.get("metadata") or {}
    if meta.get("uid") and meta["uid"] != old["metadata"]["uid"]:
        raise errors.conflict(
            call.resource.group_resource,
            call.name,
            f"Precondition failed: UID in precondition: {meta['uid']}, "
            f"UID in object meta: {old['metadata']['uid']}",
        )
    new = dict(old)
    new["spec"] = {**old["spec"], "replicas": replicas}
    version = meta.get("resourceVersion", "")
    new["metadata"] = {**old["metadata"], "resourceVersion": version}
    return call.record(new, old)


def _scale(workload: Object) -> Object:
    meta, spec = workload["metadata"], workload.get("spec") or {}
    status = workload.get("status") or {}
    return {
        "kind": _KIND.kind,
        "apiVersion": _KIND.api_version,
        "metadata": {field: meta[field] for field in _META if field in meta},
        "spec": {"replicas": spec.get("replicas", 0)} if spec.get("replicas") else {},
        "status": {
            "replicas": status.get("replicas", 0),
            **_selector(spec.get("selector")),
        },
    }


def _selector(selector: Object | None) -> dict[str, str]:
    """ReplicationControllers have a plain map, the others a label selector."""
    if selector is None:
        return {}
    if "matchLabels" not in selector and "matchExpressions" not in selector:
        text = ",".join(f"{key}={value}" for key, value in sorted(selector.items()))
    else:
        text = str(selectors.from_label_selector(selector))
    return {"selector": text} if text else {}


PAGES = tuple(
    Page(
        resource=resource,
        subresource="scale",
        accepts=_KIND,
        verbs={"get": get, "update": update, "patch": patch},
    )
    for resource in (
        ("", "replicationcontrollers"),
        ("apps", "deployments"),
        ("apps", "replicasets"),
        ("apps", "statefulsets"),
    )
)
