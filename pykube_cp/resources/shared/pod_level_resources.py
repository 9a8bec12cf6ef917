"""What pod-level resources get from those of the containers."""
# upstream: pkg/api/pod/util.go DefaultPodLevelResources

from pykube_cp.machinery import pod_resources
from pykube_cp.machinery.objects import Object

_HUGE_PAGES = "hugepages-"


def set_defaults(pod: Object) -> None:
    """Complete the pod's own requests and limits, if it has any."""
    resources = pod["spec"].get("resources")
    if not resources or not (resources.get("requests") or resources.get("limits")):
        return
    parts = {key: pod["spec"].get(key) or [] for key in ("containers", "initContainers")}
    alone: Object = {"spec": parts}
    limits = {k: str(v) for k, v in pod_resources.pod_limits(alone).items()}
    requests = {k: str(v) for k, v in pod_resources.pod_requests(alone).items()}
    _default_huge_pages(resources, limits)
    _default_requests(resources, requests)
    _default_limits(resources, limits, parts["containers"] + parts["initContainers"])


def _default_huge_pages(resources: Object, aggregated: dict[str, str]) -> None:
    own = resources.get("limits") or {}
    requested = resources.get("requests") or {}
    added = {
        name: amount
        for name, amount in aggregated.items()
        if name.startswith(_HUGE_PAGES) and name not in own and name not in requested
    }
    if added:
        resources["limits"] = own | added


def _default_requests(resources: Object, aggregated: dict[str, str]) -> None:
    own = resources.get("requests") or {}
    sources = {name: amount for name, amount in aggregated.items() if name in {"cpu", "memory"}}
    limits = (resources.get("limits") or {}).items()
    supported = {k: v for k, v in limits if pod_resources.is_supported_pod_level(k)}
    merged = supported | sources | own
    if merged:
        resources["requests"] = merged


def _default_limits(
    resources: Object, aggregated: dict[str, str], containers: list[Object]
) -> None:
    """Only of what every container limits; never below the pod's request."""
    own = resources.get("limits") or {}
    limited = [(container.get("resources") or {}).get("limits") or {} for container in containers]
    added = {}
    for name, request in (resources.get("requests") or {}).items():
        if name in own or not pod_resources.is_supported_pod_level(name):
            continue
        if all(name in limits for limits in limited) and name in aggregated:
            pair = pod_resources.parse_list({"limit": aggregated[name], "request": request})
            added[name] = aggregated[name] if pair["limit"] > pair["request"] else str(request)
    if added:
        resources["limits"] = own | added
