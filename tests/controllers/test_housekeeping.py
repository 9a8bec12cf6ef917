import base64
from typing import Any

import jwt
import pytest

from pykube_cp.config import ControllerManagerConfig
from pykube_cp.controllers import (
    cluster_role_aggregation,
    pod_gc,
    service_account_token,
    ttl_after_finished,
)
from pykube_cp.controllers.shared.kinds import (
    CLUSTER_ROLES,
    JOBS,
    NODES,
    PODS,
    SECRETS,
    SERVICE_ACCOUNTS,
)
from pykube_cp.machinery import clock, objects
from pykube_cp.pki.certificates import new_key, public_key
from pykube_cp.testing.controllers import running
from tests.controllers.workloads import NS, meta, pod

pytestmark = pytest.mark.virtual_time


def on_node(name: str, node: str, **more: Any) -> dict[str, Any]:
    made = pod(name, **more)
    made["spec"]["nodeName"] = node
    return made


def node(name: str, *, ready: bool = True, out_of_service: bool = False) -> dict[str, Any]:
    taint = {"key": "node.kubernetes.io/out-of-service", "effect": "NoExecute"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name},
        "spec": {"taints": [taint] if out_of_service else []},
        "status": {"conditions": [{"type": "Ready", "status": str(ready)}]},
    }


async def test_pods_of_lost_nodes_go_after_a_while() -> None:
    seeds = (node("there"), on_node("kept", "there"), on_node("lost", "gone"))
    async with running(pod_gc.CONTROLLER, objects=seeds) as run:
        await run.settle(30)
        assert len(run.client.all(PODS)) == 2
        await run.settle(40)
        assert [objects.name(found) for found in run.client.all(PODS)] == ["kept"]
        (patched,) = run.client.writes("patch", resource="pods")
        condition = patched.body["status"]["conditions"][0]
        assert patched.subresource == "status"
        assert (condition["type"], condition["reason"], condition["message"]) == (
            "DisruptionTarget",
            "DeletionByPodGC",
            "PodGC: node no longer exists",
        )


async def test_ended_pods_are_kept_up_to_the_threshold() -> None:
    seeds = [pod(f"p{number}", "Failed") for number in range(4)]
    config = ControllerManagerConfig(terminated_pod_gc_threshold=2)
    async with running(pod_gc.CONTROLLER, objects=tuple(seeds), config=config) as run:
        await run.settle(25)
        assert [objects.name(found) for found in run.client.all(PODS)] == ["p2", "p3"]


async def test_terminating_pods_that_nobody_would_remove() -> None:
    seeds = (
        node("dead", ready=False, out_of_service=True),
        on_node("stuck", "dead"),
        pod("unscheduled", finalizers=["example.com/hold"]),
    )
    async with running(pod_gc.CONTROLLER, objects=seeds) as run:
        await run.client.delete(PODS, "stuck", NS)
        await run.client.delete(PODS, "unscheduled", NS)
        await run.settle(25)
        (left,) = run.client.all(PODS)
        assert objects.name(left) == "unscheduled"
        assert left["status"]["phase"] == "Failed"
        assert run.client.find(NODES, "dead") is not None


async def test_finished_jobs_go_after_their_time() -> None:
    def job(name: str, ttl: int | None) -> dict[str, Any]:
        condition = {"type": "Complete", "status": "True"}
        return {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": meta(name),
            "spec": {} if ttl is None else {"ttlSecondsAfterFinished": ttl},
            "status": {"conditions": [condition | {"lastTransitionTime": clock.timestamp()}]},
        }

    async with running(ttl_after_finished.CONTROLLER) as run:
        run.client.seed(job("soon", 10))
        run.client.seed(job("never", None))
        await run.settle(5)
        assert len(run.client.all(JOBS)) == 2
        await run.settle(10)
        (deleted,) = run.client.writes("delete", resource="jobs")
        assert (deleted.name, deleted.body.propagation) == ("soon", "Foreground")


async def test_cluster_roles_are_aggregated() -> None:
    def role(name: str, *verbs: str, **more: Any) -> dict[str, Any]:
        rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": [verb]} for verb in verbs]
        return {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole",
            "metadata": {"name": name, "labels": more.pop("labels", {})},
            "rules": rules,
            **more,
        }

    selected = {"to": "all"}
    rule = {"clusterRoleSelectors": [{"matchLabels": selected}]}
    seeds = (
        role("all", aggregationRule=rule, labels=selected),
        role("b", "list", "get", labels=selected),
        role("a", "get", labels=selected),
        role("other", "delete"),
    )
    async with running(cluster_role_aggregation.CONTROLLER, objects=seeds) as run:
        found = run.client.find(CLUSTER_ROLES, "all")
        assert found is not None
        assert [rule["verbs"] for rule in found["rules"]] == [["get"], ["list"]]


async def test_token_secrets_are_filled_and_follow_their_account() -> None:
    key = new_key()
    config = ControllerManagerConfig(service_account_key_pem=key.decode(), root_ca_pem="pem")
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta("robot")}
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": meta("t", annotations={"kubernetes.io/service-account.name": "robot"}),
        "type": "kubernetes.io/service-account-token",
    }
    controller = service_account_token.CONTROLLER
    async with running(controller, objects=(account, secret), config=config) as run:
        filled = run.client.find(SECRETS, "t", NS)
        assert filled is not None
        data = {name: base64.b64decode(value) for name, value in filled["data"].items()}
        assert data["ca.crt"] == b"pem"
        assert data["namespace"] == NS.encode()
        claims = jwt.decode(data["token"], public_key(key), ["ES256"])
        uid = objects.uid(run.client.find(SERVICE_ACCOUNTS, "robot", NS) or {})
        assert claims == {
            "iss": "kubernetes/serviceaccount",
            "sub": "system:serviceaccount:ns:robot",
            "kubernetes.io/serviceaccount/namespace": NS,
            "kubernetes.io/serviceaccount/secret.name": "t",
            "kubernetes.io/serviceaccount/service-account.name": "robot",
            "kubernetes.io/serviceaccount/service-account.uid": uid,
        }
        assert objects.annotations(filled)["kubernetes.io/service-account.uid"] == uid
        await run.client.delete(SERVICE_ACCOUNTS, "robot", NS)
        await run.settle()
        assert run.client.all(SECRETS) == []
