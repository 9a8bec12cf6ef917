"""Endpoint slices."""

from pykube_cp.machinery import addresses, names
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.resources.shared import checks


def _default_port(port: Object, _ctx: RuleContext) -> None:
    # upstream: pkg/apis/discovery/v1/defaults.go SetDefaults_EndpointPort
    if port.get("name") is None:
        port["name"] = ""
    if port.get("protocol") is None:
        port["protocol"] = "TCP"


_FAMILIES = {"IPv4": 4, "IPv6": 6}
_TYPES = ("FQDN", "IPv4", "IPv6")
_MAX_ADDRESSES, _MAX_PORTS, _MAX_ENDPOINTS = 100, 20000, 1000
_MAX_LABELS, _MAX_HINTS = 16, 8


def _validate(endpoint_slice: Object, path: Path, ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/discovery/validation/validation.go ValidateEndpointSlice
    found = checks.chosen(endpoint_slice, path, "addressType", _TYPES)
    found += _ports(endpoint_slice.get("ports") or [], path.child("ports"))
    endpoints, where = endpoint_slice.get("endpoints") or [], path.child("endpoints")
    if ctx.old is not None and endpoints == ctx.old.get("endpoints"):
        return found
    if len(endpoints) > _MAX_ENDPOINTS:
        return [*found, FieldError.too_many(where, len(endpoints), _MAX_ENDPOINTS)]
    kind = endpoint_slice.get("addressType") or ""
    for position, endpoint in enumerate(endpoints):
        found += _endpoint(endpoint, kind, where.index(position))
    return found


def _ports(ports: list[Object], path: Path) -> checks.Errors:
    if len(ports) > _MAX_PORTS:
        return [FieldError.too_many(path, len(ports), _MAX_PORTS)]
    found = []
    seen: set[str] = set()
    for position, port in enumerate(ports):
        where, name = path.index(position), port.get("name") or ""
        found += checks.named(port, where, "name", names.is_dns1123_label)
        if name in seen:
            found.append(FieldError.duplicate(where.child("name"), name))
        seen.add(name)
        protocol = port.get("protocol") or ""
        found += checks.supported(protocol, where.child("protocol"), checks.PROTOCOLS)
        if port.get("appProtocol") is not None:
            found += checks.qualified(port["appProtocol"], where.child("appProtocol"))
    return found


def _endpoint(endpoint: Object, kind: str, path: Path) -> checks.Errors:
    given, where = endpoint.get("addresses") or [], path.child("addresses")
    found = checks.required(endpoint, path, "addresses")
    if len(given) > _MAX_ADDRESSES:
        found.append(FieldError.too_many(where, len(given), _MAX_ADDRESSES))
    for position, address in enumerate(given):
        found += _address(address, kind, where, position)
    for field, check in (
        ("nodeName", names.is_dns1123_subdomain),
        ("hostname", names.is_dns1123_label),
    ):
        if (name := endpoint.get(field)) is not None:
            found += checks.invalid(path.child(field), name, check(name))
    found += _topology(endpoint.get("deprecatedTopology") or {}, path.child("deprecatedTopology"))
    return found + _hints(endpoint.get("hints") or {}, path.child("hints"))


def _address(address: str, kind: str, path: Path, position: int) -> checks.Errors:
    where = path.index(position)
    if kind == "FQDN":
        return checks.fully_qualified(address, where)
    if kind not in _FAMILIES:
        return []
    strict = kind == "IPv6"
    found = addresses.is_valid_ip(where, address) if strict else checks.address(address, where)
    if found:
        return found
    parsed = addresses.parse_ip_sloppy(address)
    if parsed is None or parsed.version != _FAMILIES[kind]:
        found.append(FieldError.invalid(path, address, f"must be an {kind} address"))
    return found + checks.endpoint_address(address, where)


def _topology(labels: Object, path: Path) -> checks.Errors:
    found = []
    if len(labels) > _MAX_LABELS:
        found.append(FieldError.too_many(path, len(labels), _MAX_LABELS))
    return found + checks.labels(labels, path)


def _hints(hints: Object, path: Path) -> checks.Errors:
    # upstream: pkg/apis/discovery/validation/validation.go validateHints
    found: checks.Errors = []
    for field, check in (
        ("forZones", names.is_valid_label_value),
        ("forNodes", names.is_dns1123_subdomain),
    ):
        given, where = hints.get(field) or [], path.child(field)
        if len(given) > _MAX_HINTS:
            return [*found, FieldError.too_many(where, len(given), _MAX_HINTS)]
        seen: set[str] = set()
        for position, hint in enumerate(given):
            name, place = hint.get("name") or "", where.index(position).child("name")
            if name in seen:
                found.append(FieldError.duplicate(place, name))
            seen.add(name)
            found += checks.invalid(place, name, check(name))
    return found


RULES = (
    TypeRule(type="io.k8s.api.discovery.v1.EndpointPort", default=_default_port),
    TypeRule(type="io.k8s.api.discovery.v1.EndpointSlice", validate=_validate),
)
