"""Deployments."""

from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.resources.shared import checks, defaults, workloads
from pykube_cp.resources.shared.go_names import internal

_SPEC = {"replicas": 1, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600}


def _default_spec(spec: Object, _ctx: RuleContext) -> None:
    # upstream: pkg/apis/apps/v1/defaults.go SetDefaults_Deployment
    defaults.fill(spec, _SPEC)


def _validate_spec(spec: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/apps/validation/validation.go ValidateDeploymentSpec
    found = checks.nonnegative(spec, path, "replicas")
    return found + workloads.check_has_selector(spec, path)


def _validate_times(spec: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    deadline = "progressDeadlineSeconds"
    found = checks.nonnegative(spec, path, "minReadySeconds", "revisionHistoryLimit", deadline)
    seconds = spec.get(deadline)
    if seconds is not None and seconds <= (spec.get("minReadySeconds") or 0):
        text = "must be greater than minReadySeconds"
        found.append(FieldError.invalid(path.child(deadline), seconds, text))
    return found


def _validate_strategy(strategy: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/apps/validation/validation.go ValidateDeploymentStrategy
    kind, rolling = strategy.get("type"), strategy.get("rollingUpdate")
    where = path.child("rollingUpdate")
    if kind == "Recreate":
        text = "may not be specified when strategy `type` is 'Recreate'"
        return [] if rolling is None else [FieldError.forbidden(where, text)]
    if kind != "RollingUpdate":
        shown = internal(strategy, "io.k8s.api.apps.v1.DeploymentStrategy")
        return [FieldError.not_supported(path, shown, ("Recreate", "RollingUpdate"))]
    if rolling is None:
        return [FieldError.required(where, "this should be defaulted and never be nil")]
    return _rolling(rolling, where)


def _rolling(rolling: Object, path: Path) -> checks.Errors:
    unavailable, surge = rolling.get("maxUnavailable"), rolling.get("maxSurge")
    where = path.child("maxUnavailable")
    found = checks.amount_or_percentage(unavailable, where)
    found += checks.amount_or_percentage(surge, path.child("maxSurge"))
    if not checks.amount(unavailable) and not checks.amount(surge):
        text = "may not be 0 when `maxSurge` is 0"
        found.append(FieldError.invalid(where, unavailable, text))
    return found + checks.at_most_all(unavailable, where)


def _validate_status(status: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/apps/validation/validation.go ValidateDeploymentStatus
    parts = ("updatedReplicas", "readyReplicas", "availableReplicas")
    others = ("observedGeneration", "unavailableReplicas", "terminatingReplicas", "collisionCount")
    found = workloads.check_counts(status, path, parts, others)
    return found + workloads.check_available(status, path)


RULES = (
    TypeRule(
        type="io.k8s.api.apps.v1.DeploymentSpec",
        default=_default_spec,
        validate=_validate_spec,
        order=(
            *workloads.selector_order("deployment", "invalid label selector"),
            workloads.endless("ReplicaSet"),
            "strategy",
            _validate_times,
        ),
    ),
    TypeRule(
        type="io.k8s.api.apps.v1.DeploymentStrategy",
        default=workloads.rolling(maxUnavailable="25%", maxSurge="25%"),
        validate=_validate_strategy,
    ),
    TypeRule(type="io.k8s.api.apps.v1.DeploymentStatus", validate=_validate_status),
)
