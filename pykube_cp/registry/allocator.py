"""Addresses and ports of services: who has which, and which is free.

Allocators live in memory and are loaded from the services that exist; the API server's repair loop
keeps them honest. A range has two bands: what is asked for by name is mostly taken from the lower
one, so what is given out freely comes from the upper one first.
"""
# upstream: pkg/registry/core/service/ipallocator, portallocator

import contextlib
import ipaddress
import random
from collections.abc import Collection, Iterable, Mapping
from typing import Generic, Protocol, TypeAlias, TypeVar

from pykube_cp.machinery import addresses
from pykube_cp.machinery.objects import Object

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

IPV4, IPV6 = "IPv4", "IPv6"
NONE = "None"
_MAX_SIZE = 2**62
_DUMMY_PORT = 32768


class AllocationError(Exception):
    """Why a value was not given; the text is upstream's."""


class RangeFullError(AllocationError):
    """Nothing is left."""

    def __init__(self) -> None:
        super().__init__("range is full")


class Band:
    """A run of numbers from 0, of which some are taken.

    Args:
        size: how many.
        static: how many of the first are only given out freely when the others are gone.
    """

    def __init__(self, size: int, static: int) -> None:
        self.size = size
        self._static = static
        self._taken: set[int] = set()

    def __contains__(self, number: int) -> bool:
        return number in self._taken

    def __len__(self) -> int:
        return len(self._taken)

    def take(self, number: int) -> bool:
        """False when it is taken already."""
        if number in self._taken:
            return False
        self._taken.add(number)
        return True

    def give_back(self, number: int) -> None:
        self._taken.discard(number)

    def free(self) -> int | None:
        """Some free number, at random; None when there is none."""
        found = self._search(self._static, self.size)
        return found if found is not None else self._search(0, self._static)

    def _search(self, low: int, high: int) -> int | None:
        span = high - low
        if span <= 0:
            return None
        start = random.randrange(span)
        for step in range(min(span, len(self._taken) + 1)):
            number = low + (start + step) % span
            if number not in self._taken:
                return number
        return None


