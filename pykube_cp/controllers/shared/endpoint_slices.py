"""Keeping EndpointSlices as they should be: packing, comparing, writing, and not acting twice.

Both EndpointSlice controllers say which endpoints they want, grouped by address type and ports;
``plan_group`` packs them into as few changed slices as it can, ``SliceWriter`` writes the plan
and remembers what it wrote until the informer shows it.
"""
# upstream: endpointslice reconciler.go Reconciler

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from pykube_cp.client.interface import Client
from pykube_cp.controllers.shared.cluster_kinds import ENDPOINT_SLICES
from pykube_cp.controllers.shared.errors import is_namespace_terminating
from pykube_cp.machinery import objects
from pykube_cp.machinery.errors import StatusError, is_not_found
from pykube_cp.machinery.objects import Object

SERVICE_NAME_LABEL = "kubernetes.io/service-name"
MANAGED_BY_LABEL = "endpointslice.kubernetes.io/managed-by"
MAX_ENDPOINTS_PER_SLICE = 100
SERVICE_INDEX = "endpoint-slices-service"
# How long to wait for the informer to show what was written.
STALE_RETRY = 0.05
# Changes of slices by others come in bursts.
CHANGE_DELAY = 1.0

PortsKey = tuple[tuple[str, int, str, str], ...]
EndpointKey = tuple[tuple[str, ...], str, str, str]


@dataclass(slots=True)
class SlicePlan:
    """What to do with slices. Those in ``create`` and ``update`` are ours to change."""

    create: list[Object] = field(default_factory=list)
    update: list[Object] = field(default_factory=list)
    delete: list[Object] = field(default_factory=list)

    def extend(self, other: "SlicePlan") -> None:
        self.create += other.create
        self.update += other.update
        self.delete += other.delete

    def unchanged(self, existing: Iterable[Object]) -> list[Object]:
        """Those of ``existing`` that the plan leaves alone."""
        touched = {objects.name(item) for item in (*self.update, *self.delete)}
        return [item for item in existing if objects.name(item) not in touched]


# --- identity of ports and endpoints


def ports_key(ports: Iterable[Object] | None) -> PortsKey:
    """Equal for equal sets of ports, whatever their order."""
    return tuple(
        sorted(
            (
                port.get("name") or "",
                port.get("port") or 0,
                port.get("protocol") or "",
                port.get("appProtocol") or "",
            )
            for port in ports or ()
        )
    )


def endpoint_key(endpoint: Object) -> EndpointKey:
    """What makes an endpoint the same one; all else about it may change in place."""
    # upstream: endpointslice util/endpointset.go hashEndpoint
    target = endpoint.get("targetRef") or {}
    return (
        tuple(sorted(endpoint["addresses"])),
        endpoint.get("hostname") or "",
        target.get("namespace") or "",
        target.get("name") or "",
    )


def same_endpoint(one: Object, other: Object) -> bool:
    """Whether two endpoints of one key agree in the rest, hints aside."""
    # upstream: endpointslice util/controller_utils.go EndpointsEqualBeyondHash
    return _beyond_key(one) == _beyond_key(other)


def _beyond_key(endpoint: Object) -> tuple[object, ...]:
    conditions = endpoint.get("conditions") or {}
    target = dict(endpoint.get("targetRef") or {})
    target.pop("resourceVersion", None)
    return (
        endpoint.get("nodeName"),
        endpoint.get("zone"),
        conditions.get("ready"),
        conditions.get("serving"),
        conditions.get("terminating"),
        target,
    )


def service_key(endpoint_slice: Object) -> str:
    """Key of the Service that a slice belongs to; empty without the label."""
    name = objects.labels(endpoint_slice).get(SERVICE_NAME_LABEL)
    return objects.join_key(objects.namespace(endpoint_slice), name) if name else ""


def service_index(endpoint_slice: Object) -> tuple[str, ...]:
    """The index ``SERVICE_INDEX``."""
    key = service_key(endpoint_slice)
    return (key,) if key else ()


def is_managed_by(endpoint_slice: Object, manager: str) -> bool:
    return objects.labels(endpoint_slice).get(MANAGED_BY_LABEL) == manager


def is_owned_by(endpoint_slice: Object, owner: Object, kind: str) -> bool:
    return any(
        (ref.get("uid"), ref.get("kind"), ref.get("apiVersion")) == (objects.uid(owner), kind, "v1")
        for ref in objects.owner_references(endpoint_slice)
    )


# --- packing


