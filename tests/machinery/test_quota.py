from typing import Any

import pytest

from pykube_cp.machinery import clock, pod_resources, quota
from pykube_cp.machinery.quota_evaluators import is_best_effort


def container(name: str = "c", *, always: bool = False, **resources: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"name": name, "resources": resources}
    if always:
        made["restartPolicy"] = "Always"
    return made


def pod(*containers: dict[str, Any], init: Any = (), **spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "p", "namespace": "ns"},
        "spec": {"containers": list(containers), "initContainers": list(init), **spec},
        "status": {"phase": "Running"},
    }


def used(resource: str, obj: dict[str, Any], group: str = "") -> dict[str, str]:
    return quota.written(quota.evaluator_for(group, resource).usage(obj))


def test_pod_usage_adds_containers_sidecars_and_overhead() -> None:
    small = container(requests={"cpu": "100m", "memory": "64Mi"}, limits={"cpu": "1"})
    init = [
        container("setup", requests={"cpu": "500m"}),
        container("sidecar", always=True, requests={"cpu": "50m"}),
        container("late", requests={"cpu": "400m"}),
    ]
    obj = pod(small, small, init=init, overhead={"cpu": "10m"})
    assert used("pods", obj) == {
        "count/pods": "1",
        "pods": "1",
        "cpu": "510m",
        "requests.cpu": "510m",
        "memory": "128Mi",
        "requests.memory": "128Mi",
        "limits.cpu": "2010m",
    }


def test_ended_and_overdue_pods_only_count_as_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = pod(container(requests={"cpu": "1"}))
    ended["status"]["phase"] = "Succeeded"
    assert used("pods", ended) == {"count/pods": "1"}
    overdue = pod(container(requests={"cpu": "1"}))
    overdue["metadata"] |= {
        "deletionTimestamp": clock.format_time(100),
        "deletionGracePeriodSeconds": 30,
    }
    monkeypatch.setattr(clock, "_now", lambda: 129.0)
    assert "pods" in used("pods", overdue)
    monkeypatch.setattr(clock, "_now", lambda: 131.0)
    assert used("pods", overdue) == {"count/pods": "1"}


def test_pod_being_resized_counts_with_the_most() -> None:
    obj = pod(container(requests={"cpu": "1"}))
    obj["status"]["containerStatuses"] = [
        {
            "name": "c",
            "allocatedResources": {"cpu": "2"},
            "resources": {"requests": {"cpu": "3"}},
        }
    ]
    assert str(pod_resources.pod_requests(obj)["cpu"]) == "3"
    obj["spec"]["containers"][0]["resources"]["requests"]["cpu"] = "9"
    assert str(pod_resources.pod_requests(obj)["cpu"]) == "9"
    obj["status"]["conditions"] = [{"type": "PodResizePending", "reason": "Infeasible"}]
    assert str(pod_resources.pod_requests(obj)["cpu"]) == "3"


def test_extended_resources_and_huge_pages() -> None:
    obj = pod(container(requests={"example.com/gpu": "2", "hugepages-2Mi": "4Mi"}))
    assert used("pods", obj) == {
        "count/pods": "1",
        "pods": "1",
        "requests.example.com/gpu": "2",
        "hugepages-2Mi": "4Mi",
        "requests.hugepages-2Mi": "4Mi",
    }
    names = ["requests.example.com/gpu", "limits.example.com/gpu", "hugepages-1Gi", "services"]
    matched = quota.evaluator_for("", "pods").matching_resources(names)
    assert matched == ["requests.example.com/gpu", "hugepages-1Gi"]


def test_constraints_name_what_containers_lack() -> None:
    obj = pod(container("a", limits={"cpu": "1"}), container("b"), init=[container("i")])
    found = quota.evaluator_for("", "pods").constraints(["limits.cpu", "requests.memory"], obj)
    assert found == "must specify limits.cpu for: b,i; requests.memory for: a,b,i"


