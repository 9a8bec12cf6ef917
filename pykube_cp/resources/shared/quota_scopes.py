"""Which objects a quota counts."""
# upstream: pkg/apis/core/validation/validation.go validateResourceQuotaScopes

from collections.abc import Mapping, Sequence
from typing import Any

from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.resources.shared import checks, requirements, resource_names
from pykube_cp.resources.shared.go_names import internal

_PODS = frozenset(
    {
        "pods",
        "cpu",
        "memory",
        "limits.cpu",
        "limits.memory",
        "requests.cpu",
        "requests.memory",
    }
)
_RESOURCES: Mapping[str, frozenset[str]] = {
    "Terminating": _PODS,
    "NotTerminating": _PODS,
    "NotBestEffort": _PODS,
    "PriorityClass": _PODS,
    "CrossNamespacePodAffinity": _PODS,
    "BestEffort": frozenset({"pods"}),
    "VolumeAttributesClass": frozenset({"persistentvolumeclaims", "requests.storage"}),
}
_WITHOUT_VALUES = (
    "BestEffort",
    "NotBestEffort",
    "Terminating",
    "NotTerminating",
    "CrossNamespacePodAffinity",
)
_CONFLICTING = ({"BestEffort", "NotBestEffort"}, {"Terminating", "NotTerminating"})
_MUST_EXIST = (
    "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, "
    "ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, "
    "ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity"
)


def _misfits(scope: str, hard: Mapping[str, Any]) -> int:
    """How many of the resources have nothing to do with the scope."""
    fitting = _RESOURCES.get(scope)
    if fitting is None:
        return 0
    return sum(resource_names.is_quota_name(name) and name not in fitting for name in hard)


def check(scopes: Sequence[str], hard: Mapping[str, Any], path: Path) -> checks.Errors:
    texts = []
    for scope in scopes:
        if scope not in _RESOURCES:
            texts.append("unsupported scope")
        texts += ["unsupported scope applied to resource"] * _misfits(scope, hard)
    texts += _conflicts(set(scopes))
    return checks.invalid(path, list(scopes), texts)


def _conflicts(scopes: set[str]) -> list[str]:
    return ["conflicting scopes" for pair in _CONFLICTING if pair <= scopes]


def check_selector(selector: Object, spec: Object, path: Path) -> checks.Errors:
    # upstream: core validation.go validateScopedResourceSelectorRequirement
    requirements = selector.get("matchExpressions") or []
    found = []
    for requirement in requirements:
        scope = requirement.get("scopeName") or ""
        if scope not in _RESOURCES:
            where = path.child("scopeName")
            found.append(FieldError.invalid(where, scope, "unsupported scope"))
        text = "unsupported scope applied to resource"
        misfits = _misfits(scope, spec.get("hard") or {})
        if misfits:
            shown = internal(selector, "io.k8s.api.core.v1.ScopeSelector")
            found += checks.invalid(path, shown, [text] * misfits)
        found += _requirement(requirement, scope, path)
    scopes = {requirement.get("scopeName") or "" for requirement in requirements}
    return found + checks.invalid(path, spec.get("scopes"), _conflicts(scopes))


def _requirement(requirement: Object, scope: str, path: Path) -> checks.Errors:
    operator, values = requirement.get("operator") or "", requirement.get("values") or []
    where = path.child("values")
    found = []
    if scope in _WITHOUT_VALUES and operator != "Exists":
        found.append(FieldError.invalid(path.child("operator"), operator, _MUST_EXIST))
    if operator in {"In", "NotIn"}:
        if not values:
            text = (
                "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"
            )
            found.append(FieldError.required(where, text))
    elif operator in {"Exists", "DoesNotExist"}:
        if values:
            text = (
                "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"
            )
            found.append(FieldError.invalid(where, values, text))
    else:
        found.append(FieldError.invalid(path.child("operator"), operator, requirements.UNKNOWN))
    return found