@dataclass(slots=True, kw_only=True)
class Packer:
    """Packs endpoints of one owner into slices.

    ``new_slice`` makes an empty slice, ``labels_of`` says which labels an existing slice should
    have when they differ from those it has.
    """

    new_slice: Callable[[list[Object], str], Object]
    labels_of: Callable[[Object], dict[str, str] | None]
    limit: int = MAX_ENDPOINTS_PER_SLICE

    def plan_group(
        self,
        existing: Sequence[Object],
        desired: dict[EndpointKey, Object],
        ports: list[Object],
        address_type: str,
    ) -> SlicePlan:
        """The least change that makes slices of one address type and set of ports hold ``desired``.

        Takes what it places out of ``desired``.
        """
        # upstream: endpointslice reconciler.go reconcileByPortMapping
        plan = SlicePlan()
        unchanged: list[Object] = []
        for endpoint_slice in existing:
            self._keep_wanted(endpoint_slice, desired, plan, unchanged)
        for endpoint_slice in sorted(plan.update, key=_size, reverse=True):
            self._fill(endpoint_slice, desired)
        while desired:
            self._place_rest(desired, unchanged, plan, ports, address_type)
        return plan

    def _keep_wanted(
        self,
        endpoint_slice: Object,
        desired: dict[EndpointKey, Object],
        plan: SlicePlan,
        unchanged: list[Object],
    ) -> None:
        current = endpoint_slice.get("endpoints") or []
        kept, changed = _match(current, desired)
        labels = self.labels_of(endpoint_slice)
        changed = changed or len(kept) != len(current)
        if not changed and labels is None:
            unchanged.append(endpoint_slice)
        elif changed and not kept:
            plan.delete.append(endpoint_slice)
        else:
            copy = objects.deep_copy(endpoint_slice)
            if changed:
                copy["endpoints"] = kept
            if labels is not None:
                copy["metadata"]["labels"] = labels
            plan.update.append(copy)

    def _place_rest(
        self,
        desired: dict[EndpointKey, Object],
        unchanged: list[Object],
        plan: SlicePlan,
        ports: list[Object],
        address_type: str,
    ) -> None:
        target = self._slice_to_fill(unchanged, len(desired))
        if target is None:
            made = self.new_slice(ports, address_type)
            plan.create.append(made)
        else:
            unchanged.remove(target)
            made = objects.deep_copy(target)
            made["endpoints"] = made.get("endpoints") or []
            plan.update.append(made)
        self._fill(made, desired)

    def _slice_to_fill(self, slices: Sequence[Object], count: int) -> Object | None:
        """The slice that ``count`` more endpoints fill up best."""
        # upstream: endpointslice utils.go getSliceToFill
        room = [(self.limit - count - _size(item), item) for item in slices]
        fitting = [pair for pair in room if 0 <= pair[0] < self.limit]
        return min(fitting, key=lambda pair: pair[0])[1] if fitting else None

    def _fill(self, endpoint_slice: Object, desired: dict[EndpointKey, Object]) -> None:
        endpoints = endpoint_slice["endpoints"]
        while desired and len(endpoints) < self.limit:
            endpoints.append(desired.pop(next(iter(desired))))


def _size(endpoint_slice: Object) -> int:
    return len(endpoint_slice.get("endpoints") or ())


def _match(
    current: Iterable[Object], desired: dict[EndpointKey, Object]
) -> tuple[list[Object], bool]:
    """The wanted ones of ``current`` as they should be, and whether any of them differs."""
    kept: list[Object] = []
    changed = False
    for endpoint in current:
        wanted = desired.pop(endpoint_key(endpoint), None)
        if wanted is not None:
            kept.append(wanted)
            changed = changed or not same_endpoint(wanted, endpoint)
    return kept, changed


# --- remembering what was written


