"""Which nodes and pods a pod keeps to or away from."""

from pykube_cp.machinery import names
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.resources.shared import checks, label_keys, node_selectors

_V1 = "io.k8s.api.core.v1."
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_MAX_WEIGHT = 100


def _weight(term: Object, path: Path) -> checks.Errors:
    weight = term.get("weight") or 0
    if 0 < weight <= _MAX_WEIGHT:
        return []
    return [FieldError.invalid(path.child("weight"), weight, "must be in the range 1-100")]


def _validate_node_affinity(affinity: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    wanted = affinity.get(_REQUIRED)
    return [] if wanted is None else node_selectors.check(wanted, path.child(_REQUIRED))


def _validate_preferred(term: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go ValidatePreferredSchedulingTerms
    found = _weight(term, path)
    preference = term.get("preference") or {}
    return found + node_selectors.check_term(preference, path.child("preference"), values=False)


def _validate_weighted(term: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    return _weight(term, path)


def _validate_term(term: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go validatePodAffinityTerm
    found = []
    for name in term.get("namespaces") or ():
        found += checks.invalid(path.child("namespace"), name, names.is_dns1123_label(name))
    found += label_keys.check(
        path,
        term.get("labelSelector"),
        term.get("matchLabelKeys") or [],
        term.get("mismatchLabelKeys") or [],
    )
    key, where = term.get("topologyKey") or "", path.child("topologyKey")
    if not key:
        found.append(FieldError.required(where, "can not be empty"))
    return found + checks.qualified(key, where)


RULES = (
    TypeRule(type=f"{_V1}NodeAffinity", validate=_validate_node_affinity),
    TypeRule(type=f"{_V1}PreferredSchedulingTerm", validate=_validate_preferred),
    TypeRule(type=f"{_V1}WeightedPodAffinityTerm", validate=_validate_weighted),
    TypeRule(
        type=f"{_V1}PodAffinityTerm",
        order=("labelSelector", "namespaceSelector", _validate_term),
    ),
)
