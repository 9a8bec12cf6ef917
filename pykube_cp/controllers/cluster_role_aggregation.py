"""Fills the rules of ClusterRoles that are put together from others by label."""

# upstream: pkg/controller/clusterroleaggregation/clusterroleaggregation_controller.go

from collections.abc import Iterable

from pykube_cp.client.interface import PatchType, WriteOptions
from pykube_cp.controllers.interface import Controller, ControllerContext, Watch
from pykube_cp.controllers.shared.kinds import CLUSTER_ROLES
from pykube_cp.controllers.shared.selection import compile_selector
from pykube_cp.controllers.shared.templates import normalized
from pykube_cp.machinery import objects
from pykube_cp.machinery.objects import Object

_NAME = "clusterrole-aggregation-controller"
_APPLY = WriteOptions(field_manager=_NAME, force=True)


def _changed(ctx: ControllerContext, _old: Object | None, _new: Object | None) -> Iterable[str]:
    """Any role may be part of any aggregated one."""
    roles = ctx.lister(CLUSTER_ROLES).list()
    return [objects.name(role) for role in roles if role.get("aggregationRule")]


def _aggregate(role: Object, roles: Iterable[Object]) -> list[Object]:
    """All rules of selected roles, each once, in the order of selectors and names."""
    by_name = sorted(roles, key=objects.name)
    rules: list[Object] = []
    for selector_spec in role["aggregationRule"].get("clusterRoleSelectors") or []:
        selector = compile_selector(selector_spec)
        for other in by_name:
            if objects.name(other) == objects.name(role):
                continue
            if selector.matches(objects.labels(other)):
                for rule in map(normalized, other.get("rules") or []):
                    if rule not in rules:
                        rules.append(rule)
    return rules


async def _reconcile(ctx: ControllerContext, key: str) -> None:
    role = ctx.lister(CLUSTER_ROLES).get(key)
    if role is None or not role.get("aggregationRule"):
        return
    rules = _aggregate(role, ctx.lister(CLUSTER_ROLES).list())
    if rules == normalized(role.get("rules") or []):
        return
    applied: Object = {
        "apiVersion": CLUSTER_ROLES.api_version,
        "kind": "ClusterRole",
        "metadata": {"name": key},
        "rules": rules,
    }
    await ctx.client.patch(CLUSTER_ROLES, key, applied, PatchType.APPLY, options=_APPLY)


CONTROLLER = Controller(
    name=_NAME,
    identity=_NAME,
    aliases=("clusterrole-aggregation",),
    watches=(Watch(CLUSTER_ROLES, changed=_changed),),
    reconcile=_reconcile,
    workers=5,
)