class SliceTracker:
    """Generations of the slices written per Service, to know an informer that lags behind."""

    # upstream: endpointslice util/endpointslice_tracker.go EndpointSliceTracker

    _DELETED = -1

    def __init__(self) -> None:
        self._generations: dict[str, dict[str, int]] = {}

    def has(self, endpoint_slice: Object) -> bool:
        return objects.uid(endpoint_slice) in self._of(endpoint_slice)

    def should_sync(self, endpoint_slice: Object) -> bool:
        """Whether the slice is newer than what was written, or not ours."""
        known = self._of(endpoint_slice).get(objects.uid(endpoint_slice))
        return known is None or _generation(endpoint_slice) > known

    def is_stale(self, key: str, slices: Iterable[Object]) -> bool:
        """Whether the slices seen are older than those written."""
        known = self._generations.get(key)
        if not known:
            return False
        seen = {objects.uid(item): _generation(item) for item in slices}
        for uid, generation in known.items():
            if generation == self._DELETED:
                if uid in seen:
                    return True
            elif seen.get(uid, self._DELETED) < generation:
                return True
        return False

    def update(self, endpoint_slice: Object) -> None:
        self._set(endpoint_slice, _generation(endpoint_slice))

    def expect_deletion(self, endpoint_slice: Object) -> None:
        self._set(endpoint_slice, self._DELETED)

    def handle_deletion(self, endpoint_slice: Object) -> bool:
        """Note that a slice is gone; False when nobody here deleted it."""
        known = self._of(endpoint_slice).pop(objects.uid(endpoint_slice), None)
        return known is None or known == self._DELETED

    def forget(self, key: str) -> None:
        self._generations.pop(key, None)

    def _of(self, endpoint_slice: Object) -> dict[str, int]:
        return self._generations.get(service_key(endpoint_slice), {})

    def _set(self, endpoint_slice: Object, generation: int) -> None:
        of_service = self._generations.setdefault(service_key(endpoint_slice), {})
        of_service[objects.uid(endpoint_slice)] = generation


def _generation(endpoint_slice: Object) -> int:
    found: int = objects.metadata(endpoint_slice).get("generation", 0)
    return found


def changed_services(
    tracker: SliceTracker, managed_by: str, old: Object | None, new: Object | None
) -> set[str]:
    """Keys of Services whose slices were changed by somebody else; None is no object."""
    # upstream: pkg/controller/endpointslice/endpointslice_controller.go onEndpointSliceUpdate
    if new is None:
        return _deleted_service(tracker, managed_by, old) if old else set()
    if old is not None and service_key(old) != service_key(new):
        return {key for item in (old, new) if (key := service_key(item))}
    managed = is_managed_by(new, managed_by)
    taken = old is not None and is_managed_by(old, managed_by) != managed
    if taken or (managed and tracker.should_sync(new)):
        return {service_key(new)} - {""}
    return set()


def _deleted_service(tracker: SliceTracker, managed_by: str, old: Object) -> set[str]:
    if not is_managed_by(old, managed_by) or not tracker.has(old):
        return set()
    return set() if tracker.handle_deletion(old) else {service_key(old)}


# --- writing


@dataclass(slots=True, kw_only=True)
class SliceWriter:
    """Carries out plans for the slices of one owner at a time."""

    client: Client
    tracker: SliceTracker
    owner_kind: str

    async def write(self, owner: Object, plan: SlicePlan) -> None:
        """Create (unless the owner is going), update, delete; slices to delete are reused."""
        # upstream: endpointslice reconciler.go finalize
        self._reuse(owner, plan)
        namespace = objects.namespace(owner)
        if not objects.is_deleting(owner):
            for endpoint_slice in plan.create:
                if not await self._create(endpoint_slice, namespace):
                    return
        for endpoint_slice in plan.update:
            self.tracker.update(await self.client.update(ENDPOINT_SLICES, endpoint_slice))
        for endpoint_slice in plan.delete:
            await self.delete(endpoint_slice)

    async def delete(self, endpoint_slice: Object) -> None:
        """Delete and expect the informer to say so."""
        name, namespace = objects.name(endpoint_slice), objects.namespace(endpoint_slice)
        await self.client.delete(ENDPOINT_SLICES, name, namespace)
        self.tracker.expect_deletion(endpoint_slice)

    async def delete_all(self, slices: Iterable[Object]) -> None:
        """Delete without expectations, for an owner that is no more."""
        for endpoint_slice in slices:
            try:
                await self.client.delete(
                    ENDPOINT_SLICES, objects.name(endpoint_slice), objects.namespace(endpoint_slice)
                )
            except StatusError as err:
                if not is_not_found(err):
                    raise

    async def _create(self, endpoint_slice: Object, namespace: str) -> bool:
        try:
            created = await self.client.create(ENDPOINT_SLICES, endpoint_slice, namespace)
        except StatusError as err:
            if is_namespace_terminating(err):
                return False
            raise
        self.tracker.update(created)
        return True

    def _reuse(self, owner: Object, plan: SlicePlan) -> None:
        for doomed in list(plan.delete):
            if not plan.create:
                return
            made = plan.create[-1]
            same_type = doomed["addressType"] == made["addressType"]
            if same_type and is_owned_by(doomed, owner, self.owner_kind):
                made["metadata"]["name"] = objects.name(doomed)
                made["metadata"].pop("generateName", None)
                plan.update.append(plan.create.pop())
                plan.delete.remove(doomed)
