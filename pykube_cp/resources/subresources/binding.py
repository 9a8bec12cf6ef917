"""Binding a pod to a node: the scheduler's one write."""
# upstream: pkg/registry/core/pod/storage/storage.go BindingREST

from pykube_cp.machinery import clock, errors
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.gvk import GVK
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.metadata import check_preconditions
from pykube_cp.registry.strategy import Strategy
from pykube_cp.resources.shared.statuses import created
from pykube_cp.resources.subresources.interface import Answer, Call, Page

_PODS = ("", "pods")


async def create(call: Call) -> Answer:
    """Set the pod's node, once, and its PodScheduled condition."""
    assert call.body is not None
    body = call.body
    name = call.name or body["metadata"].get("name", "")
    _validate(body, name)
    node = body["target"]["name"]
    wanted = body["metadata"]

    async def change(pod: Object | None) -> Object:
        assert pod is not None
        version = wanted.get("resourceVersion", "")
        check_preconditions(call.store.resource, pod, wanted.get("uid", ""), version)
        _assign(pod, node, wanted)
        return pod

    await call.store.update(call.context, name, change, _accept, strategy=_BINDING)
    return Answer(created(), 201)


def _validate(body: Object, name: str) -> None:
    target = body.get("target") or {}
    found = []
    if target.get("kind") not in {None, "", "Node"}:
        allowed = ["Node", "<empty>"]
        found.append(
            FieldError.not_supported(Path("target").child("kind"), target["kind"], allowed)
        )
    if not target.get("name"):
        found.append(FieldError.required(Path("target").child("name"), ""))
    if found:
        raise errors.invalid(("", "Binding"), name, found)


def _assign(pod: Object, node: str, wanted: Object) -> None:
    spec = pod["spec"]
    name = pod["metadata"]["name"]
    if pod["metadata"].get("deletionTimestamp"):
        raise errors.conflict(
            ("", "pods/binding"),
            name,
            f"pod {name} is being deleted, cannot be assigned to a host",
        )
    if spec.get("nodeName"):
        text = f'pod {name} is already assigned to node "{spec["nodeName"]}"'
        raise errors.conflict(("", "pods/binding"), name, text)
    if spec.get("schedulingGates"):
        text = f"pod {name} has non-empty .spec.schedulingGates"
        raise errors.conflict(("", "pods/binding"), name, text)
    spec["nodeName"] = node
    if annotations := wanted.get("annotations"):
        pod["metadata"].setdefault("annotations", {}).update(annotations)
    if labels := wanted.get("labels"):
        pod["metadata"].setdefault("labels", {}).update(labels)
    _scheduled(pod)


def _scheduled(pod: Object) -> None:
    status = pod.setdefault("status", {})
    status.pop("nominatedNodeName", None)
    conditions = status.setdefault("conditions", [])
    old = next((each for each in conditions if each["type"] == "PodScheduled"), None)
    new = {
        "type": "PodScheduled",
        "status": "True",
        "lastProbeTime": None,
        "lastTransitionTime": clock.timestamp(),
    }
    if old is None:
        conditions.append(new)
    elif old["status"] != "True":
        old.clear()
        old.update(new)


async def _accept(obj: Object | None, old: Object | None) -> None:
    """Admission has seen the binding itself."""


_BINDING = Strategy()
PAGES = (
    Page(
        resource=_PODS,
        subresource="binding",
        accepts=GVK("", "v1", "Binding"),
        verbs={"create": create},
        accepts_also=(GVK("", "v1", "Pod"),),
    ),
    Page(
        resource=("", "bindings"),
        subresource="",
        accepts=GVK("", "v1", "Binding"),
        verbs={"create": create},
    ),
)
