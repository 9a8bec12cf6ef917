"""Stateful sets."""

from pykube_cp.machinery import names
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.resources.shared import checks, defaults, workloads
from pykube_cp.resources.shared.go_names import internal

_SPEC = {"replicas": 1, "revisionHistoryLimit": 10}


def _default_spec(spec: Object, _ctx: RuleContext) -> None:
    # upstream: pkg/apis/apps/v1/defaults.go SetDefaults_StatefulSet
    if not spec.get("podManagementPolicy"):
        spec["podManagementPolicy"] = "OrderedReady"
    retention = spec.get("persistentVolumeClaimRetentionPolicy") or {}
    spec["persistentVolumeClaimRetentionPolicy"] = retention
    for field in ("whenDeleted", "whenScaled"):
        if not retention.get(field):
            retention[field] = "Retain"
    defaults.fill(spec, _SPEC)
    for claim in spec.get("volumeClaimTemplates") or ():
        claim |= {"apiVersion": "v1", "kind": "PersistentVolumeClaim"}


def _default_strategy(strategy: Object, _ctx: RuleContext) -> None:
    """An explicit RollingUpdate without its details stays without them."""
    if not strategy.get("type"):
        strategy["type"] = "RollingUpdate"
        strategy["rollingUpdate"] = strategy.get("rollingUpdate") or {}
    rolling = strategy.get("rollingUpdate")
    if strategy["type"] != "RollingUpdate" or rolling is None:
        return
    if rolling.get("partition") is None:
        rolling["partition"] = 0
    if rolling.get("maxUnavailable") is None:
        rolling["maxUnavailable"] = 1


_ONLY_ROLLING = "only allowed for updateStrategy 'RollingUpdate'"
_STRATEGIES = "must be 'RollingUpdate' or 'OnDelete'"


def _validate_spec(spec: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/apps/validation/validation.go ValidateStatefulSetSpec
    policy, where = spec.get("podManagementPolicy") or "", path.child("podManagementPolicy")
    if not policy:
        return [FieldError.required(where)]
    if policy in {"OrderedReady", "Parallel"}:
        return []
    return [FieldError.invalid(where, policy, "must be 'OrderedReady' or 'Parallel'")]


def _validate_retention(spec: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    field = "persistentVolumeClaimRetentionPolicy"
    found = []
    for member, value in (spec.get(field) or {}).items():
        found += checks.supported(value, path.child(field, member), ("Retain", "Delete"))
    return found


def _validate_numbers(spec: Object, path: Path, ctx: RuleContext) -> checks.Errors:
    """The name of the service never changes, so it is judged once."""
    found = checks.nonnegative(spec, path, "replicas", "minReadySeconds")
    found += checks.nonnegative(spec.get("ordinals") or {}, path.child("ordinals"), "start")
    if ctx.old is None:
        found += checks.named(spec, path, "serviceName", names.is_dns1123_label)
    return found + workloads.check_has_selector(spec, path)


_ORDER = (
    "updateStrategy",
    _validate_retention,
    "volumeClaimTemplates",
    _validate_numbers,
    *workloads.selector_order("statefulset", ""),
    workloads.endless("StatefulSet"),
)


def _validate_strategy(strategy: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    kind, rolling = strategy.get("type"), strategy.get("rollingUpdate")
    where = path.child("rollingUpdate")
    if not kind:
        return [FieldError.required(path)]
    if kind == "OnDelete":
        return [] if rolling is None else [FieldError.invalid(where, rolling, _ONLY_ROLLING)]
    if kind != "RollingUpdate":
        shown = internal(strategy, "io.k8s.api.apps.v1.StatefulSetUpdateStrategy")
        return [FieldError.invalid(path, shown, _STRATEGIES)]
    return [] if rolling is None else _rolling(rolling, where)


def _rolling(rolling: Object, path: Path) -> checks.Errors:
    # upstream: pkg/apis/apps/validation/validation.go validateRollingUpdateStatefulSet
    found = checks.nonnegative(rolling, path, "partition")
    unavailable, where = rolling.get("maxUnavailable"), path.child("maxUnavailable")
    if unavailable is None:
        return found
    found += checks.amount_or_percentage(unavailable, where)
    if not checks.amount(unavailable):
        found.append(FieldError.invalid(where, unavailable, "cannot be 0"))
    return found + checks.at_most_all(unavailable, where)


def _validate_status(status: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/apps/validation/validation.go ValidateStatefulSetStatus
    parts = ("readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas")
    others = ("observedGeneration", "collisionCount")
    found = workloads.check_counts(status, path, parts, others)
    text = "cannot be greater than status.readyReplicas"
    return found + workloads.check_available(status, path, text)


RULES = (
    TypeRule(
        type="io.k8s.api.apps.v1.StatefulSetSpec",
        default=_default_spec,
        validate=_validate_spec,
        order=_ORDER,
    ),
    TypeRule(
        type="io.k8s.api.apps.v1.StatefulSetUpdateStrategy",
        default=_default_strategy,
        validate=_validate_strategy,
    ),
    TypeRule(type="io.k8s.api.apps.v1.StatefulSetStatus", validate=_validate_status),
)
