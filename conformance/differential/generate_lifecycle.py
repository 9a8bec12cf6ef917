"""Cases about the life of an object of every kind: generations, conditional writes, deletion."""

import json
from collections.abc import Iterator
from typing import Any

from generate import Base, Object, bases, spoil
from script import Case, Step

POLICIES = ("Background", "Foreground", "Orphan")
MERGE = "application/merge-patch+json"
NAMES = {"IPAddress": "10.9.77.{number}", "CSIDriver": "life{number}.example.com"}
"""Kinds whose names are not free."""
TAKEN = ("nodePort", "healthCheckNodePort", "clusterIP", "clusterIPs")
"""What two services cannot both have."""
RESTLESS = {"FlowSchema"}
"""Kinds that the server itself writes soon after they are made."""
KEEP = {"finalizers": ["example.com/keep"]}


def cases() -> Iterator[Case]:
    for base in bases():
        if base.row.kind in RESTLESS:
            continue
        yield _case("lifecycle", base, "changed", 1, _changed)
        yield _case("lifecycle", base, "updated without a version", 2, _unversioned)
        yield _case("lifecycle", base, "deleted", 3, _deleted)
        yield _case("lifecycle", base, "deleted with a finalizer", 4, _finalized)
        yield _case("lifecycle", base, "made by PUT", 5, _made_by_put)
        for number, policy in enumerate(POLICIES, 6):
            name = f"deleted with policy {policy}"
            yield _case("lifecycle", base, name, number, lambda life, p=policy: _policy(life, p))


class _Life:
    """Steps on one object."""

    def __init__(self, base: Base, number: int) -> None:
        self.base = base
        pattern = NAMES.get(base.row.kind, f"{base.name}-life{{number}}")
        self.name = pattern.format(number=number)
        self.obj = base.changed(self._rename)
        self.collection = base.collection
        self.path = f"{self.collection}/{self.name}"

    def _rename(self, obj: Object) -> None:
        obj["metadata"] |= {"name": self.name}
        obj["metadata"].pop("finalizers", None)
        if self.base.row.kind == "Service" and obj["spec"].get("clusterIP") != "None":
            for field in TAKEN:
                obj["spec"].pop(field, None)
                for port in obj["spec"].get("ports") or ():
                    port.pop(field, None)

    def made(self, **meta: Any) -> Step:
        obj = spoil(self.obj, ("metadata",), self.obj["metadata"] | meta)
        return Step(method="POST", path=self.collection, body=obj)

    def read(self, **more: Any) -> Step:
        return Step(method="GET", path=self.path, **more)

    def put(self, obj: Object, query: str = "") -> Step:
        return Step(method="PUT", path=self.path + query, body=obj)

    def patched(self, patch: Object, sub: str = "") -> Step:
        text = json.dumps(patch)
        return Step(method="PATCH", path=self.path + sub, type=MERGE, text=text)

    def deleted(self, query: str = "", body: Object | None = None) -> Step:
        return Step(method="DELETE", path=self.path + query, body=body)


def _case(theme: str, base: Base, name: str, number: int, steps: Any) -> Case:
    made = tuple(steps(_Life(base, number)))
    return Case(theme=theme, name=f"{base.title}: {name}", steps=made, own_namespace=False)


def _changed(life: _Life) -> Iterator[Step]:
    """What counts as a change, and what it does to generation and version."""
    yield life.made()
    yield life.read(save={"version": "metadata.resourceVersion"})
    versioned = life.obj["metadata"] | {"resourceVersion": "{version}"}
    yield life.put(spoil(life.obj, ("metadata",), versioned))
    yield life.patched({})
    yield life.patched({"metadata": {"labels": {"a": "b"}}})
    yield life.patched({"metadata": {"annotations": {"a": "b"}}})
    yield life.patched({"metadata": {"generation": 40, "uid": "2", "creationTimestamp": None}})
    yield life.patched({"metadata": {"creationTimestamp": None, "generation": 40}})
    for field in sorted(life.obj.keys() - {"apiVersion", "kind", "metadata"}):
        for change in _changes(field, life.obj[field]):
            yield life.patched(change)
    if life.base.row.subresource("status"):
        yield life.patched({"metadata": {"labels": {"c": "d"}}}, "/status")
        yield life.patched({"status": {"observedGeneration": 1}}, "/status")
    yield life.put(spoil(life.obj, ("metadata",), versioned))
    yield life.deleted("?gracePeriodSeconds=0")


def _changes(field: str, value: Any) -> Iterator[Object]:
    """Plain members made different, one at a time."""
    if not isinstance(value, dict):
        return
    for key, member in value.items():
        if isinstance(member, bool):
            yield {field: {key: not member}}
        elif isinstance(member, int):
            yield {field: {key: member + 1}}
        elif isinstance(member, str):
            yield {field: {key: f"{member}x"}}
        elif isinstance(member, list):
            yield {field: {key: member[:-1]}}


def _unversioned(life: _Life) -> Iterator[Step]:
    """Which kinds take an update that names no version."""
    yield life.made()
    yield life.put(life.obj)
    zero = life.obj["metadata"] | {"resourceVersion": "0"}
    yield life.put(spoil(life.obj, ("metadata",), zero))
    other = life.obj["metadata"] | {"resourceVersion": "1"}
    yield life.put(spoil(life.obj, ("metadata",), other))
    odd = life.obj["metadata"] | {"resourceVersion": "x"}
    yield life.put(spoil(life.obj, ("metadata",), odd))
    uid = life.obj["metadata"] | {"uid": "11111111-2222-3333-4444-555555555555"}
    yield life.put(spoil(life.obj, ("metadata",), uid))
    yield life.deleted("?gracePeriodSeconds=0")


def _deleted(life: _Life) -> Iterator[Step]:
    yield life.made()
    yield life.deleted("?dryRun=All")
    yield life.read()
    yield life.deleted()
    yield life.read()
    yield life.deleted()


def _finalized(life: _Life) -> Iterator[Step]:
    """A deletion that has to wait, and what may happen meanwhile."""
    yield life.made(**KEEP)
    yield life.deleted("?dryRun=All")
    yield life.deleted("?gracePeriodSeconds=0")
    yield life.deleted("?gracePeriodSeconds=0")
    yield life.patched({"metadata": {"labels": {"a": "b"}}})
    yield life.patched({"metadata": {"finalizers": ["example.com/keep", "example.com/more"]}})
    yield life.patched({"metadata": {"deletionTimestamp": None, "deletionGracePeriodSeconds": 5}})
    yield life.made()
    yield life.patched({"metadata": {"finalizers": None}})
    yield life.read()


def _made_by_put(life: _Life) -> Iterator[Step]:
    """Which kinds an update may create."""
    yield life.put(life.obj, "?dryRun=All")
    yield life.put(life.obj)
    yield life.read()
    uid = {"metadata": {"name": life.name, "uid": "1"}}
    yield life.put({**life.obj, **uid})
    yield life.deleted("?gracePeriodSeconds=0")


def _policy(life: _Life, policy: str) -> Iterator[Step]:
    yield life.made()
    yield life.deleted(body={"propagationPolicy": policy, "gracePeriodSeconds": 0})
    yield life.read()
    yield life.deleted(body={"orphanDependents": True, "gracePeriodSeconds": 0})
    yield life.deleted(body={"propagationPolicy": "Background", "gracePeriodSeconds": 0})
    yield life.patched({"metadata": {"finalizers": None}})
    yield life.read()
