"""What the status endpoint lets pass, keeps, and drops."""

from typing import Any

import pytest

from pykube_cp.resources.shared import job_indexes, pod_status_updates
from tests.api.serving import MERGE, Answer, Api

pytestmark = pytest.mark.asyncio(loop_scope="session")

SPACE = "/api/v1/namespaces/fixtures"
APPS = "/apis/apps/v1/namespaces/fixtures"
TEMPLATE = {
    "metadata": {"labels": {"app": "a"}},
    "spec": {"containers": [{"name": "c", "image": "i"}]},
}
GENERATION = "deprecated.daemonset.template.generation"
PARTIAL = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
DAEMON_SET = {"spec": {"selector": {"matchLabels": {"app": "a"}}, "template": TEMPLATE}}
CLAIM = {"spec": {"devices": {"requests": [{"name": "r", "exactly": {"deviceClassName": "gpu"}}]}}}


async def made(api: Api, path: str, name: str, body: dict[str, Any]) -> str:
    answer = await api("POST", path, {"metadata": {"name": name}} | body)
    assert answer.status == 201, answer.body
    return f"{path}/{name}"


async def put(api: Api, path: str, **body: Any) -> Answer:
    """The status of an object put at the version that it has."""
    version = (await api("GET", path)).version
    meta = {"name": path.rpartition("/")[2], "resourceVersion": version}
    return await api("PUT", f"{path}/status", {"metadata": meta} | body)


async def test_labels_come_from_the_template_that_is_kept(everything: Api) -> None:
    spec = {"spec": {"selector": {"app": "a"}, "template": TEMPLATE}}
    path = await made(everything, f"{SPACE}/replicationcontrollers", "kept", spec)
    answer = await put(everything, path, status={"replicas": 1})
    assert answer.json["metadata"]["labels"] == {"app": "a"}


async def test_labels_of_a_job_come_from_the_template_that_is_kept(everything: Api) -> None:
    pod = {**TEMPLATE["spec"], "restartPolicy": "Never"}
    jobs = "/apis/batch/v1/namespaces/fixtures/jobs"
    path = await made(everything, jobs, "kept", {"spec": {"template": {"spec": pod}}})
    answer = await put(everything, path, spec={"template": {"spec": pod}}, status={"active": 1})
    assert answer.json["metadata"]["labels"]["job-name"] == "kept"


async def test_the_generation_of_a_template_is_no_annotation(everything: Api) -> None:
    path = await made(everything, f"{APPS}/daemonsets", "a", DAEMON_SET)
    status = {"currentNumberScheduled": 1}
    answer = await put(everything, path, **DAEMON_SET, status=status)
    assert answer.json["metadata"]["annotations"] == {GENERATION: "1"}
    partial = await everything("GET", path, Accept=PARTIAL)
    assert "annotations" not in partial.json["metadata"]
    table = await everything("GET", path, Accept=TABLE)
    assert "annotations" not in table.json["rows"][0]["object"]["metadata"]


async def test_what_travels_in_annotations_is_owned_but_no_metadata(everything: Api) -> None:
    spec = {"maxReplicas": 2, "scaleTargetRef": {"apiVersion": "a/v1", "kind": "K", "name": "n"}}
    scalers = "/apis/autoscaling/v1/namespaces/fixtures/horizontalpodautoscalers"
    path = await made(everything, scalers, "a", {"spec": spec})
    status = {"currentReplicas": 1, "desiredReplicas": 1, "currentCPUUtilizationPercentage": 33}
    answer = await put(everything, path, spec=spec, status=status)
    (fields,) = (
        entry["fieldsV1"]
        for entry in answer.json["metadata"]["managedFields"]
        if entry.get("subresource") == "status"
    )
    (name,) = answer.json["metadata"]["annotations"]
    assert f"f:{name}" in fields["f:metadata"]["f:annotations"]
    partial = await everything("GET", path, Accept=PARTIAL)
    assert "annotations" not in partial.json["metadata"]


