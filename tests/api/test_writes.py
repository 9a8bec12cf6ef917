import asyncio
from typing import Any

import pytest

from tests.api.serving import Api, config_map, pod

pytestmark = pytest.mark.asyncio(loop_scope="session")

MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"
APPLY = "application/apply-patch+yaml"
UNNAMED = "the name of the object (a based on URL) was undeterminable: name must be provided"
MODIFIED = (
    'Operation cannot be fulfilled on configmaps "a": the object has been modified; '
    "please apply your changes to the latest version and try again"
)


async def created(api: Api, body: dict[str, Any]) -> str:
    """The path of a new object in a new namespace."""
    plural = body["kind"].lower() + "s"
    path = f"{await api.namespace()}/{plural}"
    answer = await api("POST", path, body)
    assert answer.status == 201, answer.body
    return f"{path}/{body['metadata']['name']}"


# Create and update.


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


async def test_pods_may_not_change_but_for_a_few_fields(api: Api) -> None:
    path = await created(api, pod())
    answer = await api("PATCH", path, {"spec": {"hostNetwork": True}}, MERGE)
    assert answer.status == 422
    assert "spec: Forbidden: pod updates may not change fields other than" in answer.message


# Delete.


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


# Patch.


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


async def test_concurrent_patches_all_count(api: Api) -> None:
    path = await created(api, config_map())
    answers = await asyncio.gather(
        *(api("PATCH", path, {"data": {f"k{each}": "v"}}, MERGE) for each in range(8))
    )
    assert [answer.status for answer in answers] == [200] * 8
    assert len((await api("GET", path)).json["data"]) == 8


# Server-side apply.


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


async def test_ports_that_share_a_number_keep_it(api: Api) -> None:
    path = await api.namespace() + "/services"
    ports = [{"name": "a", "port": 80}, {"name": "b", "port": 80, "protocol": "UDP"}]
    service = {"metadata": {"name": "s"}, "spec": {"type": "NodePort", "ports": ports}}
    made = (await api("POST", path, service)).json["spec"]["ports"]
    assert made[0]["nodePort"] == made[1]["nodePort"]
    assert (await api("PUT", f"{path}/s", service)).json["spec"]["ports"] == made


async def test_a_version_must_be_a_number_where_an_update_creates(api: Api) -> None:
    path = await api.namespace() + "/endpoints/a"
    body = {"metadata": {"name": "a", "resourceVersion": "x"}}
    answer = await api("PUT", path, body)
    assert (answer.status, answer.message) == (
        500,
        'strconv.ParseUint: parsing "x": invalid syntax',
    )
    body["metadata"]["resourceVersion"] = "7"
    assert (await api("PUT", path, body)).status == 201


async def test_what_is_wrong_with_a_pod_itself_follows_its_spec(api: Api) -> None:
    path = await api.namespace() + "/pods"
    token = {"serviceAccountToken": {"path": "t"}}
    body = pod()
    body["spec"] = {"volumes": [{"name": "v", "projected": {"sources": [token]}}]}
    causes = (await api("POST", path, body)).json["details"]["causes"]
    assert [cause["field"] for cause in causes] == [
        "spec.containers",
        "spec.volumes[0].projected.sources[0].serviceAccountToken",
    ]


async def test_no_policies_at_all_are_not_filled_in(api: Api) -> None:
    space = (await api.namespace()).rpartition("/")[2]
    path = f"/apis/autoscaling/v2/namespaces/{space}/horizontalpodautoscalers"
    spec: dict[str, Any] = {
        "maxReplicas": 2,
        "scaleTargetRef": {"kind": "Deployment", "name": "d", "apiVersion": "apps/v1"},
        "behavior": {"scaleUp": {}},
    }
    body = {"metadata": {"name": "a"}, "spec": spec}
    made = (await api("POST", path, body)).json["spec"]["behavior"]["scaleUp"]
    assert len(made["policies"]) == 2
    spec["behavior"]["scaleUp"]["policies"] = []
    answer = await api("PUT", f"{path}/a", body)
    assert answer.message.endswith(
        "spec.behavior.scaleUp.policies: Required value: must specify at least one Policy"
    )


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


