"""ComponentStatus, deprecated long ago: whoever answers is well, and so are those beside it."""
# upstream: pkg/registry/core/componentstatus/rest.go REST

from pykube_cp.machinery import errors
from pykube_cp.machinery.gvk import GVK
from pykube_cp.machinery.objects import Object
from pykube_cp.resources.subresources.interface import Answer, Call, Page

_NAMES = ("controller-manager", "scheduler", "etcd-0")


def _status(name: str) -> Object:
    return {
        "metadata": {"name": name},
        "conditions": [{"type": "Healthy", "status": "True", "message": "ok"}],
    }


async def list_all(_call: Call) -> Answer:
    return Answer(
        {
            "kind": "ComponentStatusList",
            "apiVersion": "v1",
            "metadata": {},
            "items": [_status(name) for name in _NAMES],
        }
    )


async def get(call: Call) -> Answer:
    if call.name not in _NAMES:
        raise errors.not_found(("", "componentstatus"), call.name)
    return Answer({"kind": "ComponentStatus", "apiVersion": "v1", **_status(call.name)})


PAGES = (
    Page(
        resource=("", "componentstatuses"),
        subresource="",
        accepts=GVK("", "v1", "ComponentStatus"),
        verbs={"list": list_all, "get": get},
    ),
)
