from typing import Any

import pytest

from pykube_cp.api import lists, versions
from pykube_cp.machinery.codec.catalog import PROTOBUF as CODEC
from tests.api.serving import PROTOBUF, Answer, Api, config_map, next_of, pod

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def filled(api: Api, *names: str) -> str:
    """The path of a new namespace's config maps, with some in it; labels are l=<name>."""
    path = await api.namespace() + "/configmaps"
    for name in names:
        await put(api, path, name)
    return path


async def put(api: Api, path: str, name: str) -> Answer:
    body = config_map(name)
    body["metadata"]["labels"] = {"l": name}
    answer = await api("POST", path, body)
    assert answer.status == 201
    return answer


def names(answer: Answer) -> list[str]:
    return [item["metadata"]["name"] for item in answer.json["items"]]


# Lists.


async def test_lists_are_in_order_and_never_null(api: Api) -> None:
    path = await filled(api)
    empty = (await api("GET", path)).json
    assert (empty["kind"], empty["apiVersion"], empty["items"]) == ("ConfigMapList", "v1", [])
    for name in ("b", "a", "a.b", "a-b"):
        await put(api, path, name)
    assert names(await api("GET", path)) == ["a", "a-b", "a.b", "b"]


@pytest.mark.parametrize("piece", [100, lists.PIECE])
async def test_large_lists_come_in_pieces(
    api: Api, monkeypatch: pytest.MonkeyPatch, piece: int
) -> None:
    path = await filled(api, "a", "b", "c", "d")
    monkeypatch.setattr(lists, "PIECE", piece)
    monkeypatch.setattr(lists, "_ENCODED_AT_ONCE", 2)
    in_json = await api("GET", path)
    assert names(in_json) == ["a", "b", "c", "d"]
    assert int(in_json.headers["Content-Length"]) == len(in_json.body)
    for _ in range(2):
        in_protobuf = await api("GET", path, accept=PROTOBUF)
        assert in_protobuf.headers["Content-Type"] == PROTOBUF
        assert CODEC.decode(in_protobuf.body)["items"] == in_json.json["items"]
    assert (await api("HEAD", path)).body == b""


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("labelSelector=l%3Da", ["a"]),
        ("labelSelector=l+in+(a,c)", ["a", "c"]),
        ("labelSelector=l+notin+(a,c)", ["b"]),
        ("labelSelector=!l", []),
        ("labelSelector=l,l!%3Db", ["a", "c"]),
        ("fieldSelector=metadata.name%3Db", ["b"]),
        ("fieldSelector=metadata.name!%3Db", ["a", "c"]),
        ("fieldSelector=metadata.name%3D%3Db&labelSelector=l%3Da", []),
        ("fieldSelector=metadata.namespace%3Dother", []),
    ],
)
async def test_selectors(api: Api, query: str, found: list[str]) -> None:
    path = await filled(api, "a", "b", "c")
    assert names(await api("GET", f"{path}?{query}")) == found


async def test_pods_are_selected_by_more_fields(api: Api) -> None:
    path = await api.namespace() + "/pods"
    body = pod("on")
    body["spec"]["nodeName"] = "n1"
    await api("POST", path, body)
    await api("POST", path, pod("off"))
    assert names(await api("GET", path + "?fieldSelector=spec.nodeName%3Dn1")) == ["on"]
    assert names(await api("GET", path + "?fieldSelector=spec.nodeName%3D")) == ["off"]
    selector = "fieldSelector=status.phase%3DPending,spec.restartPolicy%3DAlways"
    assert names(await api("GET", f"{path}?{selector}")) == ["off", "on"]


async def test_selectors_that_make_no_sense(api: Api) -> None:
    path = await filled(api)
    for query in ("labelSelector=a+in", "fieldSelector=data.x%3D1", "limit=x"):
        answer = await api("GET", f"{path}?{query}")
        assert (answer.status, answer.json["reason"]) == (400, "BadRequest")
    answer = await api("GET", "/api/v1/pods?fieldSelector=spec.colour%3D1")
    assert answer.message == "field label not supported: spec.colour"


