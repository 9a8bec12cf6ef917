"""Pod, and its status."""
# upstream: pkg/apis/core/v1/defaults.go SetDefaults_Pod

from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule


def _default_pod(pod: Object, _ctx: RuleContext) -> None:
    """What pods get and pod templates do not."""
    spec = pod.setdefault("spec", {})
    grace = spec.get("terminationGracePeriodSeconds")
    if grace is not None and grace < 0:
        spec["terminationGracePeriodSeconds"] = 1
    for field in ("containers", "initContainers"):
        for container in spec.get(field) or ():
            _default_requests(container.get("resources") or {})
            if spec.get("hostNetwork"):
                _default_host_ports(container)
    if spec.get("enableServiceLinks") is None:
        spec["enableServiceLinks"] = True


def _default_requests(resources: Object) -> None:
    """Requests that are not given equal the limits."""
    limits = resources.get("limits")
    if limits:
        resources["requests"] = {**limits, **(resources.get("requests") or {})}


def _default_host_ports(container: Object) -> None:
    for port in container.get("ports") or ():
        if not port.get("hostPort") and port.get("containerPort"):
            port["hostPort"] = port["containerPort"]


def _default_status(status: Object, _ctx: RuleContext) -> None:
    """Keep the one address and the list of addresses in step."""
    # upstream: pkg/apis/core/v1/defaults.go SetDefaults_PodStatus
    address, addresses = status.get("podIP"), status.get("podIPs")
    if address and (not addresses or addresses[0].get("ip") != address):
        status["podIPs"] = [{"ip": address}]
    elif addresses and not address:
        status["podIP"] = addresses[0].get("ip", "")


RULES = (
    TypeRule(type="io.k8s.api.core.v1.Pod", default=_default_pod),
    TypeRule(type="io.k8s.api.core.v1.PodStatus", default=_default_status),
)
