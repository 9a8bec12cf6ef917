"""Binding a pod to a node: the scheduler's one write."""
# upstream: pkg/registry/core/pod/storage/storage.go BindingREST

from pykube_cp.machinery import errors, names
from pykube_cp.machinery.field_errors import FieldError, Path, aggregate
from pykube_cp.machinery.gvk import GVK, GVR
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.metadata import check_preconditions
from pykube_cp.registry.store import Store
from pykube_cp.registry.strategy import Strategy
from pykube_cp.resources.shared import pod_fields, written_conditions
from pykube_cp.resources.shared.statuses import created
from pykube_cp.resources.subresources.interface import Answer, Call, Page

_PODS = ("", "pods")
_BINDING_OF = ("", "pods/binding")


async def create(call: Call) -> Answer:
    """Set the pod's node, once, and its PodScheduled condition."""
    assert call.body is not None
    if call.name != call.body["metadata"].get("name", ""):
        raise errors.bad_request("name in URL does not match name in Binding object")
    return await _bind(call, call.name, call.store)


async def create_by_body(call: Call) -> Answer:
    """The same where the URL names no pod."""
    assert call.body is not None
    return await _bind(
        call, call.body["metadata"].get("name", ""), call.stores(GVR("", "v1", "pods"))
    )


async def _bind(call: Call, name: str, pods: Store) -> Answer:
    body = call.body
    assert body is not None
    if found := _validate(body):
        raise errors.StatusError(500, "", aggregate(found))
    await call.validate(body)
    if not name:
        raise errors.bad_request("Name parameter required.")
    wanted = body["metadata"]

    async def change(pod: Object | None) -> Object:
        assert pod is not None
        uid, version = wanted.get("uid", ""), wanted.get("resourceVersion", "")
        check_preconditions(pods.resource, pod, uid, version, dry_run=call.context.dry_run)
        _assign(pod, body["target"]["name"], wanted)
        return pod

    await pods.update(call.context, name, change, _accept, strategy=_BINDING)
    return Answer(created(), 201)


def _validate(body: Object) -> list[FieldError]:
    # upstream: pkg/apis/core/validation/validation.go ValidatePodBinding
    target, path = body.get("target") or {}, Path("target")
    kind, name = target.get("kind") or "", target.get("name") or ""
    found = []
    if kind not in {"", "Node"}:
        found.append(FieldError.not_supported(path.child("kind"), kind, ["Node", "<empty>"]))
    if not name:
        found.append(FieldError.required(path.child("name")))
    elif kind in {"", "Node"}:
        texts = names.is_dns1123_subdomain(name)
        found += [FieldError.invalid(path.child("name"), name, text) for text in texts]
    return found


def _assign(pod: Object, node: str, wanted: Object) -> None:
    # upstream: pkg/registry/core/pod/storage/storage.go BindingREST.setPodNodeAndMetadata
    spec, meta = pod["spec"], pod["metadata"]
    name = meta["name"]
    if meta.get("deletionTimestamp"):
        text = f"pod {name} is being deleted, cannot be assigned to a host"
        raise errors.conflict(_BINDING_OF, name, text)
    if spec.get("nodeName"):
        text = f'pod {name} is already assigned to node "{spec["nodeName"]}"'
        raise errors.conflict(_BINDING_OF, name, text)
    if spec.get("schedulingGates"):
        text = f"pod {name} has non-empty .spec.schedulingGates"
        raise errors.conflict(_BINDING_OF, name, text)
    spec["nodeName"] = node
    for field in ("annotations", "labels"):
        if more := wanted.get(field):
            meta[field] = (meta.get(field) or {}) | more
    pod_fields.drop_init_annotations(pod)
    pod.setdefault("status", {}).pop("nominatedNodeName", None)
    written_conditions.update_pod(pod, {"type": "PodScheduled", "status": "True"})


async def _accept(obj: Object | None, old: Object | None) -> None:
    """Admission has seen the binding itself."""


class _BindingStrategy(Strategy):
    """Whatever labels and annotations the binding has, the pod gets them."""

    judges_updates = False


_BINDING = _BindingStrategy()
PAGES = (
    Page(
        resource=_PODS,
        subresource="binding",
        accepts=GVK("", "v1", "Binding"),
        verbs={"create": create},
        keeps_system_fields=True,
    ),
    Page(
        resource=("", "bindings"),
        subresource="",
        accepts=GVK("", "v1", "Binding"),
        verbs={"create": create_by_body},
    ),
)
