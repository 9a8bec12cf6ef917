"""Daemon sets."""

from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.resources.shared import checks, defaults, workloads
from pykube_cp.resources.shared.go_names import internal


def _validate_ready_time(spec: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    return checks.nonnegative(spec, path, "minReadySeconds")


def _validate_history(spec: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    return checks.nonnegative(spec, path, "revisionHistoryLimit")


def _validate_selector(spec: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    selector = spec.get("selector")
    if selector is None or selector.get("matchLabels") or selector.get("matchExpressions"):
        return []
    text = "empty selector is invalid for daemonset"
    return [FieldError.invalid(path.child("selector"), selector, text)]


_ORDER = (
    # upstream: pkg/apis/apps/validation/validation.go ValidateDaemonSetSpec
    "selector",
    workloads.check_labels,
    _validate_selector,
    "template",
    workloads.endless("DaemonSet"),
    _validate_ready_time,
    "updateStrategy",
    _validate_history,
)


def _validate_strategy(strategy: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/apps/validation/validation.go ValidateDaemonSetUpdateStrategy
    kind, rolling = strategy.get("type"), strategy.get("rollingUpdate")
    if kind == "OnDelete":
        return []
    if kind != "RollingUpdate":
        shown = internal(strategy, "io.k8s.api.apps.v1.DaemonSetUpdateStrategy")
        return [FieldError.not_supported(path, shown, ("RollingUpdate", "OnDelete"))]
    where = path.child("rollingUpdate")
    return [FieldError.required(where)] if rolling is None else _rolling(rolling, where)


def _rolling(rolling: Object, path: Path) -> checks.Errors:
    # upstream: pkg/apis/apps/validation/validation.go ValidateRollingUpdateDaemonSet
    found = []
    for check in (checks.amount_or_percentage, checks.at_most_all):
        for field in ("maxUnavailable", "maxSurge"):
            found += check(rolling.get(field), path.child(field))
    unavailable = checks.amount(rolling.get("maxUnavailable"))
    surge = checks.amount(rolling.get("maxSurge"))
    if unavailable and surge:
        text = "may not be set when maxUnavailable is non-zero"
        found.append(FieldError.invalid(path.child("maxSurge"), rolling["maxSurge"], text))
    elif not unavailable and not surge:
        text = "cannot be 0 when maxSurge is 0"
        found.append(FieldError.required(path.child("maxUnavailable"), text))
    return found


def _validate_status(status: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/apps/validation/validation.go validateDaemonSetStatus
    fields = (
        "currentNumberScheduled",
        "numberMisscheduled",
        "desiredNumberScheduled",
        "numberReady",
        "observedGeneration",
        "updatedNumberScheduled",
        "numberAvailable",
        "numberUnavailable",
        "collisionCount",
    )
    return checks.nonnegative(status, path, *fields)


def _default(daemon_set: Object, _ctx: RuleContext) -> None:
    """The number is a field of the internal type, which is written as an annotation."""
    # upstream: pkg/apis/apps/v1/conversion.go Convert_apps_DaemonSet_To_v1_DaemonSet
    meta = daemon_set.setdefault("metadata", {})
    meta["annotations"] = {workloads.TEMPLATE_GENERATION: "0", **(meta.get("annotations") or {})}


RULES = (
    TypeRule(
        type="io.k8s.api.apps.v1.DaemonSet",
        default=_default,
        validate=workloads.check_immutable_selector,
    ),
    # upstream: pkg/apis/apps/v1/defaults.go SetDefaults_DaemonSet
    TypeRule(
        type="io.k8s.api.apps.v1.DaemonSetSpec",
        default=defaults.missing(revisionHistoryLimit=10),
        order=_ORDER,
    ),
    TypeRule(
        type="io.k8s.api.apps.v1.DaemonSetUpdateStrategy",
        default=workloads.rolling(maxUnavailable=1, maxSurge=0),
        validate=_validate_strategy,
    ),
    TypeRule(type="io.k8s.api.apps.v1.DaemonSetStatus", validate=_validate_status),
)
