"""Which objects an owner controls: owner references, adoption and release.

An object belongs to the owner its controller reference names, by uid. Orphans that the owner's
selector matches are adopted, owned objects that it no longer matches are released.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from pykube_cp.client.interface import Client, PatchType
from pykube_cp.controllers.shared.errors import raise_all
from pykube_cp.machinery import errors, objects
from pykube_cp.machinery.gvk import GVK, GVR
from pykube_cp.machinery.objects import Object


class AdoptionError(Exception):
    """An orphan could not be adopted, because its would-be owner is gone or going."""


def new_controller_ref(owner: Object, kind: GVK) -> Object:
    # upstream: apimachinery pkg/apis/meta/v1/controller_ref.go NewControllerRef
    return {
        "apiVersion": kind.api_version,
        "kind": kind.kind,
        "name": objects.name(owner),
        "uid": objects.uid(owner),
        "controller": True,
        "blockOwnerDeletion": True,
    }


def is_controlled_by(obj: Object, owner: Object) -> bool:
    ref = objects.controller_of(obj)
    return ref is not None and ref.get("uid") == objects.uid(owner)


def adoption_patch(owner: Object, kind: GVK, child: Object, finalizers: tuple[str, ...]) -> Object:
    """Strategic merge patch; the uid makes it fail on another object of the same name."""
    meta: Object = {
        "ownerReferences": [new_controller_ref(owner, kind)],
        "uid": objects.uid(child),
    }
    if finalizers:
        meta["finalizers"] = list(finalizers)
    return {"metadata": meta}


def release_patch(child_uid: str, owner_uids: Iterable[str], finalizers: Iterable[str]) -> Object:
    """Strategic merge patch that removes owner references and finalizers."""
    # upstream: pkg/controller/controller_ref_manager.go GenerateDeleteOwnerRefStrategicMergeBytes
    meta: Object = {
        "uid": child_uid,
        "ownerReferences": [{"$patch": "delete", "uid": uid} for uid in owner_uids],
    }
    if removed := list(finalizers):
        meta["$deleteFromPrimitiveList/finalizers"] = removed
    return {"metadata": meta}


@dataclass(slots=True)
class ControllerRefManager:
    """Claims objects for one owner during one reconciliation.

    Attributes:
        matches: whether the owner wants the object; looked at for owned objects and orphans.
        finalizers: added at adoption, removed at release.
    """

    # upstream: pkg/controller/controller_ref_manager.go BaseControllerRefManager

    client: Client
    owner: Object
    owner_resource: GVR
    owner_kind: GVK
    child_resource: GVR
    child_kind: str
    matches: Callable[[Object], bool]
    finalizers: tuple[str, ...] = ()
    _checked: bool = field(default=False, init=False)
    _refusal: Exception | None = field(default=None, init=False)

    async def claim(self, candidates: Iterable[Object]) -> list[Object]:
        """Those of ``candidates`` that belong to the owner, adopting and releasing on the way."""
        claimed: list[Object] = []
        failures: list[BaseException] = []
        for candidate in candidates:
            try:
                if await self._claim_one(candidate):
                    claimed.append(candidate)
            except (errors.StatusError, AdoptionError) as error:
                failures.append(error)
        raise_all(failures)
        return claimed

    async def _claim_one(self, child: Object) -> bool:
        ref = objects.controller_of(child)
        if ref is not None:
            return await self._keep_or_release(child, ref)
        if objects.is_deleting(self.owner) or not self.matches(child) or objects.is_deleting(child):
            return False
        try:
            await self._adopt(child)
        except errors.StatusError as error:
            if errors.is_not_found(error):
                return False
            raise
        return True

    async def _keep_or_release(self, child: Object, ref: Object) -> bool:
        if ref.get("uid") != objects.uid(self.owner):
            return False
        if self.matches(child):
            return True
        if not objects.is_deleting(self.owner):
            await self._release(child)
        return False

    async def _adopt(self, child: Object) -> None:
        try:
            await self.ensure_owner_alive()
        except (errors.StatusError, AdoptionError) as error:
            where = f"{objects.namespace(child)}/{objects.name(child)}"
            raise AdoptionError(
                f"can't adopt {self.child_kind} {where} ({objects.uid(child)}): {error}"
            ) from error
        patch = adoption_patch(self.owner, self.owner_kind, child, self.finalizers)
        await self._patch(child, patch)

    async def _release(self, child: Object) -> None:
        owner_uid = objects.uid(self.owner)
        patch = release_patch(objects.uid(child), [owner_uid], self.finalizers)
        try:
            await self._patch(child, patch)
        except errors.StatusError as error:
            # Invalid: it has no owner reference any more, or it is another object by that name.
            if error.reason not in {"NotFound", "Invalid"}:
                raise

    async def _patch(self, child: Object, patch: Object) -> None:
        await self.client.patch(
            self.child_resource,
            objects.name(child),
            patch,
            PatchType.STRATEGIC,
            objects.namespace(child),
        )

    async def ensure_owner_alive(self) -> None:
        """Ask the API, once, whether the owner is still there and not being deleted."""
        if not self._checked:
            self._checked = True
            try:
                await self._recheck()
            except (errors.StatusError, AdoptionError) as error:
                self._refusal = error
        if self._refusal is not None:
            raise self._refusal

    async def _recheck(self) -> None:
        # upstream: pkg/controller/controller_ref_manager.go RecheckDeletionTimestamp
        name, namespace = objects.name(self.owner), objects.namespace(self.owner)
        kind = self.owner_kind.kind
        fresh = await self.client.get(self.owner_resource, name, namespace)
        if objects.uid(fresh) != objects.uid(self.owner):
            raise AdoptionError(
                f"can't recheck DeletionTimestamp: original {kind} {namespace}/{name} is gone: "
                f"got uid {objects.uid(fresh)}, wanted {objects.uid(self.owner)}"
            )
        if objects.is_deleting(fresh):
            raise AdoptionError(
                f"{namespace}/{name} has just been deleted at "
                f"{objects.metadata(fresh)['deletionTimestamp']}"
            )
