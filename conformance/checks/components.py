#!/usr/bin/env python3
"""Component swap: upstream's components on our API server, and ours on upstream's.

First upstream's kube-controller-manager and kube-scheduler run on `pykube-cp apiserver` with two stock
nodes, while the sig-apps conformance tests run; then their logs are read, and every warning or error that
upstream's own API server does not cause as well is wrong. Then our controllers and scheduler run on
kube-apiserver and etcd, without nodes: a Deployment becomes Pods on a node, and they log no error.

It uses a cluster of its own (state, bridge, networks), so that another may run beside it. With
CONTROL_PLANE=reference the first half is upstream alone, which shows what the excuses are about.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import klog
import kube
from klog import Excuse, Line
from kube import Client, Json, Tally

CACHE = os.environ.get("PYKUBE_CP_CACHE") or str(Path.home() / ".cache/pykube-cp")
OWN = {
    "PYKUBE_CP_STATE": f"{CACHE}/components",
    "BRIDGE": "pykubecp1",
    "NODE_NET": "172.31.1",
    "POD_CIDR": "10.245.0.0/16",
    "SERVICE_CIDR": "10.97.0.0/16",
    "DNS_IP": "10.97.0.10",
    "KCM_PORT": "10357",
    "SCHEDULER_PORT": "10359",
    "ETCD_PORT": "13379",
    "NODES": "2",
    "CONTROL_PLANE": "swapped",
}
"""Settings of env.sh; what the environment says comes first."""

UPSTREAM = ("kube-controller-manager", "kube-scheduler")
OURS = ("controller-manager", "scheduler")

EXCUSES = (
    Excuse(
        r"options.go\] The manifest file is empty, ignoring",
        "said at every start without a manifest of metrics",
    ),
    Excuse(
        r"read version: \d+ is not as new as written version: \d+ for group resource",
        "a controller waits for its own last write, which its cache does not show yet",
    ),
    Excuse(
        r"Operation cannot be fulfilled on .*: the object has been modified; please apply your",
        "two write the same object, and the later one tries again",
    ),
    Excuse(
        r"is forbidden: unable to create new content in namespace \S+ because it is being term",
        "a test ended, and its namespace goes while there is still work in it",
    ),
    Excuse(
        r"(replica_set|job_controller|cronjob_controllerv2)\.go\] .* not found",
        "a test deleted an object that was being worked on",
    ),
    Excuse(
        r"namespace_controller.go\] .*unexpected items still remain in namespace",
        "containers take time to end",
    ),
    Excuse(
        r"range_allocator.go\] .*node updates may not change podCIDR",
        "a node was about to be given addresses twice, because the cache did not show the first",
    ),
    Excuse(
        r"replica_set.go\] .* is forbidden: exceeded quota: condition-test, ",
        "two tests make a quota that is too small, and look for the condition that says so",
    ),
    Excuse(
        r"daemon_controller.go\] .*failed to construct revisions of DaemonSet: .* already exists",
        "the revision was made a moment ago, and the cache does not show it yet",
    ),
)
"""Each was seen with CONTROL_PLANE=reference on the same tests, most of them more often."""

OWN_EXCUSES = (
    Excuse(
        r"^W pykube_cp\.controllers\.manager\] \S+: \S+: \S+ \S+ not found$",
        "the object was deleted while it was being worked on; upstream logs an error then",
    ),
)


def logs(env: dict[str, str], names: Sequence[str]) -> dict[str, Path]:
    return {name: Path(env["STATE"]) / "log" / f"{name}.log" for name in names}


def judge_upstream(tally: Tally, env: dict[str, str]) -> None:
    for name, path in logs(env, UPSTREAM).items():
        judge_lines(tally, name, klog.troubles(path.read_text(errors="replace")), EXCUSES)


def judge_lines(tally: Tally, name: str, lines: Iterable[Line], excuses: Sequence[Excuse]) -> None:
    needed, wrong = klog.judge(lines, excuses)
    for excuse, count in needed.most_common():
        print(f"      excused {count} times: {excuse.reason}: {excuse.pattern}")
    for line in wrong[:50]:
        print(f"      {name}: {line}")
    saw = f"{needed.total()} lines excused, {len(wrong)} not"
    tally.check(f"{name} logs no error", holds=not wrong, saw=saw)


def judge_server(tally: Tally, env: dict[str, str]) -> None:
    """Ours says that it is ready, and from then on nothing but warnings and errors."""
    path = logs(env, ["apiserver"])["apiserver"]
    if path.exists():
        lines = [line for line in path.read_text().splitlines() if "API server ready" not in line]
        for line in lines[:50]:
            print(f"      {line}")
        tally.check("our API server logs no error", holds=not lines, saw=f"{len(lines)} lines")


def sig_apps(tally: Tally, env: dict[str, str], focus: str) -> None:
    """The tests, on nodes that join this control plane."""
    for path in logs(env, [*UPSTREAM, "apiserver"]).values():
        path.unlink(missing_ok=True)
    run = [kube.CONFORMANCE / "conformance.sh"]
    settings = {**os.environ, "FOCUS": focus, "SERIAL": "1", "RUN": "components"}
    done = subprocess.run(run, stdout=subprocess.PIPE, text=True, check=False, env=settings)
    print(done.stdout, end="")
    closing = (done.stdout.splitlines() or ["nothing ran"])[-1]
    tally.check(f"conformance tests {focus} pass", holds=done.returncode == 0, saw=closing)
    judge_upstream(tally, env)
    judge_server(tally, env)


def fake_node(client: Client) -> None:
    """A Node as its kubelet would report it: Pods can be bound to it, and nobody runs them."""
    client.request("POST", "/api/v1/nodes", {"metadata": {"name": "nobody"}})
    room = {"cpu": "8", "memory": "16Gi", "pods": "110"}
    ready = {"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "ready"}
    status = {"status": {"capacity": room, "allocatable": room, "conditions": [ready]}}
    client.request(
        "PATCH",
        "/api/v1/nodes/nobody/status",
        json.dumps(status).encode(),
        "application/strategic-merge-patch+json",
    )


def deployment(name: str, replicas: int) -> Json:
    labels = {"app": name}
    containers = [{"name": "c", "image": "registry.k8s.io/pause:3.10.2"}]
    template = {"metadata": {"labels": labels}, "spec": {"containers": containers}}
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    return {"metadata": {"name": name}, "spec": spec}


def all_ended(client: Client, owner: str, pods: str) -> bool:
    """No kubelet confirms that containers have ended, so this does it in its place."""
    client.request("DELETE", pods, {"gracePeriodSeconds": 0})
    left = client.request("GET", pods).content.get("items", [])
    return not left and client.request("GET", owner).code == 404


def swapped_back(tally: Tally) -> None:
    """Our controllers and scheduler are clients of upstream's API server like any other."""
    os.environ |= {"CONTROL_PLANE": "swapped-back", "HOST_IP": "127.0.0.1"}
    env = kube.settings()
    for path in logs(env, OURS).values():
        path.unlink(missing_ok=True)
    kube.script("refcp.sh", "reset")
    kube.script("refcp.sh", "up")
    client = kube.admin(env)
    base = kube.namespace(client, "check-components")
    fake_node(client)
    path = base.replace("/api/v1", "/apis/apps/v1") + "/deployments"
    created = client.request("POST", path, deployment("web", 3))

    def bound() -> list[Json]:
        pods = client.request("GET", f"{base}/pods").content.get("items", [])
        return [pod for pod in pods if pod["spec"].get("nodeName") == "nobody"]

    becomes = kube.until(60, lambda: len(bound()) == 3)
    tally.check(
        "on upstream's API server our controllers make Pods and our scheduler binds them",
        holds=created.code == 201 and becomes,
        saw=f"{len(bound())} Pods bound",
    )
    client.request("DELETE", f"{path}/web", {"propagationPolicy": "Foreground"})
    emptied = kube.until(60, lambda: all_ended(client, f"{path}/web", f"{base}/pods"))
    tally.check("deleted in the foreground, it goes after its Pods", holds=emptied)
    client.request("DELETE", base)
    gone = kube.until(60, lambda: client.request("GET", base).code == 404)
    tally.check("its namespace goes with all that is in it", holds=gone)
    judge_ours(tally, env)
    kube.script("refcp.sh", "reset")


def judge_ours(tally: Tally, env: dict[str, str]) -> None:
    for name, path in logs(env, OURS).items():
        judge_lines(tally, name, klog.own_troubles(path.read_text()), OWN_EXCUSES)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--focus", default=r"\[sig-apps\]", help="regular expression that a test's name matches")
    add("--only", choices=["upstreams", "ours"], help="one half: whose controllers run")
    add("--keep", action="store_true", help="leave the cluster of the first half running")
    options = parser.parse_args()
    for name, value in OWN.items():
        os.environ.setdefault(name, value)
    tally = Tally()
    if options.only != "ours":
        kube.script("cluster.sh", "reset")
        try:
            sig_apps(tally, kube.settings(), options.focus)
        finally:
            if not options.keep:
                kube.script("cluster.sh", "reset")
    if options.only != "upstreams":
        swapped_back(tally)
    return tally.status()


if __name__ == "__main__":
    sys.exit(main())
