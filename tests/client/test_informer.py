import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from pykube_cp.client.background import background
from pykube_cp.client.informer import Informers, SharedInformer
from pykube_cp.client.interface import DeleteOptions
from pykube_cp.client.reflector import State
from pykube_cp.machinery import errors, objects, selectors
from pykube_cp.machinery.gvk import GVR
from pykube_cp.testing.fake_client import FakeClient

pytestmark = pytest.mark.virtual_time

PODS = GVR("", "v1", "pods")
NODES = GVR("", "v1", "nodes")


def pod(name: str, namespace: str = "ns", **spec: Any) -> dict[str, Any]:
    meta = {"name": name, "namespace": namespace, "labels": {"app": name[0]}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}


class Seen:
    """What a handler was told, in short."""

    def __init__(self, informer: SharedInformer) -> None:
        self.told: list[str] = []
        informer.add_handler(self)

    def on_add(self, obj: dict[str, Any]) -> None:
        self.told.append(f"+{objects.name(obj)}")

    def on_update(self, old: dict[str, Any], new: dict[str, Any]) -> None:
        assert objects.name(old) == objects.name(new)
        self.told.append(f"~{objects.name(new)}")

    def on_delete(self, obj: dict[str, Any]) -> None:
        self.told.append(f"-{objects.name(obj)}")

    def take(self) -> list[str]:
        told, self.told = self.told, []
        return told


@asynccontextmanager
async def running(client: FakeClient) -> AsyncIterator[tuple[SharedInformer, Seen]]:
    informers = Informers(client)
    informer = informers.of(PODS)
    seen = Seen(informer)
    async with background(informers.run()):
        async with asyncio.timeout(600):
            await informers.wait_synced()
        yield informer, seen


async def settle(seconds: float = 0.1) -> None:
    await asyncio.sleep(seconds)


async def update(client: FakeClient, name: str, **spec: Any) -> None:
    found = client.find(PODS, name, "ns")
    changed = objects.deep_copy(found)
    changed["spec"].update(spec)
    await client.update(PODS, changed)


async def test_it_follows_changes_in_order(fake_client: FakeClient) -> None:
    fake_client.seed(pod("a"))
    async with running(fake_client) as (informer, seen):
        assert seen.take() == ["+a"]
        await fake_client.create(PODS, pod("b"), "ns")
        await update(fake_client, "a", nodeName="n")
        await fake_client.delete(PODS, "b", "ns")
        await settle()
        assert seen.take() == ["+b", "~a", "-b"]
        assert informer.lister.get("ns/a") is fake_client.find(PODS, "a", "ns")
        assert len(informer.lister) == 1


async def test_a_late_handler_is_told_what_is_there(fake_client: FakeClient) -> None:
    fake_client.seed(pod("a"))
    async with running(fake_client) as (informer, _):
        late = Seen(informer)
        assert late.take() == ["+a"]


async def test_a_removed_handler_is_told_nothing_more(fake_client: FakeClient) -> None:
    async with running(fake_client) as (informer, seen):
        told: list[str] = []
        registration = informer.on(add=lambda obj: told.append(objects.name(obj)))
        registration.remove()
        await fake_client.create(PODS, pod("a"), "ns")
        await settle()
        assert (told, seen.take()) == ([], ["+a"])


async def test_a_bad_handler_harms_nobody_else(
    fake_client: FakeClient, caplog: pytest.LogCaptureFixture
) -> None:
    informers = Informers(fake_client)
    informer = informers.of(PODS)
    informer.on(add=lambda obj: obj["nonsense"])
    seen = Seen(informer)
    async with background(informers.run()):
        await fake_client.create(PODS, pod("a"), "ns")
        await settle()
    assert seen.take() == ["+a"]
    assert "handler of pods failed for ns/a" in caplog.text


async def test_a_broken_watch_resumes_without_a_new_list(fake_client: FakeClient) -> None:
    fake_client.seed(pod("a"))
    async with running(fake_client) as (informer, seen):
        seen.take()
        fake_client.break_watches()
        await settle()
        await update(fake_client, "a", nodeName="n")
        await settle(5)
        assert seen.take() == ["~a"]
        fake_client.break_watches(errors.internal_error("busy"))
        await update(fake_client, "a", nodeName="m")
        await settle(5)
        assert seen.take() == ["~a"]
        assert informer._reflector.state is State.WATCH


