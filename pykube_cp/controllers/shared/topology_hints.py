"""Topology aware hints: zones get endpoints in proportion to the CPU of their nodes."""
# upstream: endpointslice topologycache/topologycache.go TopologyCache

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pykube_cp.controllers.shared import node_taints
from pykube_cp.controllers.shared.endpoint_slices import SlicePlan
from pykube_cp.controllers.shared.traffic_distribution import is_ready, set_hints
from pykube_cp.machinery import objects, quantity
from pykube_cp.machinery.objects import Object

ZONE_LABEL = "topology.kubernetes.io/zone"
_MODE_ANNOTATIONS = (
    "service.kubernetes.io/topology-aware-hints",
    "service.kubernetes.io/topology-mode",
)
_EXCLUDED_LABELS = frozenset(
    {"node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master"}
)
_OVERLOAD_THRESHOLD = 0.2

# upstream: endpointslice topologycache/event.go
_NO_ZONE = "One or more endpoints do not have a zone specified"
_NO_HINTS = "No hints allocated for zones"
_ENABLED = "Topology Aware Hints has been enabled"
_DISABLED = "Topology Aware Hints has been disabled"
_NO_NODE_INFO = (
    "Insufficient Node information: allocatable CPU or zone not specified on one or more nodes"
)
_TOO_FEW_ENDPOINTS = "Insufficient number of endpoints"
_TOO_UNEVEN = (
    "Unable to allocate minimum required endpoints to each zone without exceeding "
    "overload threshold"
)


@dataclass(frozen=True, slots=True)
class HintEvent:
    """An event to record on the Service."""

    type: str
    reason: str
    message: str


@dataclass(slots=True)
class _Allocation:
    """How many endpoints a zone shall have."""

    minimum: int
    desired: float
    maximum: int = 0


class _HintsImpossibleError(Exception):
    """Hints cannot be given; the text says why."""


@dataclass(slots=True)
class TopologyHints:
    """What is known about zones, and which Services have hints."""

    _ratios: dict[str, float] = field(default_factory=dict)
    _allocated: dict[str, dict[str, Counter[str]]] = field(default_factory=dict)
    _populated: set[str] = field(default_factory=set)

    def set_nodes(self, nodes: Iterable[Object]) -> None:
        """Take the zones' shares from all nodes; if one lacks zone or CPU there are none."""
        cpu: Counter[str] = Counter()
        for node in nodes:
            if _EXCLUDED_LABELS & objects.labels(node).keys() or not node_taints.is_ready(node):
                continue
            zone = objects.labels(node).get(ZONE_LABEL)
            allocatable = objects.nested(node, "status", "allocatable", "cpu", default="0")
            millis = quantity.parse(str(allocatable)).milli_value()
            if not zone or not millis:
                cpu.clear()
                break
            cpu[zone] += millis
        total = cpu.total()
        self._ratios = {zone: share / total for zone, share in cpu.items()} if len(cpu) > 1 else {}

    def overloaded_services(self) -> list[str]:
        """Keys of Services with a zone that has too few endpoints now."""
        return [
            key
            for key, by_type in self._allocated.items()
            if any(self._is_overloaded(hints) for hints in by_type.values())
        ]

    def has_hints(self, service: str) -> bool:
        return service in self._populated

    def forget(self, service: str, address_type: str) -> None:
        by_type = self._allocated.get(service, {})
        by_type.pop(address_type, None)
        if not by_type:
            self._allocated.pop(service, None)
        self._populated.discard(service)

    def disabled_event(self, address_type: str) -> HintEvent:
        return _warning(_DISABLED, address_type)

    def add_hints(
        self, service: str, address_type: str, plan: SlicePlan, existing: list[Object]
    ) -> list[HintEvent]:
        """Give all slices hints, or take them away where that is impossible; says so by events."""
        # upstream: endpointslice topologycache/topologycache.go AddHints
        try:
            hints = self._allocate(plan, existing)
        except _HintsImpossibleError as err:
            self.forget(service, address_type)
            remove_hints(plan, existing)
            return [_warning(str(err), address_type)]
        events = [] if self.has_hints(service) else [_enabled(address_type)]
        self._allocated.setdefault(service, {})[address_type] = hints
        self._populated.add(service)
        return events

    def _allocate(self, plan: SlicePlan, existing: list[Object]) -> Counter[str]:
        unchanged = plan.unchanged(existing)
        slices = [*plan.create, *plan.update, *unchanged]
        total = sum(is_ready(item) for each in slices for item in each.get("endpoints") or ())
        allocations = self._allocations(total)
        hints: Counter[str] = Counter()
        for endpoint_slice in unchanged:
            of_slice = _hints_by_zone(endpoint_slice, hints, allocations)
            if of_slice is None:
                plan.update.append(objects.deep_copy(endpoint_slice))
            else:
                hints.update(of_slice)
        changing = [
            item for each in (*plan.create, *plan.update) for item in each.get("endpoints") or ()
        ]
        _hint_own_zones(changing, hints)
        _redistribute(changing, *_giving_and_receiving(allocations, hints), hints)
        if not hints:
            raise _HintsImpossibleError(_NO_HINTS)
        return hints

    def _allocations(self, endpoints: int) -> dict[str, _Allocation]:
        # upstream: endpointslice topologycache/topologycache.go getAllocations
        zones = len(self._ratios)
        if not zones:
            raise _HintsImpossibleError(_NO_NODE_INFO)
        counts = f"({endpoints} endpoints, {zones} zones)"
        if zones > endpoints:
            raise _HintsImpossibleError(f"{_TOO_FEW_ENDPOINTS} {counts}")
        allocations = {zone: _allocation(ratio * endpoints) for zone, ratio in self._ratios.items()}
        spare = endpoints - sum(each.minimum for each in allocations.values())
        if spare < 0:
            raise _HintsImpossibleError(f"{_TOO_UNEVEN} {counts}")
        for each in allocations.values():
            each.maximum = each.minimum + spare
        return allocations

    def _is_overloaded(self, hints: Counter[str]) -> bool:
        # upstream: endpointslice topologycache/utils.go serviceOverloaded
        if not hints:
            return False
        if not self._ratios:
            return True
        total = hints.total()
        return any(
            zone not in hints or hints[zone] < _minimum(total * ratio)
            for zone, ratio in self._ratios.items()
        )


