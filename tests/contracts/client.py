"""What every Client must do; each ``check_*`` takes a client with a namespace ``default``.

``CHECKS`` lists them all. They leave nothing behind that matters to one another.
"""

import asyncio
import itertools
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from pykube_cp.client.interface import (
    Client,
    DeleteOptions,
    EventType,
    PatchType,
    WatchEvent,
    WriteOptions,
)
from pykube_cp.machinery import errors, objects
from pykube_cp.machinery.errors import StatusError
from pykube_cp.machinery.gvk import GVR

CONFIG_MAPS = GVR("", "v1", "configmaps")
NAMESPACE = "default"
INITIAL_EVENTS_END = "k8s.io/initial-events-end"
_names = (f"contract-{secrets.token_hex(4)}-{number}" for number in itertools.count())


def config_map(name: str = "", **labels: str) -> dict[str, Any]:
    meta = {"name": name or next(_names), "namespace": NAMESPACE, "labels": labels}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"a": "1"}}


async def make(client: Client, **labels: str) -> dict[str, Any]:
    return await client.create(CONFIG_MAPS, config_map(**labels), NAMESPACE)


async def next_event(events: AsyncIterator[WatchEvent]) -> WatchEvent:
    """The next event that is no bookmark."""
    async with asyncio.timeout(5):
        async for event in events:
            if event.type is not EventType.BOOKMARK:
                return event
    raise AssertionError("the watch ended")


async def check_create_fills_in_what_belongs_to_the_server(client: Client) -> None:
    created = await make(client)
    meta = created["metadata"]
    assert meta["uid"]
    assert int(meta["resourceVersion"]) > 0
    assert meta["creationTimestamp"].endswith("Z")
    assert (created["apiVersion"], created["kind"]) == ("v1", "ConfigMap")
    assert await client.get(CONFIG_MAPS, meta["name"], NAMESPACE) == created


async def check_create_twice_is_refused(client: Client) -> None:
    created = await make(client)
    with pytest.raises(StatusError) as caught:
        await client.create(CONFIG_MAPS, config_map(objects.name(created)), NAMESPACE)
    assert errors.is_already_exists(caught.value)
    assert caught.value.code == 409


async def check_names_are_generated(client: Client) -> None:
    obj = config_map()
    obj["metadata"] = {"generateName": "made-", "namespace": NAMESPACE}
    created = await client.create(CONFIG_MAPS, obj, NAMESPACE)
    assert objects.name(created).startswith("made-")
    assert len(objects.name(created)) == len("made-") + 5


async def check_what_is_absent_is_not_found(client: Client) -> None:
    gone = next(_names)
    for call in (
        client.get(CONFIG_MAPS, gone, NAMESPACE),
        client.update(CONFIG_MAPS, {**config_map(gone)}),
        client.patch(CONFIG_MAPS, gone, {"data": {}}, PatchType.MERGE, NAMESPACE),
        client.delete(CONFIG_MAPS, gone, NAMESPACE),
    ):
        with pytest.raises(StatusError) as caught:
            await call
        assert errors.is_not_found(caught.value), caught.value
        assert caught.value.message == f'configmaps "{gone}" not found'


async def check_a_stale_update_conflicts(client: Client) -> None:
    created = await make(client)
    fresh = {**objects.deep_copy(created), "data": {"a": "2"}}
    updated = await client.update(CONFIG_MAPS, fresh)
    assert int(objects.resource_version(updated)) > int(objects.resource_version(created))
    stale = {**objects.deep_copy(created), "data": {"a": "3"}}
    with pytest.raises(StatusError) as caught:
        await client.update(CONFIG_MAPS, stale)
    assert errors.is_conflict(caught.value)


async def check_an_update_without_version_is_unconditional(client: Client) -> None:
    created = await make(client)
    obj = {**config_map(objects.name(created)), "data": {"a": "2"}}
    updated = await client.update(CONFIG_MAPS, obj)
    assert updated["data"] == {"a": "2"}
    assert objects.uid(updated) == objects.uid(created)


async def check_an_update_that_changes_nothing_keeps_the_version(client: Client) -> None:
    created = await make(client)
    same = await client.update(CONFIG_MAPS, objects.deep_copy(created))
    assert objects.resource_version(same) == objects.resource_version(created)