# Namespaces.


async def test_namespaces_must_be_there(api: Api) -> None:
    answer = await api("POST", "/api/v1/namespaces/nowhere/configmaps", config_map())
    assert (answer.status, answer.message) == (404, 'namespaces "nowhere" not found')


async def test_nothing_is_made_in_a_namespace_that_ends(api: Api) -> None:
    path = await api.namespace()
    name = path.rpartition("/")[2]
    assert (await api("POST", path + "/configmaps", config_map())).status == 201
    ending = (await api("DELETE", path)).json
    assert ending["status"]["phase"] == "Terminating"
    assert ending["spec"]["finalizers"] == ["kubernetes"]
    answer = await api("POST", path + "/configmaps", config_map("b"))
    assert answer.status == 403
    assert answer.message == (
        f'configmaps "b" is forbidden: unable to create new content in namespace {name} '
        "because it is being terminated"
    )
    assert answer.json["details"]["causes"][0]["reason"] == "NamespaceTerminating"
    assert (await api("PATCH", path + "/configmaps/a", {"data": {"x": "y"}}, MERGE)).status == 200
    ending["spec"]["finalizers"] = []
    assert (await api("PUT", path + "/finalize", ending)).status == 200
    assert (await api("GET", path)).status == 404


async def test_some_namespaces_may_not_be_deleted(api: Api) -> None:
    answer = await api("DELETE", "/api/v1/namespaces/default")
    assert (answer.status, answer.message) == (
        403,
        'namespaces "default" is forbidden: this namespace may not be deleted',
    )


async def test_limit_ranges_give_and_bound_resources(api: Api) -> None:
    path = await api.namespace()
    limits = [
        {"type": "Container", "default": {"cpu": "1"}, "max": {"cpu": "2"}},
        {"type": "Pod", "max": {"cpu": "2"}},
        {"type": "PersistentVolumeClaim", "max": {"storage": "1Gi"}},
    ]
    ranges = {"metadata": {"name": "l"}, "spec": {"limits": limits}}
    assert (await api("POST", path + "/limitranges", ranges)).status == 201
    made = await api("POST", path + "/pods", pod("a"))
    resources = {"limits": {"cpu": "1"}, "requests": {"cpu": "1"}}
    assert made.json["spec"]["containers"][0]["resources"] == resources
    told = made.json["metadata"]["annotations"]["kubernetes.io/limit-ranger"]
    assert told == "LimitRanger plugin set: cpu request for container c; cpu limit for container c"
    large = pod("b")
    large["spec"]["containers"][0]["resources"] = {"limits": {"cpu": "3"}}
    refused = await api("POST", path + "/pods", large)
    assert (refused.status, refused.json["reason"]) == (403, "Forbidden")
    assert refused.message.endswith(
        "[maximum cpu usage per Container is 2, but limit is 3, "
        "maximum cpu usage per Pod is 2, but limit is 3]"
    )
    claim = {
        "metadata": {"name": "c"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "2Gi"}},
        },
    }
    refused = await api("POST", path + "/persistentvolumeclaims", claim)
    text = "maximum storage usage per PersistentVolumeClaim is 1Gi, but request is 2Gi"
    assert refused.message.endswith(text)


async def test_claim_templates_warn_where_they_stand(api: Api) -> None:
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1500m"}}}
    labels = {"app": "a"}
    stateful_set = {
        "metadata": {"name": "a"},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "c", "image": "i"}]},
            },
            "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": claim}],
        },
    }
    path = (await api.namespace()).replace("/api/v1", "/apis/apps/v1") + "/statefulsets"
    answer = await api("POST", path, stateful_set)
    assert answer.status == 201
    assert "spec.volumeClaimTemplates[0].resources.requests[storage]" in answer.headers["Warning"]
