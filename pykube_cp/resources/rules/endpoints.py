"""Endpoints."""

from pykube_cp.machinery import names
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.resources.shared import checks, defaults


def _validate_subset(subset: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go validateEndpointSubsets
    found = []
    fields = ("addresses", "notReadyAddresses")
    if not any(subset.get(field) for field in fields):
        text = "must specify `addresses` or `notReadyAddresses`"
        found.append(FieldError.required(path, text))
    for field in fields:
        for position, address in enumerate(subset.get(field) or ()):
            found += _address(address, path.child(field).index(position))
    ports = subset.get("ports") or []
    for position, port in enumerate(ports):
        found += _port(port, path.child("ports").index(position), alone=len(ports) == 1)
    return found


def _address(address: Object, path: Path) -> checks.Errors:
    value, where = address.get("ip") or "", path.child("ip")
    found = checks.address(value, where)
    found += checks.named(address, path, "hostname", names.is_dns1123_label)
    if (node := address.get("nodeName")) is not None:
        found += checks.subdomain(node, path.child("nodeName"))
    return found + checks.endpoint_address(value, where)


def _port(port: Object, path: Path, *, alone: bool) -> checks.Errors:
    found = [] if alone else checks.required(port, path, "name")
    found += checks.named(port, path, "name", names.is_dns1123_label)
    found += checks.port_number(port.get("port") or 0, path.child("port"))
    found += checks.chosen(port, path, "protocol", checks.PROTOCOLS)
    if port.get("appProtocol") is not None:
        found += checks.qualified(port["appProtocol"], path.child("appProtocol"))
    return found


RULES = (
    # upstream: pkg/apis/core/v1/defaults.go SetDefaults_Endpoints
    TypeRule(type="io.k8s.api.core.v1.EndpointPort", default=defaults.zeros(protocol="TCP")),
    TypeRule(type="io.k8s.api.core.v1.EndpointSubset", validate=_validate_subset),
)
