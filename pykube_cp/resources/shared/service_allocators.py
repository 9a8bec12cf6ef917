"""The allocators of services, filled with what is taken already."""

from collections.abc import Sequence
from typing import Any

from pykube_cp.client.interface import Client
from pykube_cp.machinery.gvk import GVR
from pykube_cp.registry import allocator

_SERVICES = GVR("", "v1", "services")


async def load(client: Client, cidrs: Sequence[str], node_ports: tuple[int, int]) -> dict[str, Any]:
    """What service hooks expect to find: ``service_ips`` by family, and ``node_ports``."""
    families: dict[str, list[str]] = {}
    for cidr in cidrs:
        families.setdefault("IPv6" if ":" in cidr else "IPv4", []).append(cidr)
    ips = {family: allocator.AddressAllocator(*found) for family, found in families.items()}
    ports = allocator.PortAllocator(*node_ports)
    services = await client.list(_SERVICES)
    allocator.load(services.items, ips, ports)
    return {"service_ips": ips, "node_ports": ports}
