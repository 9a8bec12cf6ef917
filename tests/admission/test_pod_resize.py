"""Resizes beyond what the node has."""

from typing import Any, cast

import pytest

from pykube_cp.admission.interface import Attributes, Operation, Services
from pykube_cp.admission.plugins.pod_resize import PodResizeValidator
from pykube_cp.client.interface import Client
from pykube_cp.machinery import errors
from pykube_cp.machinery.gvk import GVK, GVR
from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.user import UserInfo

NODES: dict[str, Object] = {
    "n": {"metadata": {"name": "n"}, "status": {"allocatable": {"cpu": "2", "memory": "2Gi"}}},
    "w": {"metadata": {"name": "w", "labels": {"kubernetes.io/os": "windows"}}},
}
MEMORY = "memory, requested: 3221225472, allocatable: 2147483648"
SHORT = "node didn't have enough allocatable resources: "


class _Client:
    async def get(self, gvr: GVR, name: str, _namespace: str = "") -> Object:
        if name not in NODES:
            raise errors.not_found((gvr.group, gvr.resource), name)
        return NODES[name]


def _pod(node: str, generation: int, **requests: str) -> Object:
    containers = [{"name": "c", "resources": {"requests": requests}}]
    spec: Object = {"containers": containers, "overhead": {"cpu": "1m"}}
    meta = {"name": "p", "generation": generation}
    return {"metadata": meta, "spec": spec | ({"nodeName": node} if node else {})}


async def _refusal(pod: Object, **fields: Any) -> tuple[str, str]:
    """Its text and its cause; both empty where there is none."""
    plugin = PodResizeValidator()
    plugin.start(Services(client=cast(Client, _Client())))
    values = {"subresource": "resize", "old_object": _pod("n", 1)} | fields
    attributes = Attributes(
        operation=Operation.UPDATE,
        resource=GVR("", "v1", "pods"),
        kind=GVK("", "v1", "Pod"),
        namespace="ns",
        name="p",
        object=pod,
        user=UserInfo("u"),
        **values,
    )
    try:
        await plugin.validate(attributes)
    except errors.StatusError as error:
        text = error.message.partition("is forbidden: ")[2]
        return text, "".join(cause["reason"] for cause in error.causes)
    return "", ""


@pytest.mark.parametrize(
    ("pod", "expected"),
    [
        (_pod("n", 2, cpu="1999m", memory="2Gi"), ("", "")),
        (
            _pod("n", 2, cpu="2", memory="1Gi"),
            (f"{SHORT}cpu, requested: 2001, allocatable: 2000", "NodeCapacity"),
        ),
        (
            _pod("n", 2, cpu="3", memory="3Gi"),
            (
                f"{SHORT}cpu, requested: 3001, allocatable: 2000; {MEMORY}",
                "NodeCapacity",
            ),
        ),
        (_pod("gone", 2), ('node "gone" not found', "")),
        (_pod("a/b", 2), ('node "a/b" not found', "")),
        (
            _pod("w", 2),
            (
                'pod resize is only supported on linux nodes, node "w" is "windows"',
                "UnsupportedPlatform",
            ),
        ),
        (_pod("", 2, cpu="9"), ("", "")),
        (_pod("n", 1, cpu="9"), ("", "")),
    ],
)
async def test_a_resize_is_held_to_what_its_node_has(
    pod: Object, expected: tuple[str, str]
) -> None:
    assert await _refusal(pod) == expected


async def test_other_updates_are_not_its_business() -> None:
    assert await _refusal(_pod("n", 2, cpu="9"), subresource="") == ("", "")
