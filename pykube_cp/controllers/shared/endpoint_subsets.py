"""The canonical form of the subsets of Endpoints."""
# upstream: pkg/api/v1/endpoints/util.go RepackSubsets

from collections.abc import Iterable, Mapping

from pykube_cp.machinery.objects import Object

AddressKey = tuple[str, str]
PortKey = tuple[str, int, str, str]

# Subsets without ports are kept apart under this one.
_NO_PORT: PortKey = ("", -1, "", "")


def repack(subsets: Iterable[Object] | None) -> list[Object]:
    """Subsets with the same meaning, each address and port as seldom as possible, in order.

    An address that is both ready and not is not. The input is left as it is, but shared.
    """
    addresses: dict[AddressKey, Object] = {}
    by_port: dict[PortKey, dict[AddressKey, bool]] = {}
    ports: dict[PortKey, Object] = {}
    for subset in subsets or ():
        for port in subset.get("ports") or (None,):
            key = _NO_PORT if port is None else port_key(port)
            if port is not None:
                ports[key] = port
            readiness = by_port.setdefault(key, {})
            for field, ready in (("addresses", True), ("notReadyAddresses", False)):
                for address in subset.get(field) or ():
                    address_key = _address_key(address)
                    addresses.setdefault(address_key, address)
                    readiness[address_key] = readiness.get(address_key, True) and ready
    return _regroup(by_port, ports, addresses)


def _regroup(
    by_port: Mapping[PortKey, Mapping[AddressKey, bool]],
    ports: Mapping[PortKey, Object],
    addresses: Mapping[AddressKey, Object],
) -> list[Object]:
    by_addresses: dict[tuple[tuple[AddressKey, bool], ...], list[PortKey]] = {}
    for key, readiness in by_port.items():
        by_addresses.setdefault(tuple(sorted(readiness.items())), []).append(key)
    subsets: list[tuple[list[PortKey], Object]] = []
    for readiness_items, keys in by_addresses.items():
        keys.sort()
        subset: Object = {}
        if ready := [addresses[key] for key, is_ready in readiness_items if is_ready]:
            subset["addresses"] = ready
        if waiting := [addresses[key] for key, is_ready in readiness_items if not is_ready]:
            subset["notReadyAddresses"] = waiting
        if found := [ports[key] for key in keys if key != _NO_PORT]:
            subset["ports"] = found
        subsets.append((keys, subset))
    subsets.sort(key=lambda item: item[0])
    return [subset for _, subset in subsets]


def port_key(port: Object) -> PortKey:
    return (
        port.get("name") or "",
        port["port"],
        port.get("protocol") or "TCP",
        port.get("appProtocol") or "",
    )


def _address_key(address: Object) -> AddressKey:
    return address["ip"], (address.get("targetRef") or {}).get("uid") or ""


def same_subsets(one: Iterable[Object] | None, other: Iterable[Object] | None) -> bool:
    """Whether two lists mean the same; versions of the Pods referred to do not count."""
    return _comparable(one) == _comparable(other)


def _comparable(subsets: Iterable[Object] | None) -> list[Object]:
    return [
        {
            "ports": subset.get("ports") or [],
            "addresses": [_without_version(item) for item in subset.get("addresses") or ()],
            "notReady": [_without_version(item) for item in subset.get("notReadyAddresses") or ()],
        }
        for subset in repack(subsets)
    ]


def _without_version(address: Object) -> Object:
    target = address.get("targetRef")
    if not target or "resourceVersion" not in target:
        return address
    rest = {name: value for name, value in target.items() if name != "resourceVersion"}
    return {**address, "targetRef": rest}
