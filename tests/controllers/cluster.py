"""Objects of clusters for tests of node, network and storage controllers."""

from typing import Any

NS = "ns"
Json = dict[str, Any]


def meta(name: str, namespace: str = NS, **more: Any) -> Json:
    found = {"name": name, **more}
    return {**found, "namespace": namespace} if namespace else found


def node(name: str = "n1", *, ready: str = "True", **more: Any) -> Json:
    """A node; further arguments are its labels, annotations, spec and status."""
    time = more.pop("heartbeat", "2026-01-01T00:00:00Z")
    condition = {
        "type": "Ready",
        "status": ready,
        "reason": "KubeletReady",
        "lastHeartbeatTime": time,
        "lastTransitionTime": time,
    }
    status = {"conditions": [condition] if ready else [], **more.pop("status", {})}
    spec = more.pop("spec", {})
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": meta(name, "", **more),
        "spec": spec,
        "status": status,
    }


def pod(name: str, node_name: str = "n1", *, ready: bool = True, **more: Any) -> Json:
    """A running Pod; further arguments are its metadata, spec and status."""
    ip = more.pop("ip", "10.1.0.1")
    spec = {"nodeName": node_name, "containers": [{"name": "main"}], **more.pop("spec", {})}
    status = {
        "phase": "Running",
        "podIP": ip,
        "podIPs": [{"ip": ip}] if ip else [],
        "conditions": [
            {
                "type": "Ready",
                "status": str(ready),
                "lastTransitionTime": "2026-01-01T00:00:10Z",
            }
        ],
        **more.pop("status", {}),
    }
    labels = more.pop("labels", {"app": "web"})
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": meta(name, labels=labels, **more),
        "spec": spec,
        "status": status,
    }


def service(name: str = "web", **spec: Any) -> Json:
    """A Service; further arguments are its spec, with ``labels`` and ``annotations`` taken out."""
    more = {key: spec.pop(key) for key in ("labels", "annotations") if key in spec}
    defaults = {
        "clusterIP": "10.96.0.10",
        "ipFamilies": ["IPv4"],
        "selector": {"app": "web"},
        "ports": [{"name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP"}],
    }
    found = {key: value for key, value in {**defaults, **spec}.items() if value is not None}
    return {"apiVersion": "v1", "kind": "Service", "metadata": meta(name, **more), "spec": found}
