"""Columns of discovery.k8s.io."""
# upstream: pkg/printers/internalversion/printers.go

from pykube_cp.machinery.objects import Object
from pykube_cp.registry import table
from pykube_cp.registry.resource import Column
from pykube_cp.resources.shared import cells


def _port(port: Object) -> str:
    if port.get("port") is not None:
        return str(port["port"])
    found = port.get("name")
    return "*" if found is None else str(found)


def _ports(obj: Object) -> str:
    return cells.some([_port(port) for port in cells.items(obj, "ports")])


def _endpoints(obj: Object) -> str:
    endpoints = cells.items(obj, "endpoints")
    return cells.some([text for point in endpoints for text in point.get("addresses") or ()])


ENDPOINT_SLICE = (
    table.NAME,
    Column(
        "AddressType",
        cells.at("addressType"),
        described_by="discovery.v1.EndpointSlice.addressType",
    ),
    Column("Ports", _ports, described_by="discovery.v1.EndpointSlice.ports"),
    Column("Endpoints", _endpoints, described_by="discovery.v1.EndpointSlice.endpoints"),
    table.AGE,
)
