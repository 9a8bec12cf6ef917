"""Replica sets."""

from pykube_cp.machinery.field_errors import Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.resources.shared import checks, defaults, workloads


def _validate_spec(spec: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/apps/validation/validation.go ValidateReplicaSetSpec
    found = checks.nonnegative(spec, path, "replicas", "minReadySeconds")
    return found + workloads.check_has_selector(spec, path)


def _validate_status(status: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/apps/validation/validation.go ValidateReplicaSetStatus
    parts = ("fullyLabeledReplicas", "readyReplicas", "availableReplicas")
    others = ("observedGeneration", "terminatingReplicas")
    found = workloads.check_counts(status, path, parts, others)
    return found + workloads.check_available(status, path)


RULES = (
    # upstream: pkg/apis/apps/v1/defaults.go SetDefaults_ReplicaSet
    TypeRule(
        type="io.k8s.api.apps.v1.ReplicaSetSpec",
        default=defaults.missing(replicas=1),
        validate=_validate_spec,
        order=(
            *workloads.selector_order("deployment", "invalid label selector"),
            workloads.endless("ReplicaSet"),
        ),
    ),
    TypeRule(type="io.k8s.api.apps.v1.ReplicaSetStatus", validate=_validate_status),
)
