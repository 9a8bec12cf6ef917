"""Replication controllers."""

from pykube_cp.machinery import selectors
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object, nested
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.resources.shared import checks, workloads


def _default(controller: Object, _ctx: RuleContext) -> None:
    """Selector and labels are the template's when not given."""
    # upstream: pkg/apis/core/v1/defaults.go SetDefaults_ReplicationController
    labels = nested(controller, "spec", "template", "metadata", "labels")
    if not labels:
        return
    meta = controller.setdefault("metadata", {})
    for owner, field in ((controller["spec"], "selector"), (meta, "labels")):
        if not owner.get(field):
            owner[field] = dict(labels)


def _validate_spec(spec: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go ValidateReplicationControllerSpec
    found = checks.nonnegative(spec, path, "minReadySeconds")
    selector = spec.get("selector") or {}
    if not selector:
        found.append(FieldError.required(path.child("selector")))
    found += checks.nonnegative(spec, path, "replicas")
    template, where = spec.get("template"), path.child("template")
    if template is None:
        found.append(FieldError.required(where))
    elif selector:
        found += checks.matched(selectors.from_set(selector), template, where)
    return found


def _validate_template(spec: Object, path: Path, ctx: RuleContext) -> checks.Errors:
    return _ENDLESS(spec, path, ctx) if spec.get("template") is not None else []


_ENDLESS = workloads.endless("ReplicationController")


def _validate_status(status: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go ValidateReplicationControllerStatus
    parts = ("fullyLabeledReplicas", "readyReplicas", "availableReplicas")
    found = workloads.check_counts(status, path, parts, ("observedGeneration",))
    return found + workloads.check_available(status, path)


RULES = (
    TypeRule(type="io.k8s.api.core.v1.ReplicationController", default=_default),
    TypeRule(
        type="io.k8s.api.core.v1.ReplicationControllerSpec",
        validate=_validate_spec,
        order=("template", _validate_template),
    ),
    TypeRule(type="io.k8s.api.core.v1.ReplicationControllerStatus", validate=_validate_status),
)
