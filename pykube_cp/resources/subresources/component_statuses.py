"""ComponentStatus, deprecated long ago: how the parts of the control plane are when someone looks."""
# upstream: pkg/registry/core/componentstatus/rest.go REST,
# pkg/registry/core/rest/storage_core.go componentStatusStorage

from pykube_cp.machinery import errors
from pykube_cp.machinery.gvk import GVK
from pykube_cp.machinery.objects import Object
from pykube_cp.resources.subresources.interface import Answer, Call, Page

_PORTS = {"controller-manager": 10257, "scheduler": 10259, "etcd-0": 0}
"""Where each is asked. The storage is in this process; so may be the others, and are well then."""


async def _status(call: Call, name: str) -> Object:
    port, ask = _PORTS[name], call.extra.get("component_health")
    well, text = await ask(port) if port and ask is not None else (True, "ok")
    condition = {"type": "Healthy", "status": "True" if well else "False", "message": text}
    return {"metadata": {"name": name}, "conditions": [condition]}


async def list_all(call: Call) -> Answer:
    items = [await _status(call, name) for name in _PORTS]
    head = {"kind": "ComponentStatusList", "apiVersion": "v1", "metadata": {}}
    return Answer({**head, "items": items})


async def get(call: Call) -> Answer:
    if call.name not in _PORTS:
        raise errors.not_found(("", "componentstatus"), call.name)
    found = await _status(call, call.name)
    return Answer({"kind": "ComponentStatus", "apiVersion": "v1", **found})


PAGES = (
    Page(
        resource=("", "componentstatuses"),
        subresource="",
        accepts=GVK("", "v1", "ComponentStatus"),
        verbs={"list": list_all, "get": get},
    ),
)
