"""Giving services their addresses and ports."""
# upstream: pkg/registry/core/service/storage/alloc.go

from collections.abc import Mapping

from pykube_cp.machinery import errors
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry import allocator
from pykube_cp.registry.allocator import AddressAllocator, AllocationError, PortAllocator
from pykube_cp.resources.shared import service_fields, service_ips
from pykube_cp.resources.shared.service_fields import (
    NONE,
    PREFER_DUAL_STACK,
    REQUIRE_DUAL_STACK,
    SINGLE_STACK,
)

KIND = ("", "Service")


class Allocation:
    """What one create or update takes and gives back.

    Args:
        ips: allocators by family, that of the cluster's first family first.
    """

    def __init__(
        self,
        service: Object,
        old: Object | None,
        ips: Mapping[str, AddressAllocator],
        ports: PortAllocator,
        *,
        dry_run: bool,
    ) -> None:
        self._name: str = service["metadata"].get("name", "")
        self._spec = service["spec"]
        self._old = old["spec"] if old is not None else None
        self._families = list(ips)
        self._ips = {
            family: allocator.Transaction[str](pool, dry_run=dry_run)
            for family, pool in ips.items()
        }
        self._ports = allocator.Transaction[int](ports, dry_run=dry_run)

    def run(self) -> None:
        """Complete the service; on an error nothing remains taken."""
        try:
            if not self._keeps_dual_stack():
                self._init_families()
                self._allocate_ips()
            self._allocate_ports()
        except BaseException:
            self.revert()
            raise
        for transaction in self._ips.values():
            transaction.finish()
        self._ports.finish()

    def revert(self) -> None:
        for transaction in self._ips.values():
            transaction.revert()
        self._ports.revert()

    # Families.

    def _keeps_dual_stack(self) -> bool:
        """A PreferDualStack service is not changed because the cluster has changed."""
        # upstream: isMatchingPreferDualStackClusterIPFields
        spec, old = self._spec, self._old
        if old is None or spec.get("type") != old.get("type"):
            return False
        policies = {spec.get("ipFamilyPolicy"), old.get("ipFamilyPolicy") or PREFER_DUAL_STACK}
        same = service_fields.same(spec, old, "clusterIPs", "ipFamilies")
        return policies == {PREFER_DUAL_STACK} and service_fields.needs_cluster_ip(spec) and same

    def _init_families(self) -> None:
        # upstream: initIPFamilyFields
        spec = self._spec
        if not service_fields.needs_cluster_ip(spec):
            return
        if spec.get("ipFamilyPolicy") is None:
            spec["ipFamilyPolicy"] = self._default_policy()
        self._refuse(service_ips.validate(spec, self._old))
        found = self._narrow() if self._old is not None else []
        found += self._check_policy()
        found += self._infer_families()
        self._refuse(found)
        if self._is_selectorless_headless():
            self._complete_headless()
        else:
            self._complete()

    def _default_policy(self) -> str:
        if self._old is not None and self._old.get("ipFamilyPolicy"):
            return str(self._old["ipFamilyPolicy"])
        return REQUIRE_DUAL_STACK if self._is_selectorless_headless() else SINGLE_STACK

    def _is_selectorless_headless(self) -> bool:
        return self._spec.get("clusterIP") == NONE and not self._spec.get("selector")

    def _narrow(self) -> list[FieldError]:
        """Leaving dual stack is asked for by the policy alone."""
        assert self._old is not None
        spec, old = self._spec, self._old
        found = []
        for field, words in (("clusterIPs", "cluster IP"), ("ipFamilies", "IP family")):
            now, before = spec.get(field) or [], old.get(field) or []
            if spec["ipFamilyPolicy"] == SINGLE_STACK:
                if now == before and len(now) > 1:
                    spec[field] = now[:1]
            elif now and len(now) < len(before):
                text = f"must be 'SingleStack' to release the secondary {words}"
                found.append(self._bad_policy(text))
        return found

    def _check_policy(self) -> list[FieldError]:
        if self._spec["ipFamilyPolicy"] != SINGLE_STACK:
            return []
        fields = (("clusterIPs", "cluster IPs"), ("ipFamilies", "IP families"))
        text = "must be 'RequireDualStack' or 'PreferDualStack' when multiple {} are specified"
        return [
            self._bad_policy(text.format(words))
            for field, words in fields
            if len(self._spec.get(field) or []) == 2
        ]

    def _bad_policy(self, text: str) -> FieldError:
        policy = self._spec["ipFamilyPolicy"]
        return FieldError.invalid(Path("spec", "ipFamilyPolicy"), policy, text)

    def _infer_families(self) -> list[FieldError]:
        found = []
        ips = self._spec.get("clusterIPs") or []
        families = list(self._spec.get("ipFamilies") or [])
        for position, address in enumerate(ips):
            if address == NONE:
                break
            if position < len(families):
                continue
            family = service_ips.family_of(address)
            if family in self._families:
                families.append(family)
            else:
                where = Path("spec", "clusterIPs").index(position)
                text = f"{family} is not configured on this cluster"
                found.append(FieldError.invalid(where, ips, text))
        if families:
            self._spec["ipFamilies"] = families
        return found

    def _complete_headless(self) -> None:
        families = list(self._spec.get("ipFamilies") or self._families[:1])
        if len(families) < 2 and self._spec["ipFamilyPolicy"] != SINGLE_STACK:
            families.append(_other(families[0]))
        self._spec["ipFamilies"] = families

    def _complete(self) -> None:
        spec, found = self._spec, []
        if spec["ipFamilyPolicy"] == REQUIRE_DUAL_STACK and len(self._families) < 2:
            found.append(self._bad_policy("this cluster is not configured for dual-stack services"))
        for position, family in enumerate(spec.get("ipFamilies") or ()):
            if family not in self._families:
                where = Path("spec", "ipFamilies").index(position)
                text = "not configured on this cluster"
                found.append(FieldError.invalid(where, family, text))
        self._refuse(found)
        families = list(spec.get("ipFamilies") or self._families[:1])
        dual = spec["ipFamilyPolicy"] != SINGLE_STACK and len(self._families) == 2
        if dual and len(families) == 1:
            families.append(_other(families[0]))
        spec["ipFamilies"] = families

    # Addresses.

    def _allocate_ips(self) -> None:
        # upstream: updateClusterIPs
        spec, old = self._spec, self._old
        wants = service_fields.needs_cluster_ip(spec)
        if old is None or not service_fields.needs_cluster_ip(old):
            if wants and not service_fields.is_headless(spec):
                self._take_ips(range(len(spec["ipFamilies"])))
            return
        if service_fields.is_headless(old):
            return
        before = list(zip(old.get("ipFamilies") or [], old.get("clusterIPs") or [], strict=False))
        if not wants:
            self._leave(before)
        elif len(before) == 1 and len(spec["ipFamilies"]) == 2:
            self._take_ips([1])
        elif len(before) == 2 and len(spec["ipFamilies"]) == 1:
            self._leave(before[1:])

    def _leave(self, pairs: list[tuple[str, str]]) -> None:
        for family, address in pairs:
            if family in self._ips:
                self._ips[family].release_later(address)

    def _take_ips(self, positions: range | list[int]) -> None:
        spec = self._spec
        ips = list(spec.get("clusterIPs") or [])
        for position in positions:
            if position >= len(ips):
                ips.append("")
            ips[position] = self._take_ip(spec["ipFamilies"][position], ips[position], ips)
        spec["clusterIPs"], spec["clusterIP"] = ips, ips[0]

    def _take_ip(self, family: str, address: str, ips: list[str]) -> str:
        pool = self._ips[family]
        try:
            if not address:
                return pool.allocate_next()
            pool.allocate(address)
        except allocator.RangeFullError as error:
            text = f'failed to allocate a serviceIP for Service "{self._name}": {error}'
            raise errors.internal_error(text) from None
        except AllocationError as error:
            text = f"failed to allocate IP {address}: {error}"
            found = FieldError.invalid(Path("spec", "clusterIPs"), ips, text)
            raise errors.invalid(KIND, self._name, [found]) from None
        return address

    # Ports.

    def _allocate_ports(self) -> None:
        spec, old = self._spec, self._old
        known = set(service_fields.node_port_numbers(old)) if old is not None else set()
        if service_fields.has_node_ports(spec):
            self._take_ports(known)
        now = set(service_fields.node_port_numbers(spec))
        for port in sorted(known - now):
            self._ports.release_later(port)
        had = old is not None and service_fields.needs_health_check(old)
        needs = service_fields.needs_health_check(spec)
        if needs and not had:
            self._take_health_port()
        elif had and not needs and old is not None and old.get("healthCheckNodePort"):
            self._ports.release_later(old["healthCheckNodePort"])

    def _take_ports(self, known: set[int]) -> None:
        """Ports of the same number (TCP and UDP) share one node port."""
        # upstream: initNodePorts, updateNodePorts
        spec = self._spec
        taken = set(known)
        made: set[tuple[str, int]] = set()
        shared = {p["port"]: p["nodePort"] for p in spec.get("ports") or () if p.get("nodePort")}
        for position, port in enumerate(spec.get("ports") or ()):
            number = port.get("nodePort") or 0
            if not number and not service_fields.allocates_node_ports(spec):
                continue
            if not number and self._old is None:
                number = shared.get(port["port"], 0)
            if number and number not in taken:
                self._take_port(number, position)
            elif not number:
                number = self._take_any_port()
            taken.add(number)
            shared.setdefault(port["port"], number)
            port["nodePort"] = number
            key = port.get("protocol", ""), number
            if self._old is not None and key in made:
                text = f"duplicate nodePort: {{{key[0]} {number}}}"
                raise errors.StatusError(500, "", text)
            made.add(key)

    def _take_port(self, number: int, position: int) -> None:
        try:
            self._ports.allocate(number)
        except AllocationError as error:
            where = Path("spec", "ports").index(position).child("nodePort")
            found = FieldError.invalid(where, number, str(error))
            raise errors.invalid(KIND, self._name, [found]) from None

    def _take_any_port(self) -> int:
        try:
            return self._ports.allocate_next()
        except AllocationError as error:
            raise errors.internal_error(f"failed to allocate a nodePort: {error}") from None

    def _take_health_port(self) -> None:
        number = self._spec.get("healthCheckNodePort") or 0
        try:
            if number:
                self._ports.allocate(number)
            else:
                self._spec["healthCheckNodePort"] = self._ports.allocate_next()
        except AllocationError as error:
            what = "requested HealthCheck" if number else "a HealthCheck"
            text = f"failed to allocate {what} NodePort {number}: {error}"
            raise errors.internal_error(text) from None

    def _refuse(self, found: list[FieldError]) -> None:
        if found:
            raise errors.invalid(KIND, self._name, found)


def _other(family: str) -> str:
    return "IPv6" if family == "IPv4" else "IPv4"
