"""Handing out equal parts of an address range."""
# upstream: pkg/controller/nodeipam/ipam/cidrset/cidr_set.go CidrSet

import ipaddress

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# As upstream, so that a wide IPv6 range does not need an endless map.
_MAX_SUBNET_BITS = 16


class CidrRangeFullError(Exception):
    """No part is left."""

    def __init__(self) -> None:
        super().__init__(
            "CIDR allocation failed; there are no remaining CIDRs left to allocate in the "
            "accepted range"
        )


class CidrSet:
    """Parts of ``cluster_cidr`` with a prefix of ``mask_size`` bits, each free or in use."""

    def __init__(self, cluster_cidr: str, mask_size: int) -> None:
        self.network = ipaddress.ip_network(cluster_cidr, strict=False)
        self._mask_size = mask_size
        bits = mask_size - self.network.prefixlen
        if bits < 0:
            raise ValueError(
                f"New CIDR set failed; the node CIDR size {mask_size} is smaller than that of the "
                f"cluster CIDR {cluster_cidr}"
            )
        if self.network.version == 6 and bits > _MAX_SUBNET_BITS:
            raise ValueError("New CIDR set failed; the node CIDR size is too big")
        self._count = 1 << bits
        self._step = 1 << (self.network.max_prefixlen - mask_size)
        self._used: set[int] = set()
        self._next = 0

    def allocate_next(self) -> str:
        """Take the next free part, going round so that one just given back rests for a while."""
        for offset in range(self._count):
            index = (self._next + offset) % self._count
            if index not in self._used:
                self._used.add(index)
                self._next = (index + 1) % self._count
                return self._part(index)
        raise CidrRangeFullError

    def occupy(self, cidr: str) -> None:
        """Mark all parts that ``cidr`` touches; ``ValueError`` when it lies outside."""
        self._used.update(self._indexes(cidr))

    def release(self, cidr: str) -> None:
        self._used.difference_update(self._indexes(cidr))

    def _part(self, index: int) -> str:
        start = self.network.network_address + index * self._step
        return f"{start}/{self._mask_size}"

    def _indexes(self, cidr: str) -> range:
        network = ipaddress.ip_network(cidr, strict=False)
        if network.version != self.network.version or not network.overlaps(self.network):
            raise ValueError(f"cidr {cidr} is out the range of cluster cidr {self.network}")
        start = int(self.network.network_address)
        first = max(0, (int(network.network_address) - start) // self._step)
        last = (int(network.broadcast_address) - start) // self._step
        return range(first, min(last, self._count - 1) + 1)
