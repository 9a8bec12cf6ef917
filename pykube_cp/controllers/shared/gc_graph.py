"""Who owns whom: a graph over the uids of all objects, kept from their events.

An owner that a reference names but nobody has seen is a *virtual* node until it is observed or
found to be absent. Events change the graph at once; what may have to be deleted or orphaned as a
consequence is handed to two callbacks, which queue it.
"""

# upstream: pkg/controller/garbagecollector/graph_builder.go, graph.go

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from pykube_cp.machinery import objects
from pykube_cp.machinery.objects import Object

ORPHAN_FINALIZER = "orphan"
FOREGROUND_FINALIZER = "foregroundDeletion"
_ABSENT_OWNERS_KEPT = 500


class Identity(NamedTuple):
    """Which object: as an owner reference names it, and its namespace."""

    api_version: str
    kind: str
    name: str
    uid: str
    namespace: str

    def __str__(self) -> str:
        return (
            f"[{self.api_version}/{self.kind}, namespace: {self.namespace}, "
            f"name: {self.name}, uid: {self.uid}]"
        )

    @classmethod
    def of(cls, obj: Object, api_version: str, kind: str) -> "Identity":
        meta = objects.metadata(obj)
        return cls(
            api_version, kind, meta.get("name", ""), meta.get("uid", ""), meta.get("namespace", "")
        )

    @classmethod
    def of_owner(cls, ref: Object, namespace: str) -> "Identity":
        return cls(*coordinates(ref), namespace)


def coordinates(ref: Object) -> tuple[str, str, str, str]:
    """What an owner reference says about the owner."""
    return (
        ref.get("apiVersion", ""),
        ref.get("kind", ""),
        ref.get("name", ""),
        ref.get("uid", ""),
    )


@dataclass(eq=False, slots=True)
class Node:
    """An object in the graph. Compared by identity of the node, not by value."""

    identity: Identity
    owners: list[Object] = field(default_factory=list)
    dependents: set["Node"] = field(default_factory=set)
    virtual: bool = False
    being_deleted: bool = False
    deleting_dependents: bool = False

    def blocking_dependents(self) -> list["Node"]:
        """Dependents that must be gone before a foreground deletion of this node ends."""
        return [dependent for dependent in self.dependents if self._is_blocked_by(dependent)]

    def _is_blocked_by(self, dependent: "Node") -> bool:
        return any(
            ref.get("uid") == self.identity.uid and ref.get("blockOwnerDeletion")
            for ref in dependent.owners
        )

    def replaced(self, identity: Identity) -> "Node":
        """A copy of this node under another identity."""
        return Node(
            identity,
            list(self.owners),
            set(self.dependents),
            self.virtual,
            self.being_deleted,
            self.deleting_dependents,
        )


class AbsentOwners:
    """The last few hundred owners that are known not to exist."""

    def __init__(self) -> None:
        self._known: OrderedDict[Identity, None] = OrderedDict()

    def add(self, identity: Identity) -> None:
        self._known[identity] = None
        self._known.move_to_end(identity)
        if len(self._known) > _ABSENT_OWNERS_KEPT:
            self._known.popitem(last=False)

    def __contains__(self, identity: Identity) -> bool:
        return identity in self._known


