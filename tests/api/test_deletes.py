"""Objects are deleted; what of it a client sees."""

import pytest

from tests.api.serving import MERGE, Api, config_map, created, pod

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_deletion_answers_with_a_status_or_the_object(api: Api) -> None:
    path = await created(api, config_map())
    uid = (await api("GET", path)).json["metadata"]["uid"]
    status = (await api("DELETE", path)).json
    assert (status["kind"], status["status"]) == ("Status", "Success")
    assert status["details"] == {"name": "a", "kind": "configmaps", "uid": uid}
    answer = await api("DELETE", path)
    assert (answer.status, answer.message) == (404, 'configmaps "a" not found')


async def test_finalizers_hold_an_object(api: Api) -> None:
    body = config_map()
    body["metadata"]["finalizers"] = ["example.com/a", "example.com/b"]
    path = await created(api, body)
    marked = (await api("DELETE", path)).json
    assert marked["metadata"]["deletionGracePeriodSeconds"] == 0
    version = marked["metadata"]["resourceVersion"]
    again = await api("DELETE", path)
    assert (again.status, again.version) == (200, version)
    answer = await api("PATCH", path, {"metadata": {"finalizers": ["example.com/c"]}}, MERGE)
    assert answer.status == 422
    assert "no new finalizers can be added if the object is being deleted" in answer.message
    marked["metadata"]["finalizers"] = ["example.com/b"]
    del marked["metadata"]["deletionTimestamp"]
    kept = (await api("PUT", path, marked)).json
    assert kept["metadata"]["deletionTimestamp"]
    last = await api("PATCH", path, {"metadata": {"finalizers": None}}, MERGE)
    assert (last.status, last.json["kind"]) == (200, "ConfigMap")
    assert (await api("GET", path)).status == 404


@pytest.mark.parametrize(
    ("policy", "finalizers"),
    [("Foreground", ["foregroundDeletion"]), ("Orphan", ["orphan"]), ("Background", None)],
)
async def test_propagation_becomes_a_finalizer(
    api: Api, policy: str, finalizers: list[str] | None
) -> None:
    path = await created(api, config_map())
    body = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": policy}
    assert (await api("DELETE", path, body)).status == 200
    answer = await api("GET", path)
    if finalizers is None:
        assert answer.status == 404
    else:
        assert answer.json["metadata"]["finalizers"] == finalizers


async def test_pods_on_nodes_end_gracefully(api: Api) -> None:
    body = pod()
    body["spec"] |= {"nodeName": "n", "terminationGracePeriodSeconds": 20}
    path = await created(api, body)
    marked = (await api("DELETE", path)).json
    assert marked["metadata"]["deletionGracePeriodSeconds"] == 20
    assert marked["metadata"]["generation"] == 2
    shorter = (await api("DELETE", path, {"gracePeriodSeconds": 5})).json["metadata"]
    assert shorter["deletionGracePeriodSeconds"] == 5
    assert shorter["deletionTimestamp"] < marked["metadata"]["deletionTimestamp"]
    longer = (await api("DELETE", path, {"gracePeriodSeconds": 50})).json["metadata"]
    assert longer["deletionGracePeriodSeconds"] == 5
    assert (await api("DELETE", path + "?gracePeriodSeconds=0")).status == 200
    assert (await api("GET", path)).status == 404


async def test_pods_without_a_node_end_at_once(api: Api) -> None:
    path = await created(api, pod())
    assert (await api("DELETE", path)).json["kind"] == "Pod"
    assert (await api("GET", path)).status == 404


async def test_deletions_may_have_conditions(api: Api) -> None:
    path = await created(api, config_map())
    meta = (await api("GET", path)).json["metadata"]
    for wrong in ({"uid": "x"}, {"resourceVersion": "1"}):
        answer = await api("DELETE", path, {"preconditions": wrong})
        assert answer.status == 409
        assert "in the precondition" in answer.message
    answer = await api("DELETE", path, {"propagationPolicy": "Sideways"})
    assert answer.status == 422
    right = {"uid": meta["uid"], "resourceVersion": meta["resourceVersion"]}
    assert (await api("DELETE", path, {"preconditions": right})).status == 200


async def test_collections_are_deleted_by_selection(api: Api) -> None:
    path = await api.namespace() + "/configmaps"
    for name, label in (("a", "x"), ("b", "x"), ("c", "y")):
        body = config_map(name)
        body["metadata"]["labels"] = {"l": label}
        await api("POST", path, body)
    answer = await api("DELETE", path + "?labelSelector=l%3Dx&dryRun=All")
    assert answer.status == 200
    assert len((await api("GET", path)).json["items"]) == 3
    answer = await api("DELETE", path + "?labelSelector=l%3Dx")
    assert answer.status == 200
    assert [item["metadata"]["name"] for item in (await api("GET", path)).json["items"]] == ["c"]