def hints_enabled(service: Object) -> bool:
    """Whether the Service asks for hints by annotation."""
    annotations = objects.annotations(service)
    mode = next((annotations[key] for key in _MODE_ANNOTATIONS if key in annotations), "")
    return mode in {"Auto", "auto"}


def remove_hints(plan: SlicePlan, existing: list[Object]) -> None:
    """Take the hints out of all slices, writing also unchanged ones that have some."""
    # upstream: endpointslice topologycache/utils.go RemoveHintsFromSlices
    for endpoint_slice in plan.unchanged(existing):
        if any(item.get("hints") for item in endpoint_slice.get("endpoints") or ()):
            plan.update.append(objects.deep_copy(endpoint_slice))
    for endpoint_slice in (*plan.create, *plan.update):
        for endpoint in endpoint_slice.get("endpoints") or ():
            set_hints(endpoint, None)


def _warning(message: str, address_type: str) -> HintEvent:
    text = f"{message}, addressType: {address_type}"
    return HintEvent("Warning", "TopologyAwareHintsDisabled", text)


def _enabled(address_type: str) -> HintEvent:
    text = f"{_ENABLED}, addressType: {address_type}"
    return HintEvent("Normal", "TopologyAwareHintsEnabled", text)


def _minimum(desired: float) -> int:
    return math.ceil(desired * (1 / (1 + _OVERLOAD_THRESHOLD)))


def _allocation(desired: float) -> _Allocation:
    minimum = _minimum(desired)
    return _Allocation(minimum=minimum, desired=max(desired, minimum))


def _hints_by_zone(
    endpoint_slice: Object, allocated: Counter[str], allocations: Mapping[str, _Allocation]
) -> Counter[str] | None:
    """Hints of an unchanged slice, or None when it has to change."""
    # upstream: endpointslice topologycache/utils.go getHintsByZone
    hints: Counter[str] = Counter()
    for endpoint in endpoint_slice.get("endpoints") or ():
        if not is_ready(endpoint):
            continue
        zones = [item["name"] for item in objects.nested(endpoint, "hints", "forZones", default=())]
        if not zones or any(zone not in allocations for zone in zones):
            return None
        hints.update(zones)
    fits = all(
        allocated[zone] + count <= allocations[zone].maximum for zone, count in hints.items()
    )
    return hints if fits else None


def _hint_own_zones(endpoints: Iterable[Object], hints: Counter[str]) -> None:
    for endpoint in endpoints:
        if not is_ready(endpoint):
            continue
        zone = endpoint.get("zone")
        if not zone:
            raise _HintsImpossibleError(_NO_ZONE)
        hints[zone] += 1
        endpoint["hints"] = {"forZones": [{"name": zone}]}


def _giving_and_receiving(
    allocations: Mapping[str, _Allocation], hints: Counter[str]
) -> tuple[Counter[str], Counter[str]]:
    """How many endpoints each zone should give away and take in."""
    # upstream: endpointslice topologycache/utils.go getGivingAndReceivingZones
    surplus = {zone: hints[zone] - each.desired for zone, each in allocations.items()}
    giving_left = {zone: left for zone, left in surplus.items() if left > 0}
    receiving_left = {zone: -left for zone, left in surplus.items() if left < 0}
    giving: Counter[str] = Counter()
    receiving: Counter[str] = Counter()
    while giving_left and receiving_left:
        giver = max(giving_left, key=giving_left.__getitem__)
        receiver = max(receiving_left, key=receiving_left.__getitem__)
        give, take = giving_left[giver], receiving_left[receiver]
        if min(give, take) < 0.5 or max(give, take) < 1.0:
            break
        giving[giver] += 1
        receiving[receiver] += 1
        giving_left[giver] -= 1
        receiving_left[receiver] -= 1
    return giving, receiving


def _redistribute(
    endpoints: Iterable[Object],
    giving: Counter[str],
    receiving: Counter[str],
    hints: Counter[str],
) -> None:
    # upstream: endpointslice topologycache/utils.go redistributeHints
    for endpoint in endpoints:
        if not is_ready(endpoint) or giving[endpoint["zone"]] <= 0:
            continue
        receiver = next((zone for zone, count in receiving.items() if count > 0), None)
        if receiver is None:
            return
        endpoint["hints"] = {"forZones": [{"name": receiver}]}
        giving[endpoint["zone"]] -= 1
        receiving[receiver] -= 1
        hints[receiver] += 1
        hints[endpoint["zone"]] -= 1
