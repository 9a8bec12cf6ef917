"""Priority classes and what else names a preemption policy."""

from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.resources.shared import checks, defaults

_HIGHEST = 1_000_000_000
_SYSTEM = {
    "system-node-critical": 2 * _HIGHEST + 1000,
    "system-cluster-critical": 2 * _HIGHEST,
}


def _validate(priority_class: Object, path: Path, ctx: RuleContext) -> checks.Errors:
    """New ones only; an update may not change what is judged here."""
    # upstream: pkg/apis/scheduling/validation/validation.go ValidatePriorityClass
    if ctx.old is not None:
        return []
    found = []
    name = (priority_class.get("metadata") or {}).get("name", "")
    value = priority_class.get("value") or 0
    if name.startswith("system-"):
        if wrong := _not_system(name, value, bool(priority_class.get("globalDefault"))):
            text = (
                "priority class names with 'system-' prefix are reserved for system use only. "
                f"error: {wrong}"
            )
            found.append(FieldError.forbidden(path.child("metadata", "name"), text))
    elif value > _HIGHEST:
        text = f"maximum allowed value of a user defined priority is {_HIGHEST}"
        found.append(FieldError.forbidden(path.child("value"), text))
    if priority_class.get("preemptionPolicy") is None:
        return found
    policies = ("PreemptLowerPriority", "Never")
    return found + checks.chosen(priority_class, path, "preemptionPolicy", policies)


def _not_system(name: str, value: int, is_default: bool) -> str:  # noqa: FBT001 - a fact, no switch
    if name not in _SYSTEM:
        return f"{name} is not a known system priority class"
    if value != _SYSTEM[name]:
        return f"value of {name} PriorityClass must be {_SYSTEM[name]}"
    return f"globalDefault of {name} PriorityClass must be false" if is_default else ""


RULES = (
    # upstream: pkg/apis/scheduling/v1/defaults.go SetDefaults_PriorityClass
    TypeRule(
        type="io.k8s.api.scheduling.v1.PriorityClass",
        default=defaults.missing(preemptionPolicy="PreemptLowerPriority"),
        validate=_validate,
    ),
)
