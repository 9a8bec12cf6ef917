"""Taints, tolerations and other parts of Nodes, and how controllers change them."""

import asyncio
from collections.abc import Callable, Iterable

from pykube_cp.client.interface import Client, PatchType
from pykube_cp.controllers.shared.cluster_kinds import NODES
from pykube_cp.controllers.shared.conditions import find_condition
from pykube_cp.machinery import clock, objects
from pykube_cp.machinery.errors import StatusError, is_conflict
from pykube_cp.machinery.objects import Object

NOT_READY = "node.kubernetes.io/not-ready"
UNREACHABLE = "node.kubernetes.io/unreachable"
UNSCHEDULABLE = "node.kubernetes.io/unschedulable"
NO_EXECUTE = "NoExecute"
NO_SCHEDULE = "NoSchedule"

PODS_BY_NODE = "pods-node-name"

TaintKey = tuple[str, str]

# upstream: pkg/controller/controller_utils.go UpdateTaintBackoff
_UPDATE_ATTEMPTS = 5
_UPDATE_BACKOFF = 0.1


def taints(node: Object) -> list[Object]:
    found: list[Object] = node.get("spec", {}).get("taints") or []
    return found


def taint_key(taint: Object) -> TaintKey:
    """What makes a taint the same one."""
    return taint["key"], taint["effect"]


def has_taint(node: Object, key: TaintKey) -> bool:
    return any(taint_key(taint) == key for taint in taints(node))


def no_execute_taints(node: Object) -> list[Object]:
    return [taint for taint in taints(node) if taint["effect"] == NO_EXECUTE]


def condition(node: Object, kind: str) -> Object | None:
    return find_condition(objects.nested(node, "status", "conditions", default=[]), kind)


def is_ready(node: Object) -> bool:
    found = condition(node, "Ready")
    return found is not None and found["status"] == "True"


def zone_key(node: Object) -> str:
    """Text that is the same for nodes of one failure zone; empty for no zone."""
    # upstream: component-helpers node/topology/helpers.go GetZoneKey
    labels = objects.labels(node)
    zone = labels.get(
        "failure-domain.beta.kubernetes.io/zone", labels.get("topology.kubernetes.io/zone", "")
    )
    region = labels.get(
        "failure-domain.beta.kubernetes.io/region", labels.get("topology.kubernetes.io/region", "")
    )
    return f"{region}:\x00:{zone}" if region or zone else ""


async def update_taints(
    client: Client,
    name: str,
    *,
    add: Iterable[TaintKey] = (),
    remove: Iterable[TaintKey] = (),
) -> None:
    """Add taints as of now and remove others, on the node as it is on the server.

    A taint that is there already keeps its time.
    """
    # upstream: pkg/controller/controller_utils.go AddOrUpdateTaintOnNode
    wanted, unwanted = list(add), set(remove)

    def change(current: list[Object]) -> list[Object]:
        kept = [taint for taint in current if taint_key(taint) not in unwanted]
        known = {taint_key(taint) for taint in kept}
        added = [_new_taint(key) for key in wanted if key not in known]
        return kept + added

    await _change_taints(client, name, change)


def _new_taint(key: TaintKey) -> Object:
    return {"key": key[0], "effect": key[1], "timeAdded": clock.timestamp()}


async def _change_taints(
    client: Client, name: str, change: Callable[[list[Object]], list[Object]]
) -> None:
    for attempt in range(_UPDATE_ATTEMPTS):
        node = await client.get(NODES, name)
        changed = change(taints(node))
        if changed == taints(node):
            return
        # The version in the patch turns a concurrent change of the list into a conflict.
        patch: Object = {
            "metadata": {"resourceVersion": objects.resource_version(node)},
            "spec": {"taints": changed or None},
        }
        try:
            await client.patch(NODES, name, patch, PatchType.MERGE)
        except StatusError as err:
            if not is_conflict(err) or attempt == _UPDATE_ATTEMPTS - 1:
                raise
            await asyncio.sleep(_UPDATE_BACKOFF)
        else:
            return


def node_name_index(pod: Object) -> tuple[str, ...]:
    """The index ``PODS_BY_NODE``."""
    name = pod["spec"].get("nodeName")
    return (name,) if name else ()


def node_reference(name: str, uid: str) -> Object:
    """A Node as events refer to it."""
    return {"apiVersion": "v1", "kind": "Node", "name": name, "uid": uid}