async def test_pages_show_one_moment(api: Api) -> None:
    path = await filled(api, "a", "b", "c", "d", "e")
    first = await api("GET", path + "?limit=2")
    meta = first.json["metadata"]
    assert names(first) == ["a", "b"]
    assert meta["remainingItemCount"] == 3
    await api("DELETE", path + "/c")
    await put(api, path, "b2")
    second = await api("GET", f"{path}?limit=2&continue={meta['continue']}")
    assert names(second) == ["c", "d"]
    assert second.version == first.version
    token = second.json["metadata"]["continue"]
    last = await api("GET", f"{path}?limit=2&continue={token}")
    assert names(last) == ["e"]
    assert not {"continue", "remainingItemCount"} & set(last.json["metadata"])
    selected = await api("GET", path + "?limit=1&labelSelector=l")
    assert "remainingItemCount" not in selected.json["metadata"]


async def test_a_full_page_promises_more_while_anything_follows(api: Api) -> None:
    path = await filled(api, "a", "b", "c")
    first = await api("GET", f"{path}?limit=1&fieldSelector=metadata.name!%3Da,metadata.name!%3Dc")
    meta = first.json["metadata"]
    assert names(first) == ["b"]
    second = await api("GET", f"{path}?limit=1&continue={meta['continue']}")
    assert names(second) == ["c"]
    others = "fieldSelector=metadata.name!%3Dc&labelSelector=!nobody"
    old = f"resourceVersion={first.version}&resourceVersionMatch=Exact"
    await api("DELETE", path + "/c")
    for query in ("", f"&{old}"):
        page = await api("GET", f"{path}?limit=2&{others}{query}")
        assert names(page) == ["a", "b"]
        assert ("continue" in page.json["metadata"]) is bool(query)


async def test_a_page_that_is_too_old_offers_another_way(api: Api) -> None:
    path = await filled(api, "a", "b", "c")
    first = await api("GET", path + "?limit=1")
    await api("DELETE", path + "/b")
    await put(api, path, "d")
    await api.server.storage.compact(api.server.storage.revision)
    answer = await api("GET", f"{path}?limit=1&continue={first.json['metadata']['continue']}")
    assert (answer.status, answer.json["reason"]) == (410, "Expired")
    assert answer.message.startswith("The provided continue parameter is too old")
    token = answer.json["metadata"]["continue"]
    assert names(await api("GET", f"{path}?continue={token}")) == ["c", "d"]
    for token in ("x", "e30"):
        assert (await api("GET", f"{path}?continue={token}")).status == 400


async def test_versions_of_lists(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    path = await filled(api, "a")
    then = await api("GET", path)
    await put(api, path, "b")
    exact = f"{path}?resourceVersion={then.version}&resourceVersionMatch=Exact"
    answer = await api("GET", exact)
    assert (names(answer), answer.version) == (["a"], then.version)
    newer = f"{path}?resourceVersion={then.version}&resourceVersionMatch=NotOlderThan"
    assert names(await api("GET", newer)) == ["a", "b"]
    assert names(await api("GET", f"{path}?resourceVersion={then.version}")) == ["a", "b"]
    assert names(await api("GET", f"{path}?resourceVersion={then.version}&limit=5")) == ["a"]
    assert names(await api("GET", f"{path}?resourceVersion=0&limit=1")) == ["a", "b"]
    monkeypatch.setattr(versions, "FRESH_SECONDS", 0.01)
    answer = await api("GET", f"{path}?resourceVersion=999999")
    assert (answer.status, answer.json["reason"]) == (504, "Timeout")
    assert answer.message.startswith("Timeout: Too large resource version: 999999, current: ")
    assert answer.json["details"]["causes"][0]["reason"] == "ResourceVersionTooLarge"
    await put(api, path, "c")
    await api.server.storage.compact(api.server.storage.revision)
    answer = await api("GET", exact)
    assert (answer.status, answer.json["reason"]) == (410, "Expired")
    assert answer.message == "The resourceVersion for the provided list is too old."


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("resourceVersionMatch=Exact", "forbidden unless resourceVersion is provided"),
        ("resourceVersion=0&resourceVersionMatch=Exact", 'forbidden for resourceVersion "0"'),
        ("resourceVersion=5&resourceVersionMatch=About", 'Unsupported value: "About"'),
        ("sendInitialEvents=true", "sendInitialEvents is forbidden for list"),
        ("watch=1&sendInitialEvents=true", "requires setting resourceVersionMatch"),
        ("watch=1&resourceVersionMatch=NotOlderThan", "is forbidden for watch unless"),
    ],
)
async def test_options_that_do_not_go_together(api: Api, query: str, text: str) -> None:
    answer = await api("GET", f"/api/v1/configmaps?{query}")
    assert answer.status == 422
    assert answer.json["details"]["kind"] == "ListOptions"
    assert text in answer.message