class Graph:
    """All nodes by uid.

    Args:
        attempt_to_delete: called with a node that may have to go.
        attempt_to_orphan: called with an owner whose dependents are to lose it.
        report_invalid_owner: called with a dependent and the reference to an owner that lives in
            another namespace.
    """

    def __init__(
        self,
        attempt_to_delete: Callable[[Node], None],
        attempt_to_orphan: Callable[[Node], None],
        report_invalid_owner: Callable[[Node, Object], None],
    ) -> None:
        self.nodes: dict[str, Node] = {}
        self.absent_owners = AbsentOwners()
        self._attempt_to_delete = attempt_to_delete
        self._attempt_to_orphan = attempt_to_orphan
        self._report_invalid_owner = report_invalid_owner

    # Events

    def observe(self, obj: Object, old: Object | None, api_version: str, kind: str) -> None:
        """An object was added (``old`` is None) or updated."""
        identity = Identity.of(obj, api_version, kind)
        node = self._observed(identity)
        if node is None:
            node = Node(
                identity,
                owners=objects.owner_references(obj),
                being_deleted=objects.is_deleting(obj),
                deleting_dependents=_is_deleting_with(obj, FOREGROUND_FINALIZER),
            )
            self.nodes[identity.uid] = node
            self._add_to_owners(node, node.owners)
        else:
            self._update_owners(node, objects.owner_references(obj))
            node.being_deleted = node.being_deleted or objects.is_deleting(obj)
        self._process_transitions(node, obj, old)

    def forget(self, obj: Object, api_version: str, kind: str) -> None:
        """An object was deleted."""
        identity = Identity.of(obj, api_version, kind)
        node = self._observed(identity)
        if node is not None:
            self._remove(node, identity)

    def forget_absent(self, identity: Identity) -> None:
        """An object that a node stands for was looked up and is not there."""
        # upstream: graph_builder.go processGraphChanges, the case of virtual delete events
        node = self.nodes.get(identity.uid)
        if node is None:
            return
        matching, others = partition_dependents(node.dependents, identity)
        if node.virtual and others:
            self._retry_absent(matching, identity)
            if node.identity == identity:
                self._try_alternate(node, others)
        elif not node.virtual and node.identity != identity:
            self._retry_absent(matching, identity)
        else:
            self._remove(node, identity)

    # Steps

    def _observed(self, identity: Identity) -> Node | None:
        """The node for an object that was really seen, no longer virtual."""
        node = self.nodes.get(identity.uid)
        if node is None or not node.virtual:
            return node
        if node.identity != identity:
            _, doubtful = partition_dependents(node.dependents, identity)
            for dependent in doubtful:
                if identity.namespace and dependent.identity.namespace != identity.namespace:
                    self._report(dependent, identity.uid)
                self._attempt_to_delete(dependent)
            node = node.replaced(identity)
            self.nodes[identity.uid] = node
        node.virtual = False
        return node

    def _add_to_owners(self, node: Node, owners: Iterable[Object]) -> None:
        doubtful = False
        for ref in owners:
            owner = self.nodes.get(ref.get("uid", ""))
            if owner is None:
                owner = Node(Identity.of_owner(ref, node.identity.namespace), virtual=True)
                self.nodes[owner.identity.uid] = owner
                owner.dependents.add(node)
                self._attempt_to_delete(owner)
                continue
            owner.dependents.add(node)
            doubtful = doubtful or self._is_doubtful(node, owner, ref)
        if doubtful:
            self._attempt_to_delete(node)

    def _is_doubtful(self, node: Node, owner: Node, ref: Object) -> bool:
        """Whether a reference may not mean the node that has its uid."""
        elsewhere = owner.identity.namespace != node.identity.namespace
        if owner.identity.namespace and elsewhere:
            if not owner.virtual:
                self._report(node, owner.identity.uid)
            return True
        if coordinates(ref) != owner.identity[:4]:
            return True
        return elsewhere and owner.virtual

    def _report(self, node: Node, owner_uid: str) -> None:
        ref = next((ref for ref in node.owners if ref.get("uid") == owner_uid), None)
        if ref is not None:
            self._report_invalid_owner(node, ref)

    def _update_owners(self, node: Node, current: list[Object]) -> None:
        before = {ref.get("uid", ""): ref for ref in node.owners}
        after = {ref.get("uid", ""): ref for ref in current}
        if before == after:
            return
        for uid, ref in before.items():
            unblocked = not after.get(uid, {}).get("blockOwnerDeletion")
            if ref.get("blockOwnerDeletion") and unblocked and uid in self.nodes:
                self._attempt_to_delete(self.nodes[uid])
        node.owners = current
        self._add_to_owners(node, [ref for uid, ref in after.items() if uid not in before])
        for uid in before.keys() - after.keys():
            if uid in self.nodes:
                self.nodes[uid].dependents.discard(node)

    def _process_transitions(self, node: Node, obj: Object, old: Object | None) -> None:
        if _starts_with(obj, old, ORPHAN_FINALIZER):
            self._attempt_to_orphan(node)
        elif _starts_with(obj, old, FOREGROUND_FINALIZER):
            node.deleting_dependents = True
            for dependent in list(node.dependents):
                self._attempt_to_delete(dependent)
            self._attempt_to_delete(node)

    def _remove(self, node: Node, identity: Identity) -> None:
        self.nodes.pop(node.identity.uid, None)
        owners = [self.nodes.get(ref.get("uid", "")) for ref in node.owners]
        for owner in owners:
            if owner is not None:
                owner.dependents.discard(node)
        if node.dependents:
            self.absent_owners.add(identity)
        for dependent in list(node.dependents):
            self._attempt_to_delete(dependent)
        for owner in owners:
            if owner is not None and owner.deleting_dependents:
                self._attempt_to_delete(owner)

    def _retry_absent(self, dependents: list[Node], identity: Identity) -> None:
        if dependents:
            self.absent_owners.add(identity)
        for dependent in dependents:
            self._attempt_to_delete(dependent)

    def _try_alternate(self, node: Node, dependents: list[Node]) -> None:
        """Dependents disagree about who the owner is: look for the next one they name."""
        alternate = _alternate_identity(dependents, node.identity)
        if alternate is not None:
            replacement = node.replaced(alternate)
            self.nodes[alternate.uid] = replacement
            self._attempt_to_delete(replacement)


