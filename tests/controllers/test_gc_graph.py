from typing import Any

from pykube_cp.controllers.shared.gc_graph import Graph, Identity, Node


def owner_ref(name: str, uid: str, **more: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Pod", "name": name, "uid": uid, **more}


def obj(name: str, *owners: dict[str, Any], namespace: str = "ns", **meta: Any) -> dict[str, Any]:
    return {
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": f"uid-{name}",
            "ownerReferences": list(owners),
            **meta,
        }
    }


class Recorded:
    def __init__(self) -> None:
        self.deletes: list[str] = []
        self.orphans: list[str] = []
        self.reports: list[tuple[str, str]] = []
        self.graph = Graph(
            lambda node: self.deletes.append(node.identity.name),
            lambda node: self.orphans.append(node.identity.name),
            self._report,
        )

    def _report(self, node: Node, ref: dict[str, Any]) -> None:
        self.reports.append((node.identity.name, ref["uid"]))

    def add(self, new: dict[str, Any], old: dict[str, Any] | None = None) -> None:
        self.graph.observe(new, old, "v1", "Pod")

    def remove(self, old: dict[str, Any]) -> None:
        self.graph.forget(old, "v1", "Pod")

    def take(self) -> list[str]:
        taken, self.deletes = sorted(self.deletes), []
        return taken


def test_dependents_of_a_deleted_owner_are_looked_at() -> None:
    seen = Recorded()
    owner = obj("owner")
    seen.add(owner)
    seen.add(obj("child", owner_ref("owner", "uid-owner")))
    assert seen.take() == []
    seen.remove(owner)
    assert seen.take() == ["child"]
    absent = Identity("v1", "Pod", "owner", "uid-owner", "ns")
    assert absent in seen.graph.absent_owners


def test_unseen_owner_is_virtual_until_observed() -> None:
    seen = Recorded()
    seen.add(obj("child", owner_ref("owner", "uid-owner")))
    assert seen.take() == ["owner"]
    virtual = [seen.graph.nodes["uid-owner"].virtual]
    seen.add(obj("owner"))
    virtual.append(seen.graph.nodes["uid-owner"].virtual)
    assert virtual == [True, False]
    assert seen.take() == []


def test_absent_virtual_owner_releases_its_dependents() -> None:
    seen = Recorded()
    seen.add(obj("child", owner_ref("owner", "uid-owner")))
    seen.take()
    seen.graph.forget_absent(seen.graph.nodes["uid-owner"].identity)
    assert "uid-owner" not in seen.graph.nodes
    assert seen.take() == ["child"]


def test_owner_in_another_namespace_is_reported_and_doubted() -> None:
    seen = Recorded()
    seen.add(obj("owner", namespace="elsewhere"))
    seen.add(obj("child", owner_ref("owner", "uid-owner")))
    assert seen.reports == [("child", "uid-owner")]
    assert seen.take() == ["child"]


def test_conflicting_names_for_one_uid_try_the_next_identity() -> None:
    seen = Recorded()
    seen.add(obj("a", owner_ref("first", "uid-x")))
    seen.add(obj("b", owner_ref("second", "uid-x")))
    seen.take()
    first = seen.graph.nodes["uid-x"].identity
    assert first.name == "first"
    seen.graph.forget_absent(first)
    assert seen.graph.nodes["uid-x"].identity.name == "second"
    assert seen.take() == ["a", "second"]


def test_foreground_deletion_waits_for_blocking_dependents() -> None:
    seen = Recorded()
    owner = obj("owner")
    blocking = obj("blocking", owner_ref("owner", "uid-owner", blockOwnerDeletion=True))
    seen.add(owner)
    seen.add(blocking)
    seen.add(obj("other", owner_ref("owner", "uid-owner")))
    going = obj(
        "owner", deletionTimestamp="2026-01-01T00:00:00Z", finalizers=["foregroundDeletion"]
    )
    seen.add(going, owner)
    assert seen.take() == ["blocking", "other", "owner"]
    node = seen.graph.nodes["uid-owner"]
    assert [found.identity.name for found in node.blocking_dependents()] == ["blocking"]
    unblocked = obj("blocking", owner_ref("owner", "uid-owner", blockOwnerDeletion=False))
    seen.add(unblocked, blocking)
    assert seen.take() == ["owner"]
    assert node.blocking_dependents() == []


def test_orphan_finalizer_starts_orphaning_once() -> None:
    seen = Recorded()
    going = obj("owner", deletionTimestamp="2026-01-01T00:00:00Z", finalizers=["orphan"])
    seen.add(going)
    seen.add({**going}, going)
    assert seen.orphans == ["owner"]
