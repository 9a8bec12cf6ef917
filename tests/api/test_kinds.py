"""What is particular to a kind, as far as a client sees it."""

from typing import Any

import pytest

from tests.api.serving import (
    MERGE,
    Api,
    config_map,
    created,
    pod,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_pods_may_not_change_but_for_a_few_fields(api: Api) -> None:
    path = await created(api, pod())
    answer = await api("PATCH", path, {"spec": {"hostNetwork": True}}, MERGE)
    assert answer.status == 422
    assert "spec: Forbidden: pod updates may not change fields other than" in answer.message


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


async def test_lists_of_definitions_that_are_given_empty_stay_so(api: Api) -> None:
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    schema = {"openAPIV3Schema": {"type": "object"}}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema}
    names = {"plural": "gadgets", "kind": "Gadget"}
    spec = {"group": "empty.io", "scope": "Cluster", "names": names, "versions": [version]}
    body = {"metadata": {"name": "gadgets.empty.io"}, "spec": spec}
    assert (await api("POST", path, body)).status == 201
    path += "/gadgets.empty.io"
    status = {"conditions": [], "acceptedNames": names, "storedVersions": ["v1"]}
    answer = await api("PATCH", path + "/status", {"status": status}, MERGE)
    assert answer.json["status"]["conditions"] == []
    assert (await api("DELETE", path)).status == 200