def _is_deleting_with(obj: Object, finalizer: str) -> bool:
    return objects.is_deleting(obj) and finalizer in objects.finalizers(obj)


def _starts_with(obj: Object, old: Object | None, finalizer: str) -> bool:
    if not _is_deleting_with(obj, finalizer):
        return False
    return old is None or not _is_deleting_with(old, finalizer)


def partition_dependents(
    dependents: Iterable[Node], owner: Identity
) -> tuple[list[Node], list[Node]]:
    """Dependents that mean exactly this owner, and those that mean another one by its uid."""
    matching: list[Node] = []
    others: list[Node] = []
    for dependent in dependents:
        if owner.namespace and owner.namespace != dependent.identity.namespace:
            others.append(dependent)
            continue
        refs = [ref for ref in dependent.owners if ref.get("uid") == owner.uid]
        same = [coordinates(ref) == owner[:4] for ref in refs]
        if any(same):
            matching.append(dependent)
        if not all(same):
            others.append(dependent)
    return matching, others


def _alternate_identity(dependents: Iterable[Node], absent: Identity) -> Identity | None:
    """The next identity after ``absent``, in a fixed order, that dependents name for the uid."""
    # upstream: graph_builder.go getAlternateOwnerIdentity
    candidates: set[Identity] = set()
    for dependent in dependents:
        namespace = dependent.identity.namespace
        for ref in dependent.owners:
            if ref.get("uid") != absent.uid:
                continue
            candidate = Identity.of_owner(ref, namespace)
            if not absent.namespace and candidate[:2] == absent[:2]:
                candidate = candidate._replace(namespace="")
            candidates.add(candidate)
    candidates.discard(absent)
    ordered = sorted(candidates, key=_order)
    following = [candidate for candidate in ordered if _order(candidate) > _order(absent)]
    return next(iter(following or ordered), None)


def _order(identity: Identity) -> tuple[str, ...]:
    return (
        identity.kind,
        identity.api_version,
        identity.namespace,
        identity.name,
        identity.uid,
    )