async def check_patches(client: Client) -> None:
    name = objects.name(await make(client, app="x"))
    merged = await client.patch(
        CONFIG_MAPS, name, {"data": {"a": None, "b": "2"}}, PatchType.MERGE, NAMESPACE
    )
    assert merged["data"] == {"b": "2"}
    strategic = await client.patch(
        CONFIG_MAPS, name, {"metadata": {"labels": {"y": "z"}}}, PatchType.STRATEGIC, NAMESPACE
    )
    assert strategic["metadata"]["labels"] == {"app": "x", "y": "z"}
    operations = [{"op": "replace", "path": "/data/b", "value": "3"}]
    patched = await client.patch(CONFIG_MAPS, name, operations, PatchType.JSON, NAMESPACE)
    assert patched["data"] == {"b": "3"}


async def check_a_write_to_another_uid_is_refused(client: Client) -> None:
    name = objects.name(await make(client))
    other = {"metadata": {"uid": "00000000-0000-0000-0000-000000000000"}}
    with pytest.raises(StatusError) as caught:
        await client.patch(CONFIG_MAPS, name, other, PatchType.STRATEGIC, NAMESPACE)
    assert errors.is_invalid(caught.value)
    assert "metadata.uid: Invalid value" in caught.value.message
    obj = config_map(name)
    obj["metadata"].update(other["metadata"])
    with pytest.raises(StatusError) as caught:
        await client.update(CONFIG_MAPS, obj)
    assert errors.is_conflict(caught.value)
    assert "UID in precondition" in caught.value.message


async def check_dry_run_stores_nothing(client: Client) -> None:
    obj = config_map()
    await client.create(CONFIG_MAPS, obj, NAMESPACE, options=WriteOptions(dry_run=True))
    with pytest.raises(StatusError) as caught:
        await client.get(CONFIG_MAPS, objects.name(obj), NAMESPACE)
    assert errors.is_not_found(caught.value)


async def check_delete_honours_preconditions_and_finalizers(client: Client) -> None:
    obj = config_map()
    obj["metadata"]["finalizers"] = ["example.com/keep"]
    created = await client.create(CONFIG_MAPS, obj, NAMESPACE)
    name = objects.name(created)
    with pytest.raises(StatusError) as caught:
        await client.delete(CONFIG_MAPS, name, NAMESPACE, options=DeleteOptions(uid="other"))
    assert errors.is_conflict(caught.value)
    options = DeleteOptions(uid=objects.uid(created))
    await client.delete(CONFIG_MAPS, name, NAMESPACE, options=options)
    kept = await client.get(CONFIG_MAPS, name, NAMESPACE)
    assert objects.is_deleting(kept)
    released = objects.deep_copy(kept)
    released["metadata"]["finalizers"] = []
    await client.update(CONFIG_MAPS, released)
    with pytest.raises(StatusError) as caught:
        await client.get(CONFIG_MAPS, name, NAMESPACE)
    assert errors.is_not_found(caught.value)


async def check_lists_select_and_page(client: Client) -> None:
    group = next(_names)
    selector = f"group={group}"
    made = [objects.name(await make(client, group=group)) for _ in range(5)]
    await make(client, group="other")
    found = await client.list(CONFIG_MAPS, NAMESPACE, label_selector=selector)
    assert [objects.name(obj) for obj in found.items] == sorted(made)
    assert all(obj["kind"] == "ConfigMap" and obj["apiVersion"] == "v1" for obj in found.items)
    by_name = await client.list(CONFIG_MAPS, NAMESPACE, field_selector=f"metadata.name={made[0]}")
    assert [objects.name(obj) for obj in by_name.items] == [made[0]]
    names: list[str] = []
    page = await client.list(CONFIG_MAPS, NAMESPACE, label_selector=selector, limit=2)
    while True:
        names += [objects.name(obj) for obj in page.items]
        if not page.continue_:
            break
        page = await client.list(
            CONFIG_MAPS, NAMESPACE, label_selector=selector, limit=2, continue_=page.continue_
        )
    assert names == sorted(made)


async def check_delete_collection_takes_what_matches(client: Client) -> None:
    await make(client, group="doomed")
    kept = await make(client, group="kept")
    await client.delete_collection(CONFIG_MAPS, NAMESPACE, label_selector="group=doomed")
    assert not (await client.list(CONFIG_MAPS, NAMESPACE, label_selector="group=doomed")).items
    await client.get(CONFIG_MAPS, objects.name(kept), NAMESPACE)


