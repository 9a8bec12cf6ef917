"""Deciding about one object that may have lost its owners, against the API as it is now."""

# upstream: pkg/controller/garbagecollector/garbagecollector.go, operations.go, patch.go

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from pykube_cp.client.interface import Client, DeleteOptions, PatchType, Propagation
from pykube_cp.controllers.shared.batches import gather_failures
from pykube_cp.controllers.shared.controller_refs import release_patch
from pykube_cp.controllers.shared.discovery import ApiResource, Discovery
from pykube_cp.controllers.shared.errors import raise_all
from pykube_cp.controllers.shared.gc_graph import (
    FOREGROUND_FINALIZER,
    ORPHAN_FINALIZER,
    Graph,
    Identity,
    Node,
)
from pykube_cp.machinery import errors, objects
from pykube_cp.machinery.errors import StatusError
from pykube_cp.machinery.objects import Object

_CONFLICT_RETRIES = 5
_References: TypeAlias = Callable[[], Awaitable[list[Object]]]


class UnknownKindError(Exception):
    """An owner is of a kind that the API does not serve (any more)."""

    def __init__(self, api_version: str, kind: str) -> None:
        what = f"{api_version}/{kind}"
        super().__init__(
            f"unable to get REST mapping for {what}.  If {what} is an invalid resource, then you "
            f"should manually remove ownerReferences that refer {what} objects."
        )


class NamespacedOwnerError(Exception):
    """A cluster-scoped object names an owner that lives in a namespace: nothing can be said."""


@dataclass(slots=True)
class _Classified:
    """Owner references of an object by what became of the owners."""

    solid: list[Object] = field(default_factory=list)
    dangling: list[Object] = field(default_factory=list)
    waiting: list[Object] = field(default_factory=list)


