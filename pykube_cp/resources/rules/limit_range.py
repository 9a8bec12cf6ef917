"""Limit ranges."""

from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule


def _default_item(item: Object, _ctx: RuleContext) -> None:
    """For containers: limits from the maximum, requests from limits and the minimum."""
    # upstream: pkg/apis/core/v1/defaults.go SetDefaults_LimitRangeItem
    if item.get("type") != "Container":
        return
    limits = {**(item.get("max") or {}), **(item.get("default") or {})}
    requests = {**(item.get("min") or {}), **limits, **(item.get("defaultRequest") or {})}
    if limits:
        item["default"] = limits
    if requests:
        item["defaultRequest"] = requests


RULES = (TypeRule(type="io.k8s.api.core.v1.LimitRangeItem", default=_default_item),)
