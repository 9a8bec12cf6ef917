"""Patches and server-side apply; what of it a client sees."""

import asyncio
from typing import Any

import pytest

from tests.api.serving import (
    APPLY,
    JSON_PATCH,
    MERGE,
    STRATEGIC,
    Answer,
    Api,
    config_map,
    created,
    pod,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")

UNNAMED = "the name of the object (a based on URL) was undeterminable: name must be provided"


def _applied(key: str) -> dict[str, Any]:
    head = {"apiVersion": "v1", "kind": "ConfigMap"}
    return {**head, "metadata": {"name": "a"}, "data": {key: key}}


async def test_patches_at_once_all_come_through(api: Api) -> None:
    path = await api.namespace() + "/configmaps"
    await api("POST", path, config_map())

    async def patch(number: int) -> Answer:
        form = (MERGE, STRATEGIC)[number % 2]
        return await api("PATCH", f"{path}/a", {"data": {f"k{number}": "x"}}, form)

    answers = await asyncio.gather(*(patch(number) for number in range(20)))
    assert {answer.status for answer in answers} == {200}
    data = (await api("GET", f"{path}/a")).json["data"]
    assert {f"k{number}" for number in range(20)} <= set(data)


async def test_one_of_those_who_apply_at_once_creates(api: Api) -> None:
    path = await api.namespace() + "/configmaps/a"

    async def apply(number: int) -> Answer:
        url = f"{path}?fieldManager=m{number}"
        return await api("PATCH", url, _applied(f"k{number}"), APPLY)

    answers = await asyncio.gather(*(apply(number) for number in range(8)))
    assert sorted(answer.status for answer in answers) == [200] * 7 + [201]
    meta = (await api("GET", path)).json["metadata"]
    assert {entry["manager"] for entry in meta["managedFields"]} == {f"m{n}" for n in range(8)}


async def test_a_version_in_a_patch_must_be_that_of_the_object(api: Api) -> None:
    path = await api.namespace() + "/configmaps"
    made = await api("POST", path, config_map())
    patch = {"metadata": {"resourceVersion": made.version}, "data": {"x": "1"}}
    assert (await api("PATCH", f"{path}/a", patch, MERGE)).status == 200
    patch["data"]["x"] = "2"
    answer = await api("PATCH", f"{path}/a", patch, MERGE)
    assert (answer.status, answer.json["reason"]) == (409, "Conflict")


async def test_who_applies_the_same_again_writes_nothing(api: Api) -> None:
    path = await api.namespace() + "/configmaps/a?fieldManager=one"
    first = await api("PATCH", path, _applied("k"), APPLY)
    await asyncio.sleep(1.1)  # so that the time of the entry would be another
    again = await api("PATCH", path, _applied("k"), APPLY)
    assert (again.status, again.version) == (200, first.version)


async def test_scales_say_and_record_who_changed_them(api: Api) -> None:
    path = (await api.namespace()).replace("/api/v1", "/apis/apps/v1") + "/deployments"
    container = {"name": "c", "image": "i"}
    spec = {
        "replicas": 1,
        "selector": {"matchLabels": {"a": "b"}},
        "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [container]}},
    }
    await api("POST", f"{path}?fieldManager=one", {"metadata": {"name": "d"}, "spec": spec})
    url = f"{path}/d/scale?fieldManager=two"
    scale = await api("PATCH", url, {"spec": {"replicas": 3}}, MERGE)
    assert (scale.json["kind"], scale.json["spec"]) == ("Scale", {"replicas": 3})
    entries = (await api("GET", f"{path}/d")).json["metadata"]["managedFields"]
    owned = {entry["manager"]: entry for entry in entries}
    assert owned["two"]["subresource"] == "scale"
    assert owned["two"]["fieldsV1"] == {"f:spec": {"f:replicas": {}}}
    assert "f:replicas" not in owned["one"]["fieldsV1"]["f:spec"]


async def test_a_quoted_object_has_its_members_in_go_s_order(api: Api) -> None:
    path = await api.namespace() + "/configmaps"
    await api("POST", path, config_map())
    patch = {"zzz": 1, "binaryData": {"b": "?", "a": "?"}}
    answer = await api("PATCH", f"{path}/a", patch, MERGE)
    shown = answer.message.partition("Invalid value: ")[2]
    order = [shown.index(f'\\"{name}\\":') for name in ("apiVersion", "binaryData", "kind", "zzz")]
    assert answer.status == 422
    assert order == sorted(order)
    assert '\\"binaryData\\":{\\"a\\":\\"?\\",\\"b\\":\\"?\\"}' in shown


async def test_json_patches_are_all_or_nothing(api: Api) -> None:
    path = await created(api, config_map(x="1"))
    operations = [
        {"op": "replace", "path": "/data/x", "value": "2"},
        {"op": "test", "path": "/data/x", "value": "3"},
    ]
    assert (await api("PATCH", path, operations, JSON_PATCH)).status == 422
    assert (await api("GET", path)).json["data"] == {"x": "1"}
    assert (await api("PATCH", path, b"{", JSON_PATCH)).status == 400
    assert (await api("PATCH", path, {"not": "a list"}, JSON_PATCH)).status == 400


async def test_strategic_patches_merge_lists_by_key(api: Api) -> None:
    path = await created(api, pod())
    patch = {"spec": {"containers": [{"name": "c", "image": "new"}]}}
    containers = (await api("PATCH", path, patch, STRATEGIC)).json["spec"]["containers"]
    assert len(containers) == 1
    assert containers[0]["image"] == "new"
    assert containers[0]["imagePullPolicy"] == "Always"


async def test_patches_of_an_unknown_type_are_refused(api: Api) -> None:
    path = await created(api, config_map())
    answer = await api("PATCH", path, {}, "application/json")
    assert answer.status == 415
    assert answer.json["reason"] == "UnsupportedMediaType"


async def test_apply_makes_owns_and_gives_up_fields(api: Api) -> None:
    path = await api.namespace() + "/configmaps/a"
    config = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"x": "1", "y": "1"}}
    nameless = await api("PATCH", path + "?fieldManager=one", config, APPLY)
    assert (nameless.status, nameless.message) == (400, UNNAMED)
    config["metadata"] = {"name": "a"}
    answer = await api("PATCH", path + "?fieldManager=one", config, APPLY)
    assert answer.status == 201
    (entry,) = answer.json["metadata"]["managedFields"]
    assert (entry["manager"], entry["operation"]) == ("one", "Apply")
    assert entry["fieldsV1"] == {"f:data": {"f:x": {}, "f:y": {}}}
    again = await api("PATCH", path + "?fieldManager=one", config, APPLY)
    assert (again.status, again.version) == (200, answer.version)
    config["data"] = {"x": "1"}
    answer = await api("PATCH", path + "?fieldManager=one", config, APPLY)
    assert answer.json["data"] == {"x": "1"}