class Collector:
    """Deletes, unblocks and orphans. ``discovery`` is replaced whenever it is renewed."""

    def __init__(self, client: Client, graph: Graph, requeue: Callable[[Node], None]) -> None:
        self.discovery = Discovery(())
        self._client = client
        self._graph = graph
        self._requeue = requeue

    async def attempt_to_delete(self, node: Node) -> bool:
        """Do what has to be done about a node; False if it should be looked at again soon."""
        if node.being_deleted and not node.deleting_dependents:
            return True
        try:
            latest = await self._get(node.identity)
        except StatusError as error:
            if not errors.is_not_found(error):
                raise
            latest = None
        except NamespacedOwnerError:
            return True
        if latest is None or objects.uid(latest) != node.identity.uid:
            self._graph.forget_absent(node.identity)
            return True
        if node.deleting_dependents:
            await self._wait_for_dependents(node)
        elif objects.owner_references(latest):
            await self._judge(node, latest)
        # It exists, so its informer will show it; until then it is not certain what it is.
        return not node.virtual

    # Looking up

    def _resource(self, api_version: str, kind: str) -> ApiResource:
        found = self.discovery.find_kind(api_version, kind)
        if found is None:
            raise UnknownKindError(api_version, kind)
        return found

    def _where(self, identity: Identity) -> tuple[ApiResource, str]:
        resource = self._resource(identity.api_version, identity.kind)
        return resource, identity.namespace if resource.namespaced else ""

    async def _get(self, identity: Identity) -> Object:
        resource, namespace = self._where(identity)
        if resource.namespaced and not namespace:
            raise NamespacedOwnerError
        return await self._client.get(resource.gvr, identity.name, namespace)

    async def _owner(self, ref: Object, dependent: Identity) -> Object | None:
        """The owner that a reference means, None if it does not exist."""
        # upstream: garbagecollector.go isDangling
        absent = self._graph.absent_owners
        identity = Identity.of_owner(ref, dependent.namespace)
        if identity in absent or identity._replace(namespace="") in absent:
            return None
        resource = self._resource(identity.api_version, identity.kind)
        if not resource.namespaced:
            identity = identity._replace(namespace="")
        elif not dependent.namespace:
            raise NamespacedOwnerError
        try:
            owner = await self._client.get(resource.gvr, identity.name, identity.namespace)
        except StatusError as error:
            if not errors.is_not_found(error):
                raise
            absent.add(identity)
            return None
        if objects.uid(owner) != identity.uid:
            absent.add(identity)
            return None
        return owner

    async def _classify(self, node: Node, references: Iterable[Object]) -> _Classified:
        found = _Classified()
        for ref in references:
            owner = await self._owner(ref, node.identity)
            if owner is None:
                found.dangling.append(ref)
            elif objects.is_deleting(owner) and FOREGROUND_FINALIZER in objects.finalizers(owner):
                found.waiting.append(ref)
            else:
                found.solid.append(ref)
        return found

    # Deciding

    async def _judge(self, node: Node, latest: Object) -> None:
        # upstream: garbagecollector.go attemptToDeleteItem
        try:
            refs = await self._classify(node, objects.owner_references(latest))
        except NamespacedOwnerError:
            return
        if refs.solid:
            lost = [ref["uid"] for ref in (*refs.dangling, *refs.waiting)]
            if lost:
                await self._drop_owners(node, lost)
        elif refs.waiting and node.dependents:
            # A circle of owners would wait for itself: stop blocking ours.
            if any(dependent.deleting_dependents for dependent in node.dependents):
                await self._unblock_owners(node)
            await self._delete(node, latest, Propagation.FOREGROUND)
        else:
            await self._delete(node, latest, _policy(latest))

    async def _wait_for_dependents(self, node: Node) -> None:
        # upstream: garbagecollector.go processDeletingDependentsItem
        blocking = node.blocking_dependents()
        if not blocking:
            await self._remove_finalizer(node, FOREGROUND_FINALIZER)
        for dependent in blocking:
            if not dependent.deleting_dependents:
                self._requeue(dependent)

    async def orphan(self, owner: Node) -> None:
        """Take the owner reference off all dependents, then let the owner go."""
        # upstream: garbagecollector.go attemptToOrphanWorker
        dependents = list(owner.dependents)
        uid = owner.identity.uid
        failures = await gather_failures(self._orphan_one(node, uid) for node in dependents)
        raise_all(failures)
        await self._remove_finalizer(owner, ORPHAN_FINALIZER)

    async def _orphan_one(self, dependent: Node, owner_uid: str) -> None:
        try:
            await self._drop_owners(dependent, [owner_uid])
        except StatusError as error:
            if not errors.is_not_found(error):
                raise

    # Writing

    async def _delete(self, node: Node, latest: Object, policy: Propagation) -> None:
        identity = node.identity
        resource, namespace = self._where(identity)

        async def delete(resource_version: str) -> None:
            options = DeleteOptions(
                propagation=policy, uid=identity.uid, resource_version=resource_version
            )
            await self._client.delete(resource.gvr, identity.name, namespace, options=options)

        try:
            try:
                await delete(objects.resource_version(latest))
            except StatusError as error:
                if not errors.is_conflict(error) or not await self._same_owners(node, latest):
                    raise
                await delete("")
        except StatusError as error:
            if not errors.is_not_found(error):
                raise
            self._graph.forget_absent(identity)

    async def _same_owners(self, node: Node, judged: Object) -> bool:
        """Whether the object changed since, but not in what it was judged by."""
        # upstream: operations.go deleteObject
        live = await self._get(node.identity)
        return objects.uid(live) == node.identity.uid and objects.owner_references(
            live
        ) == objects.owner_references(judged)

    async def _drop_owners(self, node: Node, owner_uids: Sequence[str]) -> None:
        async def kept() -> list[Object]:
            live = await self._get(node.identity)
            return [ref for ref in objects.owner_references(live) if ref["uid"] not in owner_uids]

        patch = release_patch(node.identity.uid, owner_uids, ())
        await self._patch_owners(node, patch, kept)

    async def _unblock_owners(self, node: Node) -> None:
        blocking = [
            {**ref, "blockOwnerDeletion": False}
            for ref in node.owners
            if ref.get("blockOwnerDeletion")
        ]

        async def unblocked() -> list[Object]:
            return [{**ref, "blockOwnerDeletion": False} for ref in node.owners]

        patch = {"metadata": {"ownerReferences": blocking, "uid": node.identity.uid}}
        await self._patch_owners(node, patch, unblocked)

    async def _patch_owners(self, node: Node, patch: Object, whole: _References) -> None:
        """Patch by strategic merge; custom resources know only plain merges, of the whole list."""
        try:
            await self._patch(node.identity, patch, PatchType.STRATEGIC)
        except StatusError as error:
            if error.code != 415:
                raise
            live = await self._get(node.identity)
            meta = {
                "resourceVersion": objects.resource_version(live),
                "uid": node.identity.uid,
                "ownerReferences": await whole(),
            }
            await self._patch(node.identity, {"metadata": meta}, PatchType.MERGE)

    async def _patch(self, identity: Identity, patch: Object, kind: PatchType) -> None:
        resource, namespace = self._where(identity)
        await self._client.patch(resource.gvr, identity.name, patch, kind, namespace)

    async def _remove_finalizer(self, node: Node, finalizer: str) -> None:
        """Take a finalizer off the newest version; it is fine if it is not there any more."""
        # upstream: operations.go removeFinalizer
        for attempt in range(_CONFLICT_RETRIES):
            try:
                live = await self._get(node.identity)
                if finalizer not in objects.finalizers(live):
                    return
                kept = [name for name in objects.finalizers(live) if name != finalizer]
                meta = {"resourceVersion": objects.resource_version(live), "finalizers": kept}
                await self._patch(node.identity, {"metadata": meta}, PatchType.MERGE)
            except StatusError as error:
                if errors.is_not_found(error):
                    return
                if not errors.is_conflict(error) or attempt == _CONFLICT_RETRIES - 1:
                    raise
            else:
                return


def _policy(obj: Object) -> Propagation:
    """How to delete an object that nobody owns any more: as its finalizers ask for."""
    if ORPHAN_FINALIZER in objects.finalizers(obj):
        return Propagation.ORPHAN
    if FOREGROUND_FINALIZER in objects.finalizers(obj):
        return Propagation.FOREGROUND
    return Propagation.BACKGROUND