async def test_conditions_of_an_autoscaler_saw_no_negative_generation(everything: Api) -> None:
    spec = {"maxReplicas": 2, "scaleTargetRef": {"apiVersion": "a/v1", "kind": "K", "name": "n"}}
    scalers = "/apis/autoscaling/v2/namespaces/fixtures/horizontalpodautoscalers"
    path = await made(everything, scalers, "b", {"spec": spec})
    conditions = [{"type": "AbleToScale", "status": "True", "observedGeneration": -1}]
    answer = await put(everything, path, spec=spec, status={"conditions": conditions})
    (cause,) = answer.json["details"]["causes"]
    assert cause["field"] == "status.conditions[0].observedGeneration"


async def test_the_health_of_storage_is_dropped(everything: Api) -> None:
    nodes = "/apis/storage.k8s.io/v1/csinodes"
    path = await made(everything, nodes, "a", {"spec": {"drivers": [{"name": "d", "nodeID": "n"}]}})
    health = [{"name": "d", "healthConditions": []}]
    answer = await put(everything, path, status={"storageHealth": health})
    assert answer.json["status"] == {}
    owned = [entry["fieldsV1"] for entry in answer.json["metadata"].get("managedFields", ())]
    assert any("f:storageHealth" in fields.get("f:status", {}) for fields in owned)


async def test_some_statuses_are_no_tables(everything: Api) -> None:
    claims = "/apis/resource.k8s.io/v1/namespaces/fixtures/resourceclaims"
    path = await made(everything, claims, "a", CLAIM)
    assert (await everything("GET", path, Accept=TABLE)).status == 200
    assert (await everything("GET", f"{path}/status", Accept=TABLE)).status == 406


async def test_kinds_without_declared_rules_say_it_twice(everything: Api) -> None:
    spec = {
        "group": "example.com",
        "version": "v1",
        "groupPriorityMinimum": 1,
        "versionPriority": 1,
    }
    services = "/apis/apiregistration.k8s.io/v1/apiservices"
    path = await made(everything, services, "v1.example.com", {"spec": spec})
    meta = {"deletionTimestamp": "2020-01-01T00:00:00Z"}
    answer = await everything("PATCH", f"{path}/status", {"metadata": meta}, MERGE)
    causes = [cause["field"] for cause in answer.json["details"]["causes"]]
    assert causes == ["metadata.deletionTimestamp"] * 2


async def test_a_pod_is_not_deleted_through_its_status(everything: Api) -> None:
    await everything("POST", f"{SPACE}/serviceaccounts", {"metadata": {"name": "default"}})
    path = await made(everything, f"{SPACE}/pods", "a", {"spec": TEMPLATE["spec"]})
    meta = {"deletionTimestamp": "2020-01-01T00:00:00Z"}
    answer = await everything("PATCH", f"{path}/status", {"metadata": meta}, MERGE)
    assert answer.status == 200
    assert "deletionTimestamp" not in answer.json["metadata"]


async def test_addresses_are_shown_as_upstream_names_them() -> None:
    addresses = [{"ip": "192.0.2.1"}, {"ip": "192.0.2.1"}]
    status = {"hostIP": "192.0.2.1", "hostIPs": addresses}
    pod: dict[str, Any] = {"metadata": {}, "spec": {}, "status": status}
    found = pod_status_updates.validate(pod, {"metadata": {}, "spec": {}, "status": {}})
    assert [error.bad_value for error in found] == [[{"IP": "192.0.2.1"}, {"IP": "192.0.2.1"}]]


@pytest.mark.parametrize(
    ("completed", "failed", "shared"),
    [("1,3-5", "0,2", None), ("1,3-5", "4", 4), ("x,2", "2-3,9", 2), ("0-2,7", "3-6,7", 7)],
)
async def test_the_first_index_in_both_lists(completed: str, failed: str, shared: int) -> None:
    assert job_indexes.overlap(completed, failed, 9) == shared
