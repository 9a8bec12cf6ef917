"""Judging the fields about the addresses of a service."""
# upstream: pkg/apis/core/validation/validation.go ValidateServiceClusterIPsRelatedFields

from pykube_cp.machinery import addresses
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.resources.shared.service_fields import (
    NONE,
    PREFER_DUAL_STACK,
    REQUIRE_DUAL_STACK,
    SINGLE_STACK,
    is_headless,
)

FAMILIES = ("IPv4", "IPv6")
POLICIES = (PREFER_DUAL_STACK, REQUIRE_DUAL_STACK, SINGLE_STACK)


def family_of(address: str) -> str:
    parsed = addresses.parse_ip_sloppy(address)
    if parsed is None:
        return "unknown"
    return "IPv6" if parsed.version == 6 else "IPv4"


def validate(spec: Object, old: Object | None) -> list[FieldError]:
    """What is wrong with clusterIP, clusterIPs, ipFamilies and ipFamilyPolicy."""
    if spec.get("type") == "ExternalName":
        return []
    path = Path("spec")
    ips = spec.get("clusterIPs") or []
    found = _in_step(spec.get("clusterIP") or "", ips, path.child("clusterIPs"))
    found += _families(spec, path.child("ipFamilies"))
    policy = spec.get("ipFamilyPolicy")
    if policy is not None and policy not in POLICIES:
        where = path.child("ipFamilyPolicy")
        found.append(FieldError.not_supported(where, policy, POLICIES))
    wrong = _ips(ips, (old or {}).get("clusterIPs") or [], path.child("clusterIPs"))
    found += wrong
    if len(ips) > 2:
        text = "may only hold up to 2 values"
        found.append(FieldError.invalid(path.child("clusterIPs"), ips, text))
    if wrong:
        return found
    if len(ips) > 1 and (len({family_of(ip) for ip in ips}) != 2):
        text = "may specify no more than one IP for each IP family"
        found.append(FieldError.invalid(path.child("clusterIPs"), ips, text))
    if not is_headless(spec):
        found += _matching(ips, spec.get("ipFamilies") or [], path.child("clusterIPs"))
    return found


def _in_step(one: str, many: list[str], path: Path) -> list[FieldError]:
    if one and not many:
        return [FieldError.required(path)]
    if one and many[0] != one:
        return [FieldError.invalid(path, many, "first value must match `clusterIP`")]
    if not one and many:
        text = "must be empty when `clusterIP` is not specified"
        return [FieldError.invalid(path, many, text)]
    return []


def _families(spec: Object, path: Path) -> list[FieldError]:
    found = []
    seen: set[str] = set()
    for position, family in enumerate(spec.get("ipFamilies") or ()):
        if family not in FAMILIES:
            found.append(FieldError.not_supported(path.index(position), family, FAMILIES))
        if family in seen:
            found.append(FieldError.duplicate(path.index(position), family))
        seen.add(family)
    return found


def _ips(ips: list[str], known: list[str], path: Path) -> list[FieldError]:
    found = []
    for position, address in enumerate(ips):
        if position == 0 and address == NONE:
            if len(ips) > 1:
                text = "'None' must be the first and only value"
                found.append(FieldError.invalid(path, ips, text))
            continue
        found += addresses.is_valid_ip_for_legacy_field(
            path.index(position), address, strict=True, valid_old=known
        )
    return found


def _matching(ips: list[str], families: list[str], path: Path) -> list[FieldError]:
    found = []
    for position, (address, family) in enumerate(zip(ips, families, strict=False)):
        if family in FAMILIES and (family == "IPv6") is not (family_of(address) == "IPv6"):
            text = f"expected an {family} value as indicated by `ipFamilies[{position}]`"
            found.append(FieldError.invalid(path.index(position), address, text))
    return found
