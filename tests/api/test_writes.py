"""Objects are created and updated; what of it a client sees."""

from typing import Any

import pytest

from tests.api.serving import (
    JSON_PATCH,
    MERGE,
    STRATEGIC,
    Api,
    config_map,
    created,
    pod,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")

MODIFIED = (
    'Operation cannot be fulfilled on configmaps "a": the object has been modified; '
    "please apply your changes to the latest version and try again"
)


async def test_the_server_decides_on_system_metadata(api: Api) -> None:
    path = await api.namespace()
    body = pod(
        uid="mine",
        creationTimestamp="2001-01-01T00:00:00Z",
        generation=7,
        deletionTimestamp="2001-01-01T00:00:00Z",
        selfLink="/x",
    )
    meta = (await api("POST", path + "/pods", body)).json["metadata"]
    assert meta["uid"] != "mine"
    assert meta["generation"] == 1
    assert meta["creationTimestamp"] > "2020"
    assert meta["namespace"] == path.rpartition("/")[2]
    assert not {"deletionTimestamp", "selfLink"} & set(meta)


async def test_an_old_field_is_shown_until_it_would_be_stored(api: Api) -> None:
    path = await api.namespace() + "/configmaps"
    await api("POST", path, config_map("a"))
    change = {"metadata": {"selfLink": "/x"}, "data": {"b": "c"}}
    answer = await api("PATCH", f"{path}/a?dryRun=All", change, MERGE)
    assert answer.json["metadata"]["selfLink"] == "/x"
    answer = await api("PATCH", f"{path}/a", change, MERGE)
    assert "selfLink" not in answer.json["metadata"]


async def test_preconditions_name_the_key_without_its_root_in_a_dry_run(api: Api) -> None:
    path = await api.namespace() + "/configmaps"
    await api("POST", path, config_map("a"))
    body = config_map("a")
    body["metadata"]["uid"] = "1"
    for query, root in (("", "/registry"), ("?dryRun=All", "")):
        answer = await api("PUT", f"{path}/a{query}", body)
        assert answer.status == 409
        assert f"Key: {root}/configmaps/" in answer.message


async def test_names_are_given_or_generated(api: Api) -> None:
    path = await api.namespace() + "/configmaps"
    meta = (await api("POST", path, {"metadata": {"generateName": "x-"}})).json["metadata"]
    assert meta["name"].startswith("x-")
    nameless: list[Any] = [{}, {"metadata": {}}, {"metadata": {"name": "", "generateName": ""}}]
    for body in nameless:
        answer = await api("POST", path, body)
        assert answer.status == 422
        assert "metadata.name: Required value: name or generateName is required" in answer.message
    answer = await api("POST", path, config_map("Not_Valid"))
    assert answer.status == 422
    assert answer.json["details"]["causes"][0]["field"] == "metadata.name"
    answer = await api("POST", path, config_map(), "application/json")
    assert answer.status == 201
    answer = await api("POST", path, config_map())
    assert (answer.status, answer.message) == (409, 'configmaps "a" already exists')
    body = config_map("b")
    body["metadata"]["resourceVersion"] = "1"
    answer = await api("POST", path, body)
    assert answer.message == "resourceVersion should not be set on objects to be created"


async def test_bodies_must_fit_their_url(api: Api) -> None:
    path = await created(api, config_map())
    other = config_map()
    other["metadata"]["namespace"] = "elsewhere"
    answer = await api("PUT", path, other)
    assert (answer.status, answer.message) == (
        400,
        "the namespace of the provided object does not match the namespace sent on the request",
    )
    answer = await api("PUT", path, config_map("b"))
    assert (answer.status, answer.message) == (
        400,
        "the name of the object (b) does not match the name on the URL (a)",
    )


async def test_stale_updates_conflict(api: Api) -> None:
    path = await created(api, config_map())
    old = (await api("GET", path)).json
    assert (await api("PUT", path, {**old, "data": {"a": "1"}})).status == 200
    answer = await api("PUT", path, {**old, "data": {"a": "2"}})
    assert (answer.status, answer.message) == (409, MODIFIED)
    assert answer.json["details"] == {"name": "a", "kind": "configmaps"}
    patch = {"metadata": {"resourceVersion": old["metadata"]["resourceVersion"]}}
    answer = await api("PATCH", path, patch, MERGE)
    assert (answer.status, answer.message) == (409, MODIFIED)


async def test_an_update_inherits_what_it_leaves_out(api: Api) -> None:
    path = await created(api, pod())
    old = (await api("GET", path)).json["metadata"]
    body = (await api("GET", path)).json
    body["metadata"] = {"name": "a", "labels": {"x": "y"}}
    new = (await api("PUT", path, body)).json["metadata"]
    for field in ("uid", "creationTimestamp", "namespace", "generation"):
        assert new[field] == old[field]


async def test_updates_that_change_nothing_write_nothing(api: Api) -> None:
    path = await created(api, config_map(x="y"))
    before = await api("GET", path)
    for method, body, media_type in (
        ("PUT", before.json, "application/json"),
        ("PATCH", {}, MERGE),
        ("PATCH", {"data": {"x": "y", "absent": None}}, STRATEGIC),
        ("PATCH", [{"op": "test", "path": "/data/x", "value": "y"}], JSON_PATCH),
    ):
        answer = await api(method, path, body, media_type)
        assert (answer.status, answer.version) == (200, before.version)
    assert (await api("GET", path)).body == before.body


async def test_numbers_and_booleans_are_not_the_same(api: Api) -> None:
    """Python's ``1 == True`` must not make an update one that changes nothing."""
    path = "/apis/resource.k8s.io/v1/deviceclasses"

    def device_class(value: object) -> dict[str, Any]:
        opaque = {"driver": "d.example.com", "parameters": {"a": value}}
        return {"metadata": {"name": "numbers"}, "spec": {"config": [{"opaque": opaque}]}}

    answer = await api("POST", path, device_class(1))
    assert answer.status == 201, answer.body
    for value in (True, 1, 0, False):
        answer = await api("PUT", path + "/numbers", device_class(value) | answer_version(answer))
        assert answer.status == 200, answer.body
        found = answer.json["spec"]["config"][0]["opaque"]["parameters"]["a"]
        assert found is value


def answer_version(answer: Any) -> dict[str, Any]:
    return {"metadata": {"name": "numbers", "resourceVersion": answer.version}}


async def test_generation_counts_changes_of_the_spec(api: Api) -> None:
    path = await created(api, pod())
    body = (await api("GET", path)).json
    body["metadata"]["labels"] = {"x": "y"}
    body["metadata"]["generation"] = 99
    body = (await api("PUT", path, body)).json
    assert body["metadata"]["generation"] == 1
    body["spec"]["containers"][0]["image"] = "other"
    body = (await api("PUT", path, body)).json
    assert body["metadata"]["generation"] == 2


async def test_status_and_the_rest_are_written_apart(api: Api) -> None:
    path = await created(api, pod())
    body = (await api("GET", path)).json
    assert body["status"]["phase"] == "Pending"
    body["status"]["phase"] = "Failed"
    body["metadata"]["labels"] = {"x": "y"}
    body = (await api("PUT", path, body)).json
    assert body["status"]["phase"] == "Pending"
    body["status"] = {"phase": "Running"}
    body["spec"]["containers"][0]["image"] = "other"
    body = (await api("PUT", path + "/status", body)).json
    assert body["status"]["phase"] == "Running"
    assert body["spec"]["containers"][0]["image"] == "i"
    assert body["metadata"]["generation"] == 1
    patch = {"status": {"message": "m"}, "spec": {"nodeName": "n"}}
    body = (await api("PATCH", path + "/status", patch, MERGE)).json
    assert body["status"]["message"] == "m"
    assert "nodeName" not in body["spec"]
    assert (await api("GET", path + "/status")).json == body


# Dry run and validation of fields.


async def test_dry_runs_store_nothing(api: Api) -> None:
    path = await created(api, config_map())
    before = (await api("GET", path)).body
    folder = path.rpartition("/")[0]
    revision = api.server.storage.revision
    assert (await api("POST", folder + "?dryRun=All", config_map("b"))).status == 201
    assert (await api("POST", folder + "?dryRun=All", config_map("a"))).status == 409
    answer = await api("PATCH", path + "?dryRun=All", {"data": {"x": "y"}}, MERGE)
    assert answer.json["data"] == {"x": "y"}
    assert (await api("DELETE", path + "?dryRun=All")).status == 200
    assert (await api("GET", path)).body == before
    assert api.server.storage.revision == revision
    answer = await api("POST", folder + "?dryRun=Some", config_map("b"))
    assert answer.status == 422
    assert 'dryRun: Unsupported value: ["Some"]: supported values: "All"' in answer.message


async def test_dry_runs_take_no_address(api: Api) -> None:
    path = await api.namespace() + "/services"
    service = {
        "metadata": {"name": "s"},
        "spec": {"clusterIP": "10.96.7.7", "ports": [{"port": 1}]},
    }
    for _ in range(2):
        answer = await api("POST", path + "?dryRun=All", service)
        assert answer.status == 201, answer.body
    assert (await api("POST", path, service)).status == 201


async def test_unknown_fields_are_refused_told_or_dropped(api: Api) -> None:
    path = await api.namespace() + "/configmaps"
    body = b'{"metadata": {"name": "a", "colour": 1}, "extra": 2, "data": {"x": "1", "x": "2"}}'
    answer = await api("POST", path + "?fieldValidation=Strict", body)
    assert answer.status == 400
    assert answer.message == (
        'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: '
        'unknown field "metadata.colour", unknown field "extra", duplicate field "data.x"'
    )
    answer = await api("POST", path + "?fieldValidation=Warn", body)
    assert answer.status == 201
    warnings = answer.headers.getall("Warning")  # type: ignore[attr-defined] # a multidict
    assert warnings == [
        '299 - "unknown field \\"metadata.colour\\""',
        '299 - "unknown field \\"extra\\""',
        '299 - "duplicate field \\"data.x\\""',
    ]
    patch = {"more": 1}
    answer = await api("PATCH", path + "/a?fieldValidation=Strict", patch, MERGE)
    assert answer.status == 422
    assert 'strict decoding error: unknown field "more"' in answer.message
    answer = await api("PATCH", path + "/a?fieldValidation=Ignore", patch, MERGE)
    assert "Warning" not in answer.headers
    assert set(answer.json) == {"kind", "apiVersion", "metadata", "data"}
    answer = await api("PUT", path + "/a?fieldValidation=Sometimes", config_map())
    assert answer.status == 422
