"""How Pods become endpoints of a Service: what both endpoint controllers share."""
# upstream: endpointslice util/controller_utils.go

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from pykube_cp.controllers.interface import ControllerContext
from pykube_cp.controllers.shared import pods as pod_states
from pykube_cp.controllers.shared.cluster_kinds import SERVICES
from pykube_cp.machinery import objects
from pykube_cp.machinery.addresses import parse_ip_sloppy
from pykube_cp.machinery.containers import lasting
from pykube_cp.machinery.objects import Object

TRIGGER_TIME_ANNOTATION = "endpoints.kubernetes.io/last-change-trigger-time"
HEADLESS_LABEL = "service.kubernetes.io/headless"


def pod_ips(pod: Object) -> list[str]:
    """The Pod's addresses, in canonical form."""
    found = objects.nested(pod, "status", "podIPs", default=[])
    return [canonical for item in found if (canonical := canonical_ip(item.get("ip", "")))]


def canonical_ip(text: str) -> str:
    """The address as it is usually written; empty where it is none."""
    address = parse_ip_sloppy(text)
    return "" if address is None else str(address)


def is_ipv6(address: str) -> bool:
    return ":" in address


def should_be_in_endpoints(pod: Object, *, include_terminating: bool) -> bool:
    # upstream: endpointslice util/controller_utils.go ShouldPodBeInEndpoints
    status = pod.get("status") or {}
    if pod_states.is_terminal(pod):
        return False
    if not status.get("podIP") and not status.get("podIPs"):
        return False
    return include_terminating or not objects.is_deleting(pod)


def hostname_for(pod: Object, service: Object) -> str:
    """The name by which DNS shall know the Pod under the Service, if any."""
    # upstream: endpointslice util/controller_utils.go ShouldSetHostname
    spec = pod["spec"]
    hostname: str = spec.get("hostname", "")
    same_namespace = objects.namespace(pod) == objects.namespace(service)
    under_service = spec.get("subdomain", "") == objects.name(service)
    return hostname if same_namespace and under_service else ""


def find_port(pod: Object, service_port: Object) -> int | None:
    """The number that a Service port stands for in this Pod."""
    # upstream: endpointslice utils.go FindPort
    target = service_port.get("targetPort", 0)
    if isinstance(target, int):
        return target
    protocol = service_port.get("protocol", "TCP")
    for container in lasting(pod):
        for port in container.get("ports") or ():
            if port.get("name") == target and port.get("protocol", "TCP") == protocol:
                number: int = port["containerPort"]
                return number
    return None


def selected_pods(service: Object, pods: Iterable[Object]) -> list[Object]:
    """Those of ``pods`` that the Service selects."""
    wanted = service["spec"]["selector"].items()
    return [pod for pod in pods if wanted <= objects.labels(pod).items()]


def is_headless(service: Object) -> bool:
    return service["spec"].get("clusterIP", "") in {"", "None"}


def selects_pods(service: Object) -> bool:
    """Whether the endpoints of the Service follow from Pods; an empty selector is none."""
    spec = service["spec"]
    return spec.get("type") != "ExternalName" and bool(spec.get("selector"))


# --- which Services a changed Pod concerns


def selector_index(service: Object) -> list[str]:
    """Index values under which a Service is found by one of its selector's terms."""
    selector = service["spec"].get("selector")
    if not selector:
        return []
    name, value = min(selector.items())
    return [f"{objects.namespace(service)}/{name}={value}"]


SELECTOR_INDEX = "endpoint-pods-selector"
Lookup = Callable[[str], Iterable[Object]]


def services_of(pod: Object, lookup: Lookup) -> set[str]:
    """Keys of the Services that select the Pod; ``lookup`` asks the ``selector_index``."""
    namespace, labels = objects.namespace(pod), objects.labels(pod)
    return {
        objects.key(service)
        for name, value in labels.items()
        for service in lookup(f"{namespace}/{name}={value}")
        if service["spec"]["selector"].items() <= labels.items()
    }


def pod_changed(ctx: ControllerContext, old: Object | None, new: Object | None) -> Iterable[str]:
    """For a ``Watch``: the keys of the Services that an event on a Pod wakes."""
    services = ctx.lister(SERVICES)
    return services_to_update(old, new, lambda term: services.by_index(SELECTOR_INDEX, term))


def services_to_update(old: Object | None, new: Object | None, lookup: Lookup) -> set[str]:
    """Keys of the Services whose endpoints an event on a Pod may change; None is no object."""
    # upstream: endpointslice util/controller_utils.go GetPodUpdateProjectionKey
    if old is None or new is None:
        pod = new or old
        return services_of(pod, lookup) if pod else set()
    changed, moved = _pod_changed(old, new), _membership_changed(old, new)
    if not changed and not moved:
        return set()
    services = services_of(new, lookup)
    if not moved:
        return services
    old_services = services_of(old, lookup)
    return services | old_services if changed else services ^ old_services


def _membership_changed(old: Object, new: Object) -> bool:
    return objects.labels(old) != objects.labels(new) or any(
        old["spec"].get(field) != new["spec"].get(field) for field in ("hostname", "subdomain")
    )


def _pod_changed(old: Object, new: Object) -> bool:
    if objects.metadata(old).get("deletionTimestamp") != objects.metadata(new).get(
        "deletionTimestamp"
    ):
        return True
    if pod_states.is_ready(old) != pod_states.is_ready(new):
        return True
    addresses = ("status", "podIPs")
    return bool(objects.nested(old, *addresses) != objects.nested(new, *addresses)) or bool(
        pod_states.is_terminal(old) != pod_states.is_terminal(new)
    )


# --- when the change happened that endpoints now show


@dataclass(slots=True)
class _Seen:
    """Times last seen for one Service."""

    service: str = ""
    pods: dict[str, str] = field(default_factory=dict)


class TriggerTimes:
    """Finds the time to export as ``endpoints.kubernetes.io/last-change-trigger-time``.

    Times are texts as objects have them, whole seconds in UTC, so they compare as they are.
    """

    # upstream: endpointslice util/trigger_time_tracker.go TriggerTimeTracker

    def __init__(self) -> None:
        self._seen: dict[str, _Seen] = {}

    def compute(self, service: Object, pods: Iterable[Object]) -> str:
        """The time of the earliest change since the last call, or an empty text."""
        key = objects.key(service)
        known = self._seen.get(key)
        before = known or _Seen()
        created: str = objects.metadata(service).get("creationTimestamp") or ""
        now = _Seen(created, {name: time for pod in pods for name, time in _pod_time(pod)})
        self._seen[key] = now
        if known is None:
            return created
        changed = [time for name, time in now.pods.items() if time > before.pods.get(name, "")]
        if created > before.service:
            changed.append(created)
        return min(changed, default="")

    def forget(self, key: str) -> None:
        self._seen.pop(key, None)


def _pod_time(pod: Object) -> Iterable[tuple[str, str]]:
    condition = pod_states.condition(pod, "Ready")
    if condition and (time := condition.get("lastTransitionTime")):
        yield objects.name(pod), time
