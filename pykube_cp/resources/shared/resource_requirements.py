"""Requests and limits."""
# upstream: pkg/apis/core/validation/validation.go validateResourceRequirements

from collections.abc import Callable

from pykube_cp.machinery import pod_resources
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.resources.shared import checks, resource_names

_POD_LEVEL = ("cpu", "hugepages-", "memory")
CheckName = Callable[[str, Path], checks.Errors]


def check_of_container(resources: Object, path: Path) -> checks.Errors:
    return _check(resources, path, resource_names.check_of_container)


def check_of_pod(resources: Object, path: Path) -> checks.Errors:
    """Those of a pod as a whole."""
    return _check(resources, path, _pod_level_name)


def _pod_level_name(name: str, path: Path) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go validatePodResourceName
    found = resource_names.check(name, path)
    if found or pod_resources.is_supported_pod_level(name):
        return found
    return [FieldError.not_supported(path, name, _POD_LEVEL)]


def _check(resources: Object, path: Path, check_name: CheckName) -> checks.Errors:
    found = []
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    for name, value in sorted(limits.items()):
        found += check_name(name, path.child("limits").key(name))
        found += _amount(name, value, path.child("limits").key(name))
    for name, value in sorted(requests.items()):
        found += check_name(name, path.child("requests").key(name))
        found += _amount(name, value, path.child("requests").key(name))
        found += _within_limit(name, value, limits, path)
    used = limits.keys() | requests.keys()
    if any(map(resource_names.is_huge_pages, used)) and not used & {"cpu", "memory"}:
        found.append(FieldError.forbidden(path, "HugePages require cpu or memory"))
    return found


def _amount(name: str, value: str, path: Path) -> checks.Errors:
    amount = checks.quantity(value)
    if amount is None:
        return []
    found = resource_names.check_amount(name, value, path)
    return found + resource_names.check_pages(name, amount, path)


def _within_limit(name: str, value: str, limits: Object, path: Path) -> checks.Errors:
    where = path.child("requests")
    if name not in limits:
        if resource_names.allows_overcommit(name):
            return []
        text = "Limit must be set for non overcommitable resources"
        return [FieldError.required(path.child("limits"), text)]
    request, limit = checks.quantity(value), checks.quantity(limits[name])
    if request is None or limit is None:
        return []
    if request.cmp(limit) != 0 and not resource_names.allows_overcommit(name):
        text = f"must be equal to {name} limit of {limit}"
    elif request.cmp(limit) > 0:
        text = f"must be less than or equal to {name} limit of {limit}"
    else:
        return []
    return [FieldError.invalid(where, str(request), text)]