async def test_apply_conflicts_name_the_other_manager(api: Api) -> None:
    path = await api.namespace() + "/configmaps/a"
    config = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  x: '1'\n"
    assert (await api("PATCH", path + "?fieldManager=one", config, APPLY)).status == 201
    other = config.replace(b"'1'", b"'2'")
    answer = await api("PATCH", path + "?fieldManager=two", other, APPLY)
    assert answer.status == 409
    assert answer.message == 'Apply failed with 1 conflict: conflict with "one": .data.x'
    assert answer.json["details"]["causes"] == [
        {"reason": "FieldManagerConflict", "message": 'conflict with "one"', "field": ".data.x"}
    ]
    answer = await api("PATCH", path + "?fieldManager=two&force=true", other, APPLY)
    assert answer.json["data"] == {"x": "2"}
    managers = [entry["manager"] for entry in answer.json["metadata"]["managedFields"]]
    assert managers == ["two"]


async def test_apply_needs_a_manager_and_a_kind(api: Api) -> None:
    path = await api.namespace() + "/configmaps/a"
    answer = await api("PATCH", path, config_map(), APPLY)
    assert answer.status == 422
    assert "fieldManager: Required value: is required for apply patch" in answer.message
    answer = await api("PATCH", path + "?fieldManager=m&force=true", {}, MERGE)
    assert answer.status == 422
    assert "force: Forbidden: may not be specified for non-apply patch" in answer.message
    assert (await api("PATCH", path + "?fieldManager=m", b"a: [", APPLY)).status == 400
