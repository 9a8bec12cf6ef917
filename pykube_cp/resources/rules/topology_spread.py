"""How evenly pods are spread."""
# upstream: pkg/apis/core/validation/validation.go validateTopologySpreadConstraints

from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.resources.shared import checks, label_keys

_ACTIONS = ("DoNotSchedule", "ScheduleAnyway")
_POLICIES = ("Honor", "Ignore")


def _validate(constraint: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    """That no constraint is there twice, PodSpec sees to."""
    found = checks.positive(constraint.get("maxSkew") or 0, path.child("maxSkew"))
    if not constraint.get("topologyKey"):
        found.append(FieldError.required(path.child("topologyKey"), "can not be empty"))
    action = constraint.get("whenUnsatisfiable") or ""
    found += checks.supported(action, path.child("whenUnsatisfiable"), _ACTIONS)
    found += _domains(constraint.get("minDomains"), action, path.child("minDomains"))
    for field in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
        found += checks.optional(constraint, path, field, _POLICIES)
    keys = constraint.get("matchLabelKeys") or []
    return found + label_keys.check(path, constraint.get("labelSelector"), keys)


def _domains(count: int | None, action: str, path: Path) -> checks.Errors:
    if count is None:
        return []
    found = checks.positive(count, path)
    if action != "DoNotSchedule":
        text = f"can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action}"
        found.append(FieldError.invalid(path, count, text))
    return found


RULES = (TypeRule(type="io.k8s.api.core.v1.TopologySpreadConstraint", validate=_validate),)
