"""What may change about a service, and what its status may say."""
# upstream: pkg/apis/core/validation/validation.go ValidateServiceUpdate

from pykube_cp.machinery import addresses, names
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.resources.shared import service_fields
from pykube_cp.resources.shared.service_fields import SINGLE_STACK

_ONCE = "may not change once set"
_MODES = ("Proxy", "VIP")


def validate(service: Object, old: Object) -> list[FieldError]:
    spec, before = service["spec"], old["spec"]
    found: list[FieldError] = []
    if service_fields.needs_cluster_ip(spec) and service_fields.needs_cluster_ip(before):
        headless, was_headless = _is_headless(spec), _is_headless(before)
        if not (headless and was_headless):
            found += _cluster_ips(spec, before)
        if not headless and not was_headless:
            found += _families(spec, before)
    if spec.get("type") == before.get("type") == "LoadBalancer":
        now = spec.get("loadBalancerClass")
        if now != before.get("loadBalancerClass"):
            found.append(FieldError.invalid(Path("spec", "loadBalancerClass"), now, _ONCE))
    if service_fields.needs_health_check(spec) and service_fields.needs_health_check(before):
        if spec.get("healthCheckNodePort") != before.get("healthCheckNodePort"):
            where = Path("spec", "healthCheckNodePort")
            found.append(FieldError.forbidden(where, "field is immutable"))
    return found


def _is_headless(spec: Object) -> bool:
    return (spec.get("clusterIPs") or []) == [service_fields.NONE]


def _bad_policy(spec: Object, what: str) -> list[FieldError]:
    policy = spec.get("ipFamilyPolicy")
    if policy == SINGLE_STACK:
        return []
    text = f"must be set to 'SingleStack' when releasing the secondary {what}"
    return [FieldError.invalid(Path("spec", "ipFamilyPolicy"), policy, text)]


def _cluster_ips(spec: Object, old: Object) -> list[FieldError]:
    # upstream: validateUpgradeDowngradeClusterIPs
    now, before = spec.get("clusterIPs") or [], old.get("clusterIPs") or []
    path, found = Path("spec", "clusterIPs"), []
    if len(now) == len(before):
        for position, address in enumerate(before):
            if address != now[position]:
                found.append(FieldError.invalid(path.index(position), now, _ONCE))
        return found
    if before and not now:
        text = "primary clusterIP can not be unset"
        found.append(FieldError.invalid(path.index(0), now, text))
    if before and now and now[0] != before[0]:
        found.append(FieldError.invalid(path.index(0), now, _ONCE))
    if len(before) > len(now) == 1:
        found += _bad_policy(spec, "clusterIP")
    return found


def _families(spec: Object, old: Object) -> list[FieldError]:
    # upstream: validateUpgradeDowngradeIPFamilies
    now, before = spec.get("ipFamilies") or [], old.get("ipFamilies") or []
    where, found = Path("spec", "ipFamilies").index(0), []
    if len(now) == len(before):
        changed = sum(one != other for one, other in zip(now, before, strict=True))
        return [FieldError.invalid(where, now, _ONCE) for _ in range(changed)]
    if before and not spec.get("clusterIPs"):
        found.append(FieldError.invalid(where, now, "primary ipFamily can not be unset"))
    if before and now and now[0] != before[0]:
        found.append(FieldError.invalid(where, spec.get("clusterIPs") or [], _ONCE))
    if len(before) > len(now) == 1:
        found += _bad_policy(spec, "ipFamily")
    return found


def validate_status(service: Object, old: Object) -> list[FieldError]:
    now = (service.get("status") or {}).get("loadBalancer") or {}
    before = (old.get("status") or {}).get("loadBalancer") or {}
    path = Path("status", "loadBalancer", "ingress")
    return validate_ingress(now, before, path, service["spec"].get("type") or "")


def validate_ingress(
    status: Object, old: Object, path: Path, service_type: str
) -> list[FieldError]:
    """What is wrong with the addresses of a load balancer."""
    # upstream: ValidateLoadBalancerStatus
    ingress = status.get("ingress") or []
    if service_type != "LoadBalancer" and ingress:
        text = "may only be used when `spec.type` is 'LoadBalancer'"
        return [FieldError.forbidden(path, text)]
    found = []
    for position, item in enumerate(ingress):
        found += _mode(item, path.index(position).child("ipMode"))
    return found + validate_addresses(status, old, path)


def validate_addresses(status: Object, old: Object, path: Path) -> list[FieldError]:
    """What is wrong with addresses and host names of a load balancer."""
    # upstream: pkg/apis/networking/validation/validation.go ValidateIngressLoadBalancerStatus
    known = [item["ip"] for item in old.get("ingress") or () if item.get("ip")]
    found = []
    for position, item in enumerate(status.get("ingress") or ()):
        found += _address(item, known, path.index(position))
    return found


def _mode(item: Object, where: Path) -> list[FieldError]:
    address, mode = item.get("ip") or "", item.get("ipMode")
    if mode is None and address:
        return [FieldError.required(where, "must be specified when `ip` is set")]
    if mode is not None and not address:
        return [FieldError.forbidden(where, "may not be specified when `ip` is not set")]
    if mode is not None and mode not in _MODES:
        return [FieldError.not_supported(where, mode, _MODES)]
    return []


def _address(item: Object, known: list[str], path: Path) -> list[FieldError]:
    address, found = item.get("ip") or "", []
    if address:
        found += addresses.is_valid_ip_for_legacy_field(
            path.child("ip"), address, strict=True, valid_old=known
        )
    host = item.get("hostname") or ""
    for text in names.is_dns1123_subdomain(host) if host else ():
        found.append(FieldError.invalid(path.child("hostname"), host, text))
    if host and addresses.parse_ip_sloppy(host) is not None:
        text = "must be a DNS name, not an IP address"
        found.append(FieldError.invalid(path.child("hostname"), host, text))
    return found