def static_share(size: int, *, most: int, step: int, least: int = 16) -> int:
    """How large the lower band is: a share of the range, within bounds."""
    # upstream: pkg/registry/core/service/ipallocator/bitmap.go calculateRangeOffset
    if size <= least:
        return 0
    return max(least, min(size // step, most))


class _Range:
    """The addresses of one CIDR."""

    def __init__(self, network: Network) -> None:
        self.network = network
        usable = network.num_addresses - (2 if network.version == 4 else 1)
        size = max(0, min(usable, _MAX_SIZE))
        self._first = int(network.network_address) + 1
        share = static_share(min(network.num_addresses, _MAX_SIZE), most=256, step=16)
        self.band = Band(size, min(share, size))

    def number(self, address: addresses.Address) -> int:
        return int(address) - self._first

    def text(self, number: int) -> str:
        kind = ipaddress.IPv4Address if self.network.version == 4 else ipaddress.IPv6Address
        return str(kind(self._first + number))


class AddressAllocator:
    """Cluster IPs of one family, out of one or more CIDRs; the first is used first."""

    def __init__(self, *cidrs: str) -> None:
        self._ranges: dict[str, _Range] = {}
        self.set_cidrs(cidrs)

    @property
    def family(self) -> str:
        found = next(iter(self._ranges.values()), None)
        return IPV6 if found is not None and found.network.version == 6 else IPV4

    @property
    def cidrs(self) -> tuple[str, ...]:
        return tuple(self._ranges)

    def set_cidrs(self, cidrs: Iterable[str]) -> None:
        """Use these ranges; what is taken in those that stay remains taken."""
        self._ranges = {
            cidr: self._ranges.get(cidr) or _Range(ipaddress.ip_network(cidr, strict=False))
            for cidr in cidrs
        }

    def allocate(self, address: str) -> None:
        """Take one; ``AllocationError`` when it is taken or lies in no range."""
        where, number = self._find(address)
        if not where.band.take(number):
            raise AllocationError("provided IP is already allocated")

    def allocate_next(self) -> str:
        """Take any; ``RangeFullError`` when there is none."""
        for where in self._ranges.values():
            number = where.band.free()
            if number is not None:
                where.band.take(number)
                return where.text(number)
        raise RangeFullError

    def try_out(self, address: str, _taken: Collection[str]) -> None:
        """What a dry run refuses; it does not care whether the address is taken."""
        # upstream: pkg/registry/core/service/ipallocator/ipallocator.go allocateService
        try:
            self._find(address)
        except AllocationError:
            text = (
                f"the provided IP ({address}) is not in the valid range. "
                f"The range of valid IPs is {next(iter(self._ranges))}"
            )
            raise AllocationError(text) from None

    def dummy(self, _taken: Collection[str]) -> str:
        """What a dry run is given: no address of the range that is used."""
        # upstream: pkg/registry/core/service/ipallocator/ipallocator.go allocateNextService
        return str(next(iter(self._ranges.values())).network.network_address)

    def release(self, address: str) -> None:
        """Give back; what was not taken is passed over."""
        try:
            where, number = self._find(address)
        except AllocationError:
            return
        where.band.give_back(number)

    def has(self, address: str) -> bool:
        try:
            where, number = self._find(address)
        except AllocationError:
            return False
        return number in where.band

    def _find(self, address: str) -> tuple[_Range, int]:
        parsed = addresses.parse_ip_sloppy(address)
        for where in self._ranges.values():
            if parsed is not None and parsed in where.network:
                number = where.number(parsed)
                if 0 <= number < where.band.size:
                    return where, number
        raise AllocationError("the provided network does not match the current range")


class PortAllocator:
    """Node ports, ``first`` to ``last`` inclusive."""

    def __init__(self, first: int = 30000, last: int = 32767) -> None:
        self.first, self.last = first, last
        size = last - first + 1
        self._band = Band(size, static_share(size, most=128, step=32))

    def allocate(self, port: int) -> None:
        """Take one; ``AllocationError`` when it is taken or outside the range."""
        if not self.first <= port <= self.last:
            raise AllocationError(
                "provided port is not in the valid range. The range of valid ports is "
                f"{self.first}-{self.last}"
            )
        if not self._band.take(port - self.first):
            raise AllocationError("provided port is already allocated")

    def allocate_next(self) -> int:
        """Take any; ``RangeFullError`` when there is none."""
        number = self._band.free()
        if number is None:
            raise RangeFullError
        self._band.take(number)
        return self.first + number

    def try_out(self, port: int, taken: Collection[int]) -> None:
        """What a dry run refuses; it does not care for the range."""
        # upstream: pkg/registry/core/service/portallocator/operation.go Allocate
        if self.has(port) or port in taken:
            raise AllocationError("provided port is already allocated")

    def dummy(self, taken: Collection[int]) -> int:
        """What a dry run is given: a number above all that are taken."""
        # upstream: pkg/registry/core/service/portallocator/operation.go AllocateNext
        return max(taken, default=_DUMMY_PORT) + 1

    def release(self, port: int) -> None:
        self._band.give_back(port - self.first)

    def has(self, port: int) -> bool:
        return port - self.first in self._band


Value = TypeVar("Value", str, int)


class Allocator(Protocol[Value]):
    """What the allocators of addresses and of ports have in common."""

    def allocate(self, value: Value, /) -> None: ...
    def allocate_next(self) -> Value: ...
    def try_out(self, value: Value, taken: Collection[Value], /) -> None: ...
    def dummy(self, taken: Collection[Value], /) -> Value: ...
    def release(self, value: Value, /) -> None: ...
    def has(self, value: Value, /) -> bool: ...


class Transaction(Generic[Value]):
    """Takes values and gives others back, all or nothing; a dry run only looks."""

    def __init__(self, allocator: Allocator[Value], *, dry_run: bool) -> None:
        self._allocator: Allocator[Value] = allocator
        self._dry_run = dry_run
        self._taken: list[Value] = []
        self._leaving: list[Value] = []

    def allocate(self, value: Value) -> None:
        if not self._dry_run:
            self._allocator.allocate(value)
        else:
            self._allocator.try_out(value, self._taken)
        self._taken.append(value)

    def allocate_next(self) -> Value:
        if not self._dry_run:
            value = self._allocator.allocate_next()
        else:
            value = self._allocator.dummy(self._taken)
        self._taken.append(value)
        return value

    def release_later(self, value: Value) -> None:
        self._leaving.append(value)

    def finish(self) -> None:
        """Give back what is left behind."""
        if not self._dry_run:
            for value in self._leaving:
                self._allocator.release(value)

    def revert(self) -> None:
        """As if nothing had happened; what somebody else has taken meanwhile stays his."""
        if self._dry_run:
            return
        for value in self._taken:
            self._allocator.release(value)
        for value in self._leaving:
            if not self._allocator.has(value):
                self._allocator.allocate(value)


def cluster_ips(service: Object) -> list[str]:
    """Addresses that a service holds; none for headless and external ones."""
    spec = service["spec"]
    if spec.get("type") == "ExternalName":
        return []
    found = spec.get("clusterIPs") or ([spec["clusterIP"]] if spec.get("clusterIP") else [])
    return [address for address in found if address != NONE]


def node_ports(service: Object) -> list[int]:
    """Ports on every node that a service holds, that for health checks included."""
    spec = service["spec"]
    ports = [port["nodePort"] for port in spec.get("ports") or () if port.get("nodePort")]
    if spec.get("healthCheckNodePort"):
        ports.append(spec["healthCheckNodePort"])
    return ports


def load(
    services: Iterable[Object], ips: Mapping[str, AddressAllocator], ports: PortAllocator
) -> None:
    """Take what existing services hold; what is held twice or out of range is passed over."""
    for service in services:
        for address in cluster_ips(service):
            allocator = ips.get(IPV6 if ":" in address else IPV4)
            if allocator is not None and not allocator.has(address):
                with contextlib.suppress(AllocationError):
                    allocator.allocate(address)
        for port in node_ports(service):
            if not ports.has(port):
                with contextlib.suppress(AllocationError):
                    ports.allocate(port)
