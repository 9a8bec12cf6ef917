"""ResourceQuotas: what they count, what is used of them, and arithmetic on resource lists."""

# upstream: apiserver pkg/quota/v1

from collections.abc import Callable, Iterable
from typing import Any

from pykube_cp.machinery import objects
from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.pod_resources import ResourceList, add, parse_list
from pykube_cp.machinery.quota_evaluators import (
    ZERO,
    ClaimEvaluator,
    ObjectCountEvaluator,
    PodEvaluator,
    ResourceClaimEvaluator,
    ServiceEvaluator,
)

# Stored by nobody, or never counted.
IGNORED = frozenset(
    (
        ("", "bindings"),
        ("", "componentstatuses"),
        ("", "events"),
        ("authentication.k8s.io", "selfsubjectreviews"),
        ("authentication.k8s.io", "tokenreviews"),
        ("authorization.k8s.io", "localsubjectaccessreviews"),
        ("authorization.k8s.io", "selfsubjectaccessreviews"),
        ("authorization.k8s.io", "selfsubjectrulesreviews"),
        ("authorization.k8s.io", "subjectaccessreviews"),
        ("events.k8s.io", "events"),
    )
)

# Resource lists


def subtract(one: ResourceList, other: ResourceList) -> ResourceList:
    result = {name: quantity.sub(other.get(name, ZERO)) for name, quantity in one.items()}
    result.update({name: ZERO.sub(other[name]) for name in other.keys() - one.keys()})
    return result


def subtract_to_zero(one: ResourceList, other: ResourceList) -> ResourceList:
    """As ``subtract``, but never below zero."""
    # upstream: apiserver pkg/quota/v1/resources.go SubtractWithNonNegativeResult
    return {name: max(ZERO, quantity) for name, quantity in subtract(one, other).items()}


def mask(resources: ResourceList, names: Iterable[str]) -> ResourceList:
    kept = set(names)
    return {name: quantity for name, quantity in resources.items() if name in kept}


def exceeded(used: ResourceList, hard: ResourceList) -> list[str]:
    """Names of resources of which more is used than allowed, sorted."""
    return sorted(name for name, limit in hard.items() if name in used and used[name] > limit)


def negative(resources: ResourceList) -> list[str]:
    return sorted(name for name, quantity in resources.items() if quantity < ZERO)


def without_zeros(resources: ResourceList) -> ResourceList:
    return {name: quantity for name, quantity in resources.items() if quantity != ZERO}


def equal(one: ResourceList, other: ResourceList) -> bool:
    return one.keys() == other.keys() and all(one[name] == other[name] for name in one)


def written(resources: ResourceList) -> dict[str, str]:
    """As objects hold a resource list."""
    return {name: str(quantity) for name, quantity in resources.items()}


# Scopes


def scope_selectors(quota: Object) -> list[Object]:
    """Scopes and scope selector of a quota, as requirements."""
    spec = quota.get("spec") or {}
    scopes = [{"scopeName": name, "operator": "Exists"} for name in spec.get("scopes") or []]
    return [*scopes, *objects.nested(spec, "scopeSelector", "matchExpressions", default=[])]


# Quotas

_ALIASES = ("configmaps", "replicationcontrollers", "resourcequotas", "secrets")
_EVALUATORS: dict[tuple[str, str], ObjectCountEvaluator] = {
    evaluator.group_resource: evaluator
    for evaluator in (
        PodEvaluator(),
        ServiceEvaluator(),
        ClaimEvaluator(),
        ResourceClaimEvaluator(),
        *(ObjectCountEvaluator("", name, name) for name in _ALIASES),
    )
}


def evaluator_for(group: str, resource: str) -> ObjectCountEvaluator:
    """The evaluator of a resource."""
    found = _EVALUATORS.get((group, resource))
    return found if found is not None else ObjectCountEvaluator(group, resource)


def matches(quota: Object, evaluator: ObjectCountEvaluator, obj: Object) -> bool:
    """Whether an object counts against a quota at all."""
    # upstream: apiserver pkg/quota/v1/generic/evaluator.go Matches
    hard = objects.nested(quota, "status", "hard", default={})
    return bool(evaluator.matching_resources(hard)) and all(
        evaluator.matches_scope(selector, obj) for selector in scope_selectors(quota)
    )


def matching_scopes(
    evaluator: ObjectCountEvaluator, obj: Object, selectors: Iterable[Object]
) -> list[Object]:
    return [selector for selector in selectors if evaluator.matches_scope(selector, obj)]


def uncovered_scopes(limited: Iterable[Object], matched: Iterable[Object]) -> list[Object]:
    """Limited scopes that no quota covers."""
    covered = {selector.get("scopeName") for selector in matched}
    return [selector for selector in limited if selector.get("scopeName") not in covered]


def calculate_usage(
    quota: Object,
    evaluators: Iterable[ObjectCountEvaluator],
    list_objects: Callable[[str, str], Iterable[Object]],
) -> ResourceList:
    """What is used of everything that a quota limits.

    Args:
        quota: its ``spec`` counts.
        evaluators: of all resources that can be counted.
        list_objects: objects of the quota's namespace by group and resource.
    """
    # upstream: apiserver pkg/quota/v1/resources.go CalculateUsage
    hard = objects.nested(quota, "spec", "hard", default={})
    selectors = scope_selectors(quota)
    used: ResourceList = {}
    for evaluator in evaluators:
        names = evaluator.matching_resources(hard)
        if not names:
            continue
        total: ResourceList = dict.fromkeys(names, ZERO)
        for obj in list_objects(*evaluator.group_resource):
            if all(evaluator.matches_scope(selector, obj) for selector in selectors):
                total = add(total, evaluator.usage(obj))
        used = add(used, mask(total, names))
    return used


def status_of(quota: Object, used: ResourceList) -> dict[str, Any]:
    """The status of a quota with what was found to be used."""
    hard = objects.nested(quota, "spec", "hard", default={})
    known = parse_list(objects.nested(quota, "status", "used"))
    return {"hard": dict(hard), "used": written(mask({**known, **used}, hard))}
