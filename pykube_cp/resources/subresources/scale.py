"""Scale: replicas of a workload, seen the same way for every kind."""
# upstream: pkg/registry/apps/deployment/storage/storage.go ScaleREST

from pykube_cp.machinery import errors, selectors
from pykube_cp.machinery.apply.scale import to_parent, to_scale
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.gvk import GVK
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.metadata import check_preconditions
from pykube_cp.resources.subresources.interface import Answer, Call, Page

_KIND = GVK("autoscaling", "v1", "Scale")
_REPLICAS = ("f:spec", "f:replicas")
_PATHS = dict.fromkeys(("apps/v1", "apps/v1beta1", "apps/v1beta2", "v1"), _REPLICAS)
"""Where replicas are, in every version that managedFields may name."""
_META = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")


async def get(call: Call) -> Answer:
    return Answer(_scale((await call.store.get(call.namespace, call.name)).object()))


async def update(call: Call) -> Answer:
    """Set the replicas, by an update or a patch; a version in the scale must be the workload's."""
    # upstream: pkg/registry/apps/deployment/storage/storage.go scaleUpdatedObjectInfo.UpdatedObject

    async def change(old: Object | None) -> Object:
        assert old is not None
        if call.verb == "update" and call.body is not None:
            uid = call.body["metadata"].get("uid", "")
            check_preconditions(call.resource, old, uid, dry_run=call.context.dry_run)
        entries = old["metadata"].get("managedFields") or []
        live = _scale(old)
        if found := to_scale(entries, _PATHS):
            live["metadata"]["managedFields"] = found
        scale = await call.wanted(live)
        _check(call, scale, old)
        return _with_replicas(call, old, scale)

    async def admit(obj: Object | None, old: Object | None) -> None:
        assert obj is not None
        assert old is not None
        await call.admit(_scale(obj), _scale(old))

    updated = await call.store.update(call.context, call.name, change, admit)
    return Answer(_scale(updated.entry.object()))


def _check(call: Call, scale: Object, old: Object) -> None:
    replicas = (scale.get("spec") or {}).get("replicas", 0)
    if replicas < 0:
        path = Path("spec").child("replicas")
        detail = "must be greater than or equal to 0"
        found = [FieldError.invalid(path, replicas, detail)]
        raise errors.invalid((_KIND.group, _KIND.kind), call.name, found)
    uid, found_uid = scale["metadata"].get("uid"), old["metadata"]["uid"]
    if uid and uid != found_uid:
        group, plural = call.resource.group_resource
        text = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {found_uid}"
        raise errors.conflict((group, f"{plural}/scale"), call.name, text)


def _with_replicas(call: Call, old: Object, scale: Object) -> Object:
    meta = scale["metadata"]
    before = old["metadata"].get("managedFields") or []
    after = meta.get("managedFields") or []
    entries = to_parent(before, after, _PATHS, call.resource.api_version)
    replicas = (scale.get("spec") or {}).get("replicas", 0)
    version = meta.get("resourceVersion", "")
    return {
        **old,
        "spec": {**old["spec"], "replicas": replicas},
        "metadata": {**old["metadata"], "resourceVersion": version, "managedFields": entries},
    }


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
        verbs={"get": get, "update": update, "patch": update},
    )
    for resource in (
        ("", "replicationcontrollers"),
        ("apps", "deployments"),
        ("apps", "replicasets"),
        ("apps", "statefulsets"),
    )
)