# Watches.


def told(events: list[Any]) -> list[tuple[str, str]]:
    return [(event["type"], event["object"]["metadata"].get("name", "")) for event in events]


async def test_a_watch_without_version_begins_with_what_is_there(api: Api) -> None:
    path = await filled(api, "a", "b")
    async with api.watch(path + "?watch=1") as events:
        assert told(await next_of(events, 2)) == [("ADDED", "a"), ("ADDED", "b")]
        created = await put(api, path, "c")
        (event,) = await next_of(events)
        assert event == {"type": "ADDED", "object": created.json}


async def test_a_watch_tells_what_a_deleted_object_was(api: Api) -> None:
    path = await filled(api, "a")
    version = (await api("GET", path)).version
    async with api.watch(f"{path}?watch=true&resourceVersion={version}") as events:
        await api("DELETE", path + "/a")
        (event,) = await next_of(events)
    assert told([event]) == [("DELETED", "a")]
    assert event["object"]["metadata"]["labels"] == {"l": "a"}
    assert int(event["object"]["metadata"]["resourceVersion"]) > int(version)


async def test_an_object_that_leaves_a_selection_is_deleted_for_it(api: Api) -> None:
    path = await filled(api, "a")
    version = (await api("GET", path)).version
    query = f"?watch=true&resourceVersion={version}&labelSelector=l%3Da"
    patch = {"metadata": {"labels": {"l": "b"}}}
    async with api.watch(path + query) as events, api.watch(path + query) as _:
        await api("PATCH", path + "/a", patch, "application/merge-patch+json")
        (event,) = await next_of(events)
    assert event["type"] == "DELETED"
    assert event["object"]["metadata"]["labels"] == {"l": "a"}
    assert event["object"]["metadata"]["resourceVersion"] == (await api("GET", path + "/a")).version
    async with api.watch(path + query) as events:
        assert await next_of(events) == [event]