def test_service_usage() -> None:
    ports = [{"port": 80, "nodePort": 30080}, {"port": 81}]
    balancer: dict[str, Any] = {"spec": {"type": "LoadBalancer", "ports": ports}}
    assert used("services", balancer)["services.nodeports"] == "2"
    balancer["spec"]["allocateLoadBalancerNodePorts"] = False
    assert used("services", balancer) == {
        "count/services": "1",
        "services": "1",
        "services.loadbalancers": "1",
        "services.nodeports": "1",
    }


def test_claim_usage_by_class() -> None:
    requests = {"requests": {"storage": "1Gi"}}
    claim = {"spec": {"storageClassName": "fast", "resources": requests}}
    assert used("persistentvolumeclaims", claim) == {
        "persistentvolumeclaims": "1",
        "requests.storage": "1Gi",
        "fast.storageclass.storage.k8s.io/persistentvolumeclaims": "1",
        "fast.storageclass.storage.k8s.io/requests.storage": "1Gi",
        "count/persistentvolumeclaims": "1",
    }


def test_an_old_annotation_goes_before_the_class_even_when_it_is_empty() -> None:
    meta = {"annotations": {"volume.beta.kubernetes.io/storage-class": ""}}
    claim = {"metadata": meta, "spec": {"storageClassName": "fast"}}
    assert used("persistentvolumeclaims", claim) == {
        "persistentvolumeclaims": "1",
        "count/persistentvolumeclaims": "1",
    }


def test_counts_of_other_objects() -> None:
    assert used("configmaps", {}) == {"count/configmaps": "1", "configmaps": "1"}
    assert used("deployments", {}, "apps") == {"count/deployments.apps": "1"}


def a_quota(hard: dict[str, str], **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "q"}, "spec": {"hard": hard, **spec}}


def count(found: dict[str, Any], *pods: dict[str, Any]) -> dict[str, str]:
    evaluator = quota.evaluator_for("", "pods")
    return quota.written(quota.calculate_usage(found, [evaluator], lambda *_: pods))


def test_scopes() -> None:
    best_effort = pod(container())
    assert is_best_effort(best_effort)
    burstable = pod(container(requests={"cpu": "1"}), priorityClassName="high")
    with_deadline = pod(container(), activeDeadlineSeconds=5)
    pods = (best_effort, burstable, with_deadline)
    hard = {"pods": "5", "requests.cpu": "4"}
    assert count(a_quota(hard), *pods) == {"pods": "3", "requests.cpu": "1"}
    assert count(a_quota(hard, scopes=["BestEffort"]), *pods) == {
        "pods": "2",
        "requests.cpu": "0",
    }
    both = a_quota(hard, scopes=["NotTerminating", "BestEffort"])
    assert count(both, *pods)["pods"] == "1"

    def by_class(operator: str, *values: str) -> str:
        expression = {"scopeName": "PriorityClass", "operator": operator, "values": values}
        selector = {"matchExpressions": [expression]}
        return count(a_quota(hard, scopeSelector=selector), *pods)["pods"]

    assert by_class("In", "high", "low") == "1"
    assert by_class("NotIn", "high") == "2"
    assert by_class("Exists") == "1"


def test_arithmetic_and_status() -> None:
    parse = pod_resources.parse_list
    one, other = parse({"cpu": "1", "pods": "2"}), parse({"cpu": "1500m", "services": "1"})
    assert quota.written(quota.subtract(one, other)) == {
        "cpu": "-500m",
        "pods": "2",
        "services": "-1",
    }
    assert quota.written(quota.subtract_to_zero(one, other))["cpu"] == "0"
    assert quota.exceeded(other, one) == ["cpu"]
    found = a_quota({"pods": "2"})
    found["status"] = {"used": {"pods": "1", "cpu": "1"}}
    assert quota.status_of(found, parse({"pods": "2"})) == {
        "hard": {"pods": "2"},
        "used": {"pods": "2"},
    }


def test_updates_that_free_something() -> None:
    evaluator = quota.evaluator_for("", "pods")
    running, ended = pod(container()), pod(container())
    ended["status"]["phase"] = "Failed"
    assert evaluator.is_replenished_by(running, ended)
    assert not evaluator.is_replenished_by(running, pod(container()))
    assert evaluator.handles("UPDATE", "", pod(activeDeadlineSeconds=1), running)
    assert not evaluator.handles("UPDATE", "", ended, running)
