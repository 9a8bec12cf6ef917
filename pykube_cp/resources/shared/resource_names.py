"""What may be the name of a resource, and what its amounts may be."""
# upstream: pkg/apis/core/helper/helpers.go

from collections.abc import Mapping
from typing import Any

from pykube_cp.machinery import names
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.quantity import ZERO, Quantity, QuantityError, parse
from pykube_cp.resources.shared import checks

HUGE_PAGES = "hugepages-"
_HUGE_PAGES_REQUESTS = "requests.hugepages-"
_REQUESTS = "requests."
_NATIVE = "kubernetes.io/"

_CONTAINER = frozenset({"cpu", "memory", "ephemeral-storage"})
_COUNTED = frozenset(
    {
        "pods",
        "resourcequotas",
        "services",
        "replicationcontrollers",
        "secrets",
        "configmaps",
        "persistentvolumeclaims",
        "services.nodeports",
        "services.loadbalancers",
    }
)
_QUOTA = (
    _CONTAINER
    | _COUNTED
    | {f"{kind}.{name}" for kind in ("requests", "limits") for name in _CONTAINER}
    | {"requests.storage"}
)
_STANDARD = _QUOTA | {"storage"}


def is_huge_pages(name: str) -> bool:
    return name.startswith(HUGE_PAGES)


def _is_quota_huge_pages(name: str) -> bool:
    return name.startswith((HUGE_PAGES, _HUGE_PAGES_REQUESTS))


def is_native(name: str) -> bool:
    return "/" not in name or _NATIVE in name


def is_extended(name: str) -> bool:
    if is_native(name) or name.startswith(_REQUESTS):
        return False
    return not names.is_qualified_name(_REQUESTS + name)


def allows_overcommit(name: str) -> bool:
    return is_native(name) and not is_huge_pages(name)


def is_quota_name(name: str) -> bool:
    return name in _QUOTA or _is_quota_huge_pages(name)


def is_whole(name: str) -> bool:
    """Whether amounts of it are integers."""
    return name in _COUNTED or is_extended(name)


def check(name: str, path: Path) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go validateResourceName
    found = checks.qualified(name, path)
    if found or "/" in name or name in _STANDARD or _is_quota_huge_pages(name):
        return found
    text = "must be a standard resource type or fully qualified"
    return [FieldError.invalid(path, name, text)]


def check_of_container(name: str, path: Path) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go ValidateContainerResourceName
    found = check(name, path)
    if "/" not in name:
        if name not in _CONTAINER and not is_huge_pages(name):
            text = "must be a standard resource for containers"
            found.append(FieldError.invalid(path, name, text))
    elif not is_native(name) and not is_extended(name):
        text = "doesn't follow extended resource name standard"
        found.append(FieldError.invalid(path, name, text))
    return found


def check_of_quota(name: str, path: Path) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go ValidateResourceQuotaResourceName
    found = check(name, path)
    if "/" not in name and not is_quota_name(name):
        text = "must be a standard resource for quota"
        found.append(FieldError.invalid(path, name, text))
    return found


def check_amount(name: str, value: Any, path: Path) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go ValidateResourceQuantityValue
    amount = checks.quantity(value)
    if amount is None:
        return []
    found = []
    if amount.sign() < 0:
        found.append(FieldError.invalid(path, str(amount), checks.NEGATIVE))
    if is_whole(name) and amount.milli_value() % 1000:
        found.append(FieldError.invalid(path, str(amount), "must be an integer"))
    return found


def check_quota_amounts(amounts: Mapping[str, Any], path: Path) -> checks.Errors:
    found = []
    for name, value in sorted(amounts.items()):
        found += check_of_quota(name, path.key(name))
        found += check_amount(name, value, path.key(name))
    return found


def check_pages(name: str, amount: Quantity, path: Path) -> checks.Errors:
    """Huge pages come whole."""
    # upstream: pkg/apis/core/validation/validation.go validateResourceQuantityHugePageValue
    if not is_huge_pages(name):
        return []
    try:
        size = parse(name.removeprefix(HUGE_PAGES))
    except QuantityError:
        size = ZERO
    if size.sign() > 0 and not size.milli_value() % 1000 and not amount.value() % size.value():
        return []
    text = f"{amount} is not positive integer multiple of {name}"
    return [FieldError.invalid(path, str(amount), text)]