async def test_initial_events_end_with_a_bookmark(api: Api) -> None:
    path = await filled(api, "a")
    query = "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"
    async with api.watch(f"{path}?{query}&allowWatchBookmarks=true") as events:
        added, bookmark = await next_of(events, 2)
    assert added["type"] == "ADDED"
    assert bookmark["type"] == "BOOKMARK"
    end = bookmark["object"]
    assert (end["kind"], end["apiVersion"]) == ("ConfigMap", "v1")
    assert end["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
    assert int(end["metadata"]["resourceVersion"]) >= int(
        added["object"]["metadata"]["resourceVersion"]
    )


async def test_a_watch_may_leave_out_what_is_there(api: Api) -> None:
    path = await filled(api, "a")
    query = "watch=1&sendInitialEvents=false&resourceVersionMatch=NotOlderThan"
    async with api.watch(f"{path}?{query}") as events:
        await put(api, path, "b")
        assert told(await next_of(events)) == [("ADDED", "b")]


async def test_a_watch_from_a_compacted_version_ends_with_410(api: Api) -> None:
    path = await filled(api, "a")
    other = (await api("GET", "/api/v1/secrets")).json["metadata"]["resourceVersion"]
    await put(api, path, "b")
    cache = api.server.services.caches._caches["/registry/core/configmaps/"]
    cache._log.clear()
    cache._log_from = api.server.storage.revision
    await api.server.storage.compact(api.server.storage.revision)
    async with api.watch(f"{path}?watch=1&resourceVersion={other}") as events:
        (event,) = await next_of(events)
        assert event["type"] == "ERROR"
        status = event["object"]
        assert (status["kind"], status["code"], status["reason"]) == ("Status", 410, "Expired")
        assert status["message"].startswith(f"too old resource version: {other} (")
        with pytest.raises(StopAsyncIteration):
            await next_of(events)


async def test_watches_stay_in_their_namespace(api: Api) -> None:
    """Also when they are found by node: the index knows nothing of namespaces."""
    mine, other = await api.namespace() + "/pods", await api.namespace() + "/pods"
    version = (await api("GET", mine)).version
    body = pod("p")
    body["spec"]["nodeName"] = "shared"
    for selector in ("spec.nodeName%3Dshared", "metadata.name%3Dp", "metadata.name!%3Dq"):
        query = f"?watch=1&resourceVersion={version}&fieldSelector={selector}"
        async with api.watch(mine + query) as events:
            for path in (other, mine):
                assert (await api("POST", path, body)).status == 201
            (event,) = await next_of(events)
            assert event["object"]["metadata"]["namespace"] in mine
            for path in (other, mine):
                await api("DELETE", path + "/p?gracePeriodSeconds=0")
        version = (await api("GET", mine)).version


async def test_one_object_can_be_watched(api: Api) -> None:
    path = await filled(api, "a", "b")
    async with api.watch(path.replace("/v1/", "/v1/watch/") + "/a") as events:
        assert told(await next_of(events)) == [("ADDED", "a")]
    assert (await api("GET", path + "/a?watch=1")).json["kind"] == "ConfigMap"


@pytest.mark.parametrize("version", ["", "&resourceVersion=0"])
async def test_a_watch_that_always_began_with_a_list_says_where_it_ends(
    api: Api, version: str
) -> None:
    path = await filled(api, "a")
    async with api.watch(f"{path}?watch=1&allowWatchBookmarks=true{version}") as events:
        added, end = await next_of(events, 2)
    assert (added["type"], end["type"]) == ("ADDED", "BOOKMARK")
    assert end["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


async def test_bookmarks_of_workloads_say_that_they_have_no_replicas(api: Api) -> None:
    path = f"/apis/apps/v1{(await api.namespace()).removeprefix('/api/v1')}/replicasets"
    async with api.watch(path + "?watch=1&allowWatchBookmarks=true") as events:
        (end,) = await next_of(events)
    assert end["object"]["spec"]["replicas"] == 0


async def test_a_watched_list_as_of_the_future_ends_with_an_error(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(versions, "FRESH_SECONDS", 0.01)
    path = await filled(api)
    options = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan"
    async with api.watch(f"{path}?watch=1&resourceVersion=9000000000&{options}") as events:
        (event,) = await next_of(events)
    assert (event["type"], event["object"]["code"]) == ("ERROR", 504)


@pytest.mark.parametrize(
    ("path", "field", "text"),
    [
        ("/apis/storage.k8s.io/v1/storageclasses", "metadata.namespace", ""),
        ("/api/v1/nodes", "metadata.namespace", "field label not supported: metadata.namespace"),
        ("/apis/batch/v1/jobs", "reason", 'field label "reason" not supported for Job'),
        ("/apis/batch/v1/jobs", "metadata.namespace", ""),
        (
            "/apis/apps/v1/replicasets",
            "status.replicas",
            (
                '"status.replicas" is not a known field selector: '
                'only "metadata.name", "metadata.namespace"'
            ),
        ),
        (
            "/apis/resource.k8s.io/v1/resourceslices",
            "reason",
            "field label not supported for resource.k8s.io/v1, Kind=ResourceSlice: reason",
        ),
    ],
)
async def test_what_can_be_selected_by(api: Api, path: str, field: str, text: str) -> None:
    answer = await api("GET", f"{path}?fieldSelector={field}%3Dx")
    assert (answer.status, answer.json.get("message", "")) == (400 if text else 200, text)


async def test_nothing_follows_an_object_that_is_asked_for_by_its_name(api: Api) -> None:
    path = await filled(api, "a", "b")
    version = (await api("GET", path)).version
    await put(api, path, "c")
    for exact in ("", f"&resourceVersion={version}&resourceVersionMatch=Exact"):
        answer = await api("GET", f"{path}?fieldSelector=metadata.name%3Da&limit=1{exact}")
        assert names(answer) == ["a"]
        assert "continue" not in answer.json["metadata"]
