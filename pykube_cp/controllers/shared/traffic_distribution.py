"""Hints in EndpointSlices for a Service's ``trafficDistribution``."""
# upstream: endpointslice trafficdist/trafficdist.go

from pykube_cp.machinery.objects import Object

PREFER_SAME_NODE = "PreferSameNode"
CLOSE = frozenset({"PreferClose", "PreferSameZone", PREFER_SAME_NODE})


def is_ready(endpoint: Object) -> bool:
    return bool((endpoint.get("conditions") or {}).get("ready"))


def needs_update(endpoint_slice: Object, distribution: str) -> bool:
    """Whether a ready endpoint has other hints than it should."""
    return any(
        _wanted_hints(endpoint, distribution) != (endpoint.get("hints") or None)
        for endpoint in endpoint_slice.get("endpoints") or ()
        if is_ready(endpoint)
    )


def update(endpoint_slice: Object, distribution: str) -> None:
    """Give every ready endpoint its hints, in place."""
    for endpoint in endpoint_slice.get("endpoints") or ():
        if is_ready(endpoint):
            set_hints(endpoint, _wanted_hints(endpoint, distribution))


def set_hints(endpoint: Object, hints: Object | None) -> None:
    if hints:
        endpoint["hints"] = hints
    else:
        endpoint.pop("hints", None)


def _wanted_hints(endpoint: Object, distribution: str) -> Object | None:
    hints: Object = {}
    if zone := endpoint.get("zone"):
        hints["forZones"] = [{"name": zone}]
    if distribution == PREFER_SAME_NODE and (node := endpoint.get("nodeName")):
        hints["forNodes"] = [{"name": node}]
    return hints or None