async def test_what_was_missed_is_found_by_listing_again(fake_client: FakeClient) -> None:
    for name in ("a", "b", "c", "d"):
        fake_client.seed(pod(name))
    async with running(fake_client) as (_, seen):
        seen.take()
        fake_client.break_watches()
        fake_client.fail("watch", "pods", ConnectionError("gone"))
        await settle()
        await update(fake_client, "a", nodeName="n")
        fake_client.remove(PODS, "b", "ns")
        fake_client.remove(PODS, "c", "ns")
        fake_client.seed(pod("c"))
        fake_client.seed(pod("e"))
        fake_client.compact()
        await settle(10)
        assert sorted(seen.take()) == ["+c", "+e", "-b", "-c", "~a"]


async def test_it_lists_where_watches_cannot_stream(fake_client: FakeClient) -> None:
    fake_client.seed(pod("a"))
    refusal = errors.invalid(("meta.k8s.io", "ListOptions"), "", [])
    fake_client.fail("watch", "pods", refusal)
    async with running(fake_client) as (informer, seen):
        assert seen.take() == ["+a"]
        assert informer._reflector._streams is False
        assert informer.resource_version == "1"


async def test_it_waits_ever_longer_for_a_server_that_is_down(fake_client: FakeClient) -> None:
    loop = asyncio.get_running_loop()
    fake_client.fail("watch", "pods", ConnectionError("refused"), times=6)
    started = loop.time()
    async with running(fake_client):
        waited = loop.time() - started
    assert waited >= 0.8 * (2**6 - 1) - 0.01
    assert waited <= 2 * 0.8 * (2**6 - 1)


async def test_indexes_follow_changes(fake_client: FakeClient) -> None:
    fake_client.seed(pod("a", nodeName="n"))
    fake_client.seed(pod("b", nodeName="n"))
    async with running(fake_client) as (informer, _):
        informer.add_index("node", lambda obj: (obj["spec"].get("nodeName", ""),))
        lister = informer.lister
        assert [objects.name(obj) for obj in lister.by_index("node", "n")] == ["a", "b"]
        await update(fake_client, "a", nodeName="m")
        await fake_client.delete(PODS, "b", "ns", options=DeleteOptions(grace_period_seconds=0))
        await settle()
        assert [objects.name(obj) for obj in lister.by_index("node", "m")] == ["a"]
        assert lister.by_index("node", "n") == []
        assert set(lister.index_values("node")) == {"m"}
        with pytest.raises(KeyError):
            lister.by_index("unknown", "x")


async def test_listers_select(fake_client: FakeClient) -> None:
    owner = {"kind": "ReplicaSet", "name": "r", "uid": "u", "controller": True}
    owned = pod("a2", "other")
    owned["metadata"]["ownerReferences"] = [owner]
    for obj in (pod("a1"), owned, pod("b1")):
        fake_client.seed(obj)
    async with running(fake_client) as (informer, _):
        lister = informer.lister

        def names(found: list[dict[str, Any]]) -> list[str]:
            return [objects.name(obj) for obj in found]

        assert names(lister.list("ns")) == ["a1", "b1"]
        assert len(lister.list()) == 3
        assert sorted(names(lister.select(selectors.parse("app=a")))) == ["a1", "a2"]
        assert names(lister.select(selectors.parse("app=a"), "ns")) == ["a1"]
        assert names(lister.controlled_by("u")) == ["a2"]
        assert lister.named("a2", "other") is not None
        assert "ns/a1" in lister


async def test_managed_fields_are_not_kept(fake_client: FakeClient) -> None:
    obj = pod("a")
    obj["metadata"]["managedFields"] = [{"manager": "x"}]
    fake_client.seed(obj)
    async with running(fake_client) as (informer, _):
        cached = informer.lister.get("ns/a")
        assert cached is not None
        assert "managedFields" not in cached["metadata"]
        stored = fake_client.find(PODS, "a", "ns")
        assert stored is not None
        assert "managedFields" in stored["metadata"]


async def test_informers_start_those_that_come_later(fake_client: FakeClient) -> None:
    fake_client.seed({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}})
    informers = Informers(fake_client)
    async with background(informers.run()):
        await settle()
        informer = informers.of(NODES)
        assert informers.of(NODES) is informer
        await informers.wait_synced([NODES])
        assert "n" in informers.lister(NODES)
        informers.discard(NODES)
        await settle()
        assert NODES not in informers
        assert fake_client._watchers == []
