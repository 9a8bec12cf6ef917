"""How many pods the controllers behind some pods want to run."""

# upstream: pkg/controller/disruption/disruption.go getExpectedScale and finders

from collections.abc import Iterable

from pykube_cp.client.interface import Client
from pykube_cp.controllers.interface import ControllerContext
from pykube_cp.controllers.shared.deployment_replica_sets import replicas
from pykube_cp.controllers.shared.discovery import ApiResource, Discovery, discover
from pykube_cp.controllers.shared.kinds import (
    DEPLOYMENTS,
    REPLICA_SETS,
    REPLICATION_CONTROLLERS,
    STATEFUL_SETS,
)
from pykube_cp.machinery import clock, errors, objects
from pykube_cp.machinery.errors import StatusError
from pykube_cp.machinery.gvk import GroupVersion
from pykube_cp.machinery.objects import Object

_DISCOVERY_SECONDS = 30.0
_KNOWN = {
    ("", "ReplicationController"): REPLICATION_CONTROLLERS,
    ("apps", "ReplicaSet"): REPLICA_SETS,
    ("apps", "StatefulSet"): STATEFUL_SETS,
}


class ScaleError(Exception):
    """The number of pods that should run cannot be told."""


class ExpectedScale:
    """Looks controllers up by lister, and those of other kinds by their scale subresource."""

    def __init__(self, ctx: ControllerContext) -> None:
        self._ctx = ctx
        self._discovery = Discovery(())
        self._discovered = float("-inf")

    @property
    def _client(self) -> Client:
        return self._ctx.client

    async def of(self, pods: Iterable[Object]) -> tuple[int, list[str]]:
        """``(wanted number of pods, names of pods without controller)``."""
        scales: dict[str, int] = {}
        unmanaged: list[str] = []
        seen: set[str] = set()
        for pod in pods:
            ref = objects.controller_of(pod)
            if ref is None:
                unmanaged.append(objects.name(pod))
            elif ref["uid"] not in seen:
                seen.add(ref["uid"])
                found = await self._scale(ref, objects.namespace(pod))
                if found is None:
                    raise ScaleError(f'found no controllers for pod "{objects.name(pod)}"')
                uid, scale = found
                scales[uid] = scale
        return sum(scales.values()), unmanaged

    async def _scale(self, ref: Object, namespace: str) -> tuple[str, int] | None:
        """Uid and size of the topmost controller; a Deployment stands for its ReplicaSets."""
        group = GroupVersion.parse(ref["apiVersion"]).group
        resource = _KNOWN.get((group, ref["kind"]))
        if resource is None:
            return await self._scale_of_other(ref, namespace)
        found = self._ctx.lister(resource).named(ref["name"], namespace)
        if found is None or objects.uid(found) != ref["uid"]:
            return None
        if resource == REPLICA_SETS:
            found = self._deployment(found) or found
        return objects.uid(found), replicas(found)

    def _deployment(self, replica_set: Object) -> Object | None:
        ref = objects.controller_of(replica_set)
        if ref is None or ref["kind"] != "Deployment":
            return None
        namespace = objects.namespace(replica_set)
        found = self._ctx.lister(DEPLOYMENTS).named(ref["name"], namespace)
        return found if found is not None and objects.uid(found) == ref["uid"] else None

    async def _scale_of_other(self, ref: Object, namespace: str) -> tuple[str, int] | None:
        # upstream: disruption.go getScaleController
        resource = await self._resource(ref)
        if resource is None:
            kind, version = ref["kind"], ref["apiVersion"]
            raise ScaleError(f'no matches for kind "{kind}" in version "{version}"')
        try:
            scale = await self._client.get(
                resource.gvr, ref["name"], namespace, subresource="scale"
            )
        except StatusError as error:
            if not errors.is_not_found(error):
                raise
            await self._require_scalable(resource, ref["name"], namespace)
            return None
        if objects.uid(scale) != ref["uid"]:
            return None
        return ref["uid"], objects.nested(scale, "spec", "replicas", default=0)

    async def _require_scalable(self, resource: ApiResource, name: str, namespace: str) -> None:
        """Tell an object that is gone from a kind that cannot be scaled."""
        try:
            await self._client.get(resource.gvr, name, namespace)
        except StatusError as error:
            if errors.is_not_found(error):
                return
            raise
        raise ScaleError(f"{resource.gvr.group_resource} does not implement the scale subresource")

    async def _resource(self, ref: Object) -> ApiResource | None:
        if clock.monotonic() - self._discovered > _DISCOVERY_SECONDS:
            self._discovery = await discover(self._client)
            self._discovered = clock.monotonic()
        return self._discovery.find_kind(ref["apiVersion"], ref["kind"])
