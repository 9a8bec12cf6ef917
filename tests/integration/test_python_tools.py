"""The helpers of the official client: dynamic client, YAML files, leader election, errors."""

import datetime as dt
import json
import threading
from pathlib import Path

import pytest
import yaml
from kubernetes import client, config, utils
from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic import DynamicClient
from kubernetes.dynamic.exceptions import ConflictError, NotFoundError, ResourceNotFoundError
from kubernetes.leaderelection import electionconfig, leaderelection
from kubernetes.leaderelection.resourcelock.leaselock import LeaseLock

from tests.integration.cluster import ControlPlane, until

MANIFEST = """
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {colour: red}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: registry.k8s.io/pause:3.10.2}]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader}
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
---
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Service
  metadata: {name: web}
  spec: {ports: [{port: 80}]}
"""


@pytest.fixture(scope="module")
def dynamic(api: client.ApiClient, tmp_path_factory: pytest.TempPathFactory) -> DynamicClient:
    return DynamicClient(api, cache_file=str(tmp_path_factory.mktemp("discovery") / "cache.json"))


def test_the_dynamic_client_finds_kinds_by_discovery(dynamic: DynamicClient) -> None:
    deployments = dynamic.resources.get(api_version="apps/v1", kind="Deployment")
    assert (deployments.name, deployments.namespaced) == ("deployments", True)
    assert "scale" in deployments.subresources
    assert dynamic.resources.get(api_version="v1", kind="Pod").short_names == ["po"]
    with pytest.raises(ResourceNotFoundError):
        dynamic.resources.get(api_version="v1", kind="Nothing")
    assert dynamic.version["kubernetes"]["gitVersion"].startswith("v1.37.")


def test_the_dynamic_client_does_everything(dynamic: DynamicClient, namespace: str) -> None:
    maps = dynamic.resources.get(api_version="v1", kind="ConfigMap")
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "d"}, "data": {"a": "1"}}
    created = maps.create(body=body, namespace=namespace)
    version = created.metadata.resourceVersion
    merge = "application/merge-patch+json"
    maps.patch(name="d", namespace=namespace, body={"data": {"b": "2"}}, content_type=merge)
    fresh = maps.get(name="d", namespace=namespace)
    assert fresh.data.to_dict() == {"a": "1", "b": "2"}
    stale = {**body, "metadata": {"name": "d", "resourceVersion": version}}
    with pytest.raises(ConflictError):
        maps.replace(body=stale, namespace=namespace)
    applied = maps.server_side_apply(
        body={**body, "data": {"c": "3"}}, namespace=namespace, field_manager="dynamic"
    )
    assert applied.data.to_dict() == {"a": "1", "b": "2", "c": "3"}
    watched = maps.watch(namespace=namespace, name="d", resource_version=version, timeout=5)
    assert [event["type"] for event in watched] == ["MODIFIED", "MODIFIED"]
    assert [
        item.metadata.name
        for item in maps.get(namespace=namespace, field_selector="metadata.name=d").items
    ] == ["d"]
    maps.delete(name="d", namespace=namespace)
    with pytest.raises(NotFoundError):
        maps.get(name="d", namespace=namespace)


def test_the_dynamic_client_reaches_subresources(dynamic: DynamicClient, namespace: str) -> None:
    deployments = dynamic.resources.get(api_version="apps/v1", kind="Deployment")
    web = list(yaml.safe_load_all(MANIFEST))[1]
    deployments.create(body=web, namespace=namespace)
    scaled = deployments.scale.patch(
        name="web",
        namespace=namespace,
        body={"spec": {"replicas": 3}},
        content_type="application/merge-patch+json",
    )
    assert (scaled.kind, scaled.spec.replicas) == ("Scale", 3)
    assert deployments.status.get(name="web", namespace=namespace).spec.replicas == 3


def test_objects_are_created_from_a_file(
    api: client.ApiClient, namespace: str, tmp_path: Path
) -> None:
    path = tmp_path / "manifest.yaml"
    path.write_text(MANIFEST)
    utils.create_from_yaml(api, str(path), namespace=namespace)
    core = client.CoreV1Api(api)
    assert core.read_namespaced_config_map("settings", namespace).data == {"colour": "red"}
    assert core.read_namespaced_service("web", namespace).spec.ports[0].port == 80
    role = client.RbacAuthorizationV1Api(api).read_namespaced_role("reader", namespace)
    assert role.rules[0].resources == ["pods"]
    with pytest.raises(utils.FailToCreateError) as caught:
        utils.create_from_yaml(api, str(path), namespace=namespace)
    assert [error.status for error in caught.value.api_exceptions] == [409] * 4


def test_objects_are_applied_from_a_file(
    api: client.ApiClient, namespace: str, tmp_path: Path
) -> None:
    path = tmp_path / "manifest.yaml"
    for colour in ("red", "blue"):
        path.write_text(MANIFEST.replace("red", colour))
        utils.create_from_yaml(api, str(path), namespace=namespace, apply=True)
    found = client.CoreV1Api(api).read_namespaced_config_map("settings", namespace)
    assert found.data == {"colour": "blue"}
    assert [each.operation for each in found.metadata.managed_fields] == ["Apply"]


