"""Checks that declared rules only name, and how the kinds of some groups follow declared rules."""

from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.registry.declarative import Custom
from pykube_cp.resources.shared.checks import Errors

_RESERVED = (".k8s.io", ".kubernetes.io")
_CORE_PRIORITIES = range(1000)


def _not_reserved(value: str, path: Path) -> Errors:
    # upstream: pkg/apis/core/v1/validation.go ValidateForbiddenReservedDomainSuffixes
    domain = value.partition("/")[0].lower().strip().rstrip(".")
    if not any(domain.endswith(suffix) or domain == suffix.strip(".") for suffix in _RESERVED):
        return []
    shown = ", ".join(f"*{suffix}" for suffix in _RESERVED)
    return [FieldError.invalid(path, value, f"domain names {shown} are reserved")]


def _not_core(value: int, path: Path) -> Errors:
    # upstream: pkg/apis/core/v1/validation.go ValidateCustom_EvictionResponder_Priority
    if value not in _CORE_PRIORITIES:
        return []
    text = "priorities 0-999 are reserved for responders with *.k8s.io suffix"
    return [FieldError.invalid(path, value, text)]


CUSTOM: dict[str, Custom] = {
    "EvictionResponder_Name": _not_reserved,
    "EvictionResponder_Priority": _not_core,
    "EvictionRequestSpec_Requester": _not_reserved,
}
