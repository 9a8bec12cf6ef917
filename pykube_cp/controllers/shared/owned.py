"""How changes of owned objects wake their owners.

A controlled object wakes the owner its reference names; an orphan wakes every owner that could
adopt it. Creations and deletions are also what ``ctx.expectations`` wait for.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from pykube_cp.client.lister import Lister
from pykube_cp.controllers.interface import ControllerContext
from pykube_cp.controllers.shared import pods as pod_state
from pykube_cp.controllers.shared.selection import selector_of
from pykube_cp.machinery import objects
from pykube_cp.machinery.gvk import GVK, GVR
from pykube_cp.machinery.objects import Object

ORPHANS = "orphans"


def orphan_namespace(obj: Object) -> Iterable[str]:
    """The index ``ORPHANS``: objects without controller by namespace."""
    return (objects.namespace(obj),) if objects.controller_of(obj) is None else ()


ORPHAN_INDEX = {ORPHANS: orphan_namespace}


def owned_and_orphans(lister: Lister, owner: Object) -> list[Object]:
    """Objects that ``owner`` controls, and those of its namespace that nobody does."""
    # upstream: pkg/controller/controller_utils.go FilterPodsByOwner
    return [
        *lister.controlled_by(objects.uid(owner)),
        *lister.by_index(ORPHANS, objects.namespace(owner)),
    ]


@dataclass(frozen=True, slots=True)
class Owners:
    """Owners of one kind, and which of them a change of a child concerns.

    Attributes:
        expects: the controller keeps expectations on its children.
        adopts: the controller adopts orphans that its selector matches.
        availability_slack: seconds after ``minReadySeconds`` at which a pod is looked at again.
    """

    resource: GVR
    kind: GVK
    expects: bool = False
    adopts: bool = True
    availability_slack: float = 0

    def resolve(self, ctx: ControllerContext, child: Object) -> Object | None:
        """The owner that the child's controller reference means."""
        ref = objects.controller_of(child)
        if ref is None or ref.get("kind") != self.kind.kind:
            return None
        owner = ctx.lister(self.resource).named(ref["name"], objects.namespace(child))
        return owner if owner is not None and objects.uid(owner) == ref["uid"] else None

    def selecting(self, ctx: ControllerContext, child: Object) -> list[Object]:
        """Owners that could adopt the child."""
        labels = objects.labels(child)
        if not self.adopts or not labels:
            return []
        owners = ctx.lister(self.resource).list(objects.namespace(child))
        return [owner for owner in owners if selector_of(owner).selects(labels)]

    def changed(
        self, ctx: ControllerContext, old: Object | None, new: Object | None
    ) -> Iterable[str]:
        """Keys of owners that a change of a child concerns."""
        if new is None:
            return self._deleted(ctx, old) if old is not None else ()
        if objects.is_deleting(new):
            # Seen as a deletion already now; a restart may show it in this state first.
            return self._going(ctx, old, new)
        return self._added(ctx, new) if old is None else self._updated(ctx, old, new)

    def _added(self, ctx: ControllerContext, child: Object) -> Iterable[str]:
        if objects.controller_of(child) is None:
            return map(objects.key, self.selecting(ctx, child))
        owner = self.resolve(ctx, child)
        if owner is None:
            return ()
        if self.expects:
            ctx.expectations.creation_observed(objects.key(owner))
        return (objects.key(owner),)

    def _updated(self, ctx: ControllerContext, old: Object, new: Object) -> Iterable[str]:
        keys: list[str] = []
        ref, old_ref = objects.controller_of(new), objects.controller_of(old)
        if ref != old_ref and old_ref is not None:
            keys += _keys(self.resolve(ctx, old))
        if ref is not None:
            owner = self.resolve(ctx, new)
            self._watch_availability(ctx, owner, old, new)
            keys += _keys(owner)
        elif ref != old_ref or objects.labels(new) != objects.labels(old):
            keys += map(objects.key, self.selecting(ctx, new))
        return keys

    def _watch_availability(
        self, ctx: ControllerContext, owner: Object | None, old: Object, new: Object
    ) -> None:
        """A pod that just became ready is available a while later, which nothing announces."""
        seconds = objects.nested(owner, "spec", "minReadySeconds", default=0)
        if owner is None or seconds <= 0:
            return
        if pod_state.is_ready(new) and not pod_state.is_ready(old):
            ctx.queue.add_after(objects.key(owner), seconds + self.availability_slack)

    def _going(self, ctx: ControllerContext, old: Object | None, new: Object) -> Iterable[str]:
        keys = [*self._deleted(ctx, new)]
        if old is not None and objects.labels(old) != objects.labels(new):
            keys += self._deleted(ctx, old)
        return keys

    def _deleted(self, ctx: ControllerContext, child: Object) -> Iterable[str]:
        owner = self.resolve(ctx, child)
        if owner is None:
            return ()
        if self.expects:
            ctx.expectations.deletion_observed(objects.key(owner), objects.uid(child))
        return (objects.key(owner),)


def _keys(owner: Object | None) -> Iterable[str]:
    return () if owner is None else (objects.key(owner),)