async def check_a_watch_resumes_after_a_version(client: Client) -> None:
    listed = await client.list(CONFIG_MAPS, NAMESPACE)
    created = await make(client)
    version = listed.resource_version
    async with client.watch(CONFIG_MAPS, NAMESPACE, resource_version=version) as events:
        event = await next_event(events)
        assert (event.type, event.object) == (EventType.ADDED, created)
        changed = {**objects.deep_copy(created), "data": {"a": "2"}}
        updated = await client.update(CONFIG_MAPS, changed)
        event = await next_event(events)
        assert (event.type, event.object) == (EventType.MODIFIED, updated)
        await client.delete(CONFIG_MAPS, objects.name(created), NAMESPACE)
        event = await next_event(events)
        assert event.type is EventType.DELETED
        last = int(objects.resource_version(event.object))
        assert last > int(objects.resource_version(updated))


async def check_a_watch_tells_of_entering_and_leaving_a_selection(client: Client) -> None:
    version = (await client.list(CONFIG_MAPS, NAMESPACE)).resource_version
    created = await make(client, state="out")
    name = objects.name(created)

    async def label(state: str) -> None:
        patch = {"metadata": {"labels": {"state": state}}}
        await client.patch(CONFIG_MAPS, name, patch, PatchType.MERGE, NAMESPACE)

    watching = client.watch(
        CONFIG_MAPS, NAMESPACE, resource_version=version, label_selector="state=in"
    )
    async with watching as events:
        await label("in")
        assert (await next_event(events)).type is EventType.ADDED
        await label("out")
        assert (await next_event(events)).type is EventType.DELETED


async def check_a_watch_can_begin_with_all_there_is(client: Client) -> None:
    group = next(_names)
    made = {objects.name(await make(client, group=group)) for _ in range(3)}
    seen = set()
    watching = client.watch(
        CONFIG_MAPS, NAMESPACE, label_selector=f"group={group}", send_initial_events=True
    )
    async with watching as events, asyncio.timeout(5):
        async for event in events:
            if event.type is EventType.BOOKMARK:
                annotations = objects.annotations(event.object)
                assert annotations.get(INITIAL_EVENTS_END) == "true"
                assert int(objects.resource_version(event.object)) > 0
                break
            assert event.type is EventType.ADDED
            seen.add(objects.name(event.object))
    assert seen == made


async def check_a_watch_ends_after_its_time(client: Client) -> None:
    version = (await client.list(CONFIG_MAPS, NAMESPACE)).resource_version
    watching = client.watch(CONFIG_MAPS, NAMESPACE, resource_version=version, timeout_seconds=1)
    async with asyncio.timeout(5), watching as events:
        assert [event async for event in events if event.type is not EventType.BOOKMARK] == []


async def check_concurrent_updates_all_count(client: Client) -> None:
    name = objects.name(await make(client))

    async def add(key: str) -> None:
        while True:
            fresh = objects.deep_copy(await client.get(CONFIG_MAPS, name, NAMESPACE))
            fresh["data"][key] = "x"
            try:
                await client.update(CONFIG_MAPS, fresh)
            except StatusError as error:
                if not errors.is_conflict(error):
                    raise
            else:
                return

    await asyncio.gather(*(add(f"k{number}") for number in range(8)))
    assert len((await client.get(CONFIG_MAPS, name, NAMESPACE))["data"]) == 9


async def check_discovery_is_reachable(client: Client) -> None:
    response = await client.request("GET", "/apis")
    assert response.status == 200
    assert b'"apps"' in response.body


CHECKS: tuple[Callable[[Client], Awaitable[None]], ...] = (
    check_create_fills_in_what_belongs_to_the_server,
    check_create_twice_is_refused,
    check_names_are_generated,
    check_what_is_absent_is_not_found,
    check_a_stale_update_conflicts,
    check_an_update_without_version_is_unconditional,
    check_an_update_that_changes_nothing_keeps_the_version,
    check_patches,
    check_a_write_to_another_uid_is_refused,
    check_dry_run_stores_nothing,
    check_delete_honours_preconditions_and_finalizers,
    check_lists_select_and_page,
    check_delete_collection_takes_what_matches,
    check_a_watch_resumes_after_a_version,
    check_a_watch_tells_of_entering_and_leaving_a_selection,
    check_a_watch_can_begin_with_all_there_is,
    check_a_watch_ends_after_its_time,
    check_concurrent_updates_all_count,
    check_discovery_is_reachable,
)
