"""Stock kubectl on workloads. Controllers and scheduler run, nodes do not: no Pod gets beyond Pending.

What needs a container that runs is in conformance/checks/kubectl.sh.
"""

import json
from collections.abc import Iterator

import pytest

from tests.integration.cluster import Kubectl

OLD = "registry.k8s.io/pause:3.9"
NEW = "registry.k8s.io/pause:3.10.2"


@pytest.fixture
def web(kubectl: Kubectl) -> Kubectl:
    """A Deployment of two Pods, as far as it gets."""
    kubectl.run("create", "deployment", "web", f"--image={OLD}", "--replicas=2")
    kubectl.within(20, r"^web-\S+ +2 +2 +0", "get", "replicasets")
    kubectl.within(20, r"(?s)Pending.*Pending", "get", "pods")
    return kubectl


@pytest.fixture
def node(kubectl: Kubectl) -> Iterator[Kubectl]:
    """A Node that says it is ready, though no kubelet runs there."""
    kubectl.run(
        "create", "-f", "-", stdin='{"apiVersion":"v1","kind":"Node","metadata":{"name":"nobody"}}'
    )
    room = {"cpu": "4", "memory": "8Gi", "pods": "20"}
    conditions = [{"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "ready"}]
    status = {"capacity": room, "allocatable": room, "conditions": conditions}
    patch = json.dumps({"status": status})
    kubectl.run("patch", "node", "nobody", "--subresource=status", "-p", patch)
    yield kubectl
    kubectl.run("delete", "node", "nobody")


def test_what_get_shows_of_workloads(web: Kubectl) -> None:
    web.expect(
        r"^NAME +READY +UP-TO-DATE +AVAILABLE +AGE\nweb +0/2 +2 +0 +\d+s$", "get", "deployment"
    )
    columns = (
        r"^NAME .* CONTAINERS +IMAGES +SELECTOR\nweb .* pause +registry.k8s.io/pause:3.9 +app=web$"
    )
    web.expect(columns, "get", "deployment", "-o", "wide")
    web.expect(r"^pod/web-\S+ +0/1 +Pending(?s:.*)^deployment.apps/web +0/2", "get", "all")
    web.within(20, "FailedScheduling +pod/web-", "get", "events")
    web.expect("no nodes available to schedule pods", "events", "--types=Warning")
    web.within(
        20,
        r"ScalingReplicaSet.*Scaled up replica set web-\w+ from 0 to 2",
        "describe",
        "deployment",
        "web",
    )


def test_scale(web: Kubectl) -> None:
    web.expect("deployment.apps/web scaled", "scale", "deployment", "web", "--replicas=4")
    web.within(20, r"^web-\S+ +4 +4 +0", "get", "replicasets")
    web.expect(
        "Expected replicas to be 3, was 4",
        "scale",
        "deployment/web",
        "--current-replicas=3",
        "--replicas=1",
        status=1,
    )
    web.expect("scaled", "scale", "deployment/web", "--current-replicas=4", "--replicas=1")
    web.within(20, r"^web-\S+ +1 +1 +0", "get", "replicasets")


def test_rollout_history_and_undo(web: Kubectl) -> None:
    web.run("annotate", "deployment/web", "kubernetes.io/change-cause=first")
    web.expect(
        "deployment.apps/web image updated", "set", "image", "deployment/web", f"pause={NEW}"
    )
    web.run("annotate", "deployment/web", "kubernetes.io/change-cause=second", "--overwrite")
    web.within(20, r"^1 +first\n2 +second$", "rollout", "history", "deployment/web")
    web.expect(f"Image:\t{NEW}", "rollout", "history", "deployment/web", "--revision=2")
    waiting = r"Waiting for deployment \"web\" rollout to finish: \d out of 2 new replicas"
    web.expect(waiting, "rollout", "status", "deployment/web", "--timeout=2s", status=1)
    web.expect("deployment.apps/web rolled back", "rollout", "undo", "deployment/web")
    assert web.value("deployment", "web", path="{.spec.template.spec.containers[0].image}") == OLD
    web.within(20, r"^2 +second\n3 +first$", "rollout", "history", "deployment/web")
    web.expect(
        "unable to find specified revision 9",
        "rollout",
        "undo",
        "deployment/web",
        "--to-revision=9",
        status=1,
    )


def test_rollout_status_of_what_is_done(kubectl: Kubectl) -> None:
    kubectl.run("create", "deployment", "none", f"--image={OLD}", "--replicas=0")
    done = 'deployment "none" successfully rolled out'
    kubectl.expect(done, "rollout", "status", "deployment/none", "--timeout=20s")


def test_pause_resume_restart(web: Kubectl) -> None:
    web.expect("deployment.apps/web paused", "rollout", "pause", "deployment/web")
    web.run("set", "image", "deployment/web", f"pause={NEW}")
    web.expect("deployment.apps/web resumed", "rollout", "resume", "deployment/web")
    web.within(20, NEW, "get", "replicasets", "-o", "wide")
    web.expect("deployment.apps/web restarted", "rollout", "restart", "deployment/web")
    path = r"{.spec.template.metadata.annotations.kubectl\.kubernetes\.io/restartedAt}"
    assert web.value("deployment", "web", path=path)


def test_everything_that_set_sets(web: Kubectl) -> None:
    web.expect("env updated", "set", "env", "deployment/web", "COLOUR=red")
    web.expect(r"^COLOUR=red$", "set", "env", "deployment/web", "--list")
    web.expect(
        "resource requirements updated", "set", "resources", "deployment/web", "--limits=cpu=200m"
    )
    web.run("create", "serviceaccount", "robot")
    web.expect("serviceaccount updated", "set", "serviceaccount", "deployment/web", "robot")
    spec = web.json("get", "deployment", "web")["spec"]["template"]["spec"]
    assert spec["serviceAccountName"] == "robot"
    assert spec["containers"][0]["resources"] == {"limits": {"cpu": "200m"}}
    assert spec["containers"][0]["env"] == [{"name": "COLOUR", "value": "red"}]


def test_expose_and_autoscale(web: Kubectl) -> None:
    web.expect(
        "service/web exposed", "expose", "deployment", "web", "--port=80", "--target-port=8080"
    )
    web.expect(r"^web +ClusterIP +10\.96\.", "get", "service", "web")
    web.within(20, r"^web-\w+ +IPv4", "get", "endpointslices")
    autoscale = ("autoscale", "deployment", "web", "--min=1", "--max=5", "--cpu=80%")
    web.expect("horizontalpodautoscaler.autoscaling/web autoscaled", *autoscale)
    web.expect(r"^web +Deployment/web +cpu: <unknown>/80% +1 +5", "get", "hpa", "web")


def test_a_pod_is_bound_when_there_is_a_node(node: Kubectl) -> None:
    node.expect("pod/one created", "run", "one", f"--image={NEW}")
    node.within(20, r"^one +0/1 +Pending .*nobody", "get", "pods", "-o", "wide")
    condition = "--for=condition=PodScheduled"
    node.expect("pod/one condition met", "wait", condition, "pod/one", "--timeout=20s")
    node.within(
        20, f"Successfully assigned {node.namespace}/one to nobody", "events", "--for", "pod/one"
    )
    node.expect("node/nobody cordoned", "cordon", "nobody")
    node.expect("node/nobody tainted", "taint", "node", "nobody", "why=because:NoSchedule")
    node.expect(
        r"(?s)Taints: +.*why=because:NoSchedule.*Unschedulable: +true", "describe", "node", "nobody"
    )
    node.expect("node/nobody uncordoned", "uncordon", "nobody")
    node.expect('pod "one" (force )?deleted', "delete", "pod", "one", "--force", "--grace-period=0")


def test_a_pod_without_a_node_has_an_empty_log_and_nothing_to_run_in(kubectl: Kubectl) -> None:
    kubectl.run("run", "one", f"--image={NEW}")
    assert kubectl.run("logs", "one") == ""
    missing = "pod one does not have a host assigned"
    kubectl.expect(missing, "exec", "one", "--", "true", status=1)
    kubectl.expect(missing, "cp", "one:/etc/hosts", "/dev/null", status=1)
    kubectl.expect("pod is not running", "port-forward", "pod/one", "18080:80", status=1)


@pytest.mark.parametrize("cascade", ["background", "foreground", "orphan"])
def test_delete_with_every_cascade(web: Kubectl, cascade: str) -> None:
    web.expect(
        r'deployment.apps "web" deleted', "delete", "deployment", "web", f"--cascade={cascade}"
    )
    if cascade == "orphan":
        web.within(20, r"^web-\S+ +2 +2", "get", "replicasets")
        assert web.value("replicasets", path="{.items[*].metadata.ownerReferences}") == ""
        web.run("delete", "replicasets", "-l", "app=web", "--cascade=foreground")
    web.within(20, "No resources found", "get", "replicasets,pods")


def test_jobs_and_cron_jobs(kubectl: Kubectl) -> None:
    kubectl.run("create", "cronjob", "tick", f"--image={NEW}", "--schedule=0 3 * * *")
    kubectl.expect("job.batch/now created", "create", "job", "now", "--from=cronjob/tick")
    kubectl.within(20, r"^now +Running +0/1", "get", "jobs")
    kubectl.within(20, r"^now-\w+ +0/1 +Pending", "get", "pods")
    kubectl.run("patch", "job", "now", "-p", '{"spec":{"suspend":true}}')
    kubectl.within(20, r"^now +Suspended +0/1", "get", "jobs")
    kubectl.within(20, "No resources found", "get", "pods")
    kubectl.expect(r"^tick +0 3 \* \* \* +<none> +False +0 +<none>", "get", "cronjob", "tick")