class Candidate:
    """One that works until it is told to fail, which is how this client gives up a lock."""

    def __init__(self, namespace: str, identity: str) -> None:
        self.leads, self.fails = threading.Event(), threading.Event()
        wanted = electionconfig.Config(
            LeaseLock("lock", namespace, identity),
            lease_duration=6,
            renew_deadline=5,
            retry_period=1,
            onstarted_leading=self.work,
            onstopped_leading=lambda: None,
        )
        election = leaderelection.LeaderElection(wanted)
        self.thread = threading.Thread(target=election.run, daemon=True)
        self.thread.start()

    def work(self) -> None:
        self.leads.set()
        self.fails.wait(50)
        raise RuntimeError("this candidate has had enough")

    def end(self) -> None:
        self.fails.set()
        self.thread.join(20)


def test_one_of_two_candidates_leads_until_it_fails(
    api: client.ApiClient, server: ControlPlane, namespace: str
) -> None:
    config.load_kube_config(str(server.kubeconfig))  # the lock takes the default client
    leases = client.CoordinationV1Api(api)
    one = Candidate(namespace, "one")
    assert one.leads.wait(20)
    two = Candidate(namespace, "two")
    first = leases.read_namespaced_lease("lock", namespace).spec

    def renewed() -> bool:
        spec = leases.read_namespaced_lease("lock", namespace).spec
        return bool(spec.renew_time > first.renew_time and spec.acquire_time == first.acquire_time)

    assert until(renewed)
    assert not two.leads.is_set()
    one.end()
    assert two.leads.wait(30)
    assert leases.read_namespaced_lease("lock", namespace).spec.holder_identity == "two"
    two.end()


def status_of(caught: pytest.ExceptionInfo[ApiException]) -> dict[str, object]:
    body = json.loads(caught.value.body)
    assert (body["kind"], body["status"], body["code"]) == (
        "Status",
        "Failure",
        caught.value.status,
    )
    found: dict[str, object] = body
    return found


def test_errors_are_status_objects(core: client.CoreV1Api, namespace: str) -> None:
    with pytest.raises(ApiException) as caught:
        core.read_namespaced_pod("nobody", namespace)
    assert status_of(caught)["message"] == 'pods "nobody" not found'
    assert status_of(caught)["details"] == {"name": "nobody", "kind": "pods"}
    with pytest.raises(ApiException) as caught:
        core.create_namespaced_config_map(namespace, {"metadata": {"name": "Upper"}})
    body = status_of(caught)
    assert (caught.value.status, body["reason"]) == (422, "Invalid")
    assert str(body["message"]).startswith(
        'ConfigMap "Upper" is invalid: metadata.name: Invalid value'
    )
    core.create_namespaced_config_map(namespace, {"metadata": {"name": "taken"}})
    with pytest.raises(ApiException) as caught:
        core.create_namespaced_config_map(namespace, {"metadata": {"name": "taken"}})
    assert status_of(caught)["reason"] == "AlreadyExists"
    with pytest.raises(ApiException) as caught:
        core.create_namespaced_pod(
            "no-such-namespace", {"metadata": {"name": "p"}, "spec": {"containers": []}}
        )
    assert caught.value.status in {403, 404}


def test_what_a_service_account_may_do(
    api: client.ApiClient, server: ControlPlane, namespace: str
) -> None:
    core = client.CoreV1Api(api)
    seconds = client.V1TokenRequestSpec(audiences=[], expiration_seconds=3600)
    request = core.create_namespaced_service_account_token(
        "default", namespace, client.AuthenticationV1TokenRequest(spec=seconds)
    )
    left = request.status.expiration_timestamp - dt.datetime.now(dt.UTC)
    assert 3500 < left.total_seconds() < 3700
    settings = client.Configuration(host=server.url)
    settings.ssl_ca_cert = str(server.data / "pki/ca.crt")
    settings.api_key = {"authorization": f"Bearer {request.status.token}"}
    with client.ApiClient(settings) as own:
        with pytest.raises(ApiException) as caught:
            client.CoreV1Api(own).list_namespaced_pod(namespace)
        account = f"system:serviceaccount:{namespace}:default"
        assert status_of(caught)["message"] == (
            f'pods is forbidden: User "{account}" cannot list resource "pods" in API group "" '
            f'in the namespace "{namespace}"'
        )
        who = client.AuthenticationV1Api(own).create_self_subject_review({})
        assert who.status.user_info.username == account
    settings.api_key = {"authorization": "Bearer wrong"}
    with client.ApiClient(settings) as own, pytest.raises(ApiException) as caught:
        client.CoreV1Api(own).list_namespaced_pod(namespace)
    assert caught.value.status == 401
