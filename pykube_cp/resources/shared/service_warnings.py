"""Warnings about services."""
# upstream: pkg/api/service/warnings.go GetWarningsForService

from pykube_cp.machinery import addresses, objects
from pykube_cp.machinery.field_errors import Path
from pykube_cp.machinery.objects import Object

_HINTS = "service.kubernetes.io/topology-aware-hints"
_MODE = "service.kubernetes.io/topology-mode"


def warnings(service: Object, _old: Object | None) -> list[str]:
    spec, path = service["spec"], Path("spec")
    found = []
    if _HINTS in objects.annotations(service):
        found.append(f"annotation {_HINTS} is deprecated, please use {_MODE} instead")
    if spec.get("clusterIP") and spec["clusterIP"] != "None":
        found += _ips(spec.get("clusterIPs"), path.child("clusterIPs"))
    headless = spec.get("type") == "ClusterIP" and spec.get("clusterIP") == "None"
    found += _headless(spec) if headless else []
    external = spec.get("externalIPs") or []
    found += _ips(external, path.child("externalIPs"))
    if external and not headless and spec.get("type") != "ExternalName":
        text = "spec.externalIPs is deprecated and may no longer be implemented in some clusters"
        found.append(text)
    if spec.get("loadBalancerIP"):
        found += addresses.warnings_for_ip(path.child("loadBalancerIP"), spec["loadBalancerIP"])
    for position, cidr in enumerate(spec.get("loadBalancerSourceRanges") or ()):
        where = path.child("loadBalancerSourceRanges").index(position)
        found += addresses.warnings_for_cidr(where, cidr)
    return found + _types(spec)


def of_status(obj: Object) -> list[str]:
    """Of the addresses that a load balancer gave a service or an ingress."""
    balancer = (obj.get("status") or {}).get("loadBalancer") or {}
    found = []
    for position, ingress in enumerate(balancer.get("ingress") or ()):
        if ingress.get("ip"):
            path = Path("status", "loadBalancer", "ingress").index(position)
            found += addresses.warnings_for_ip(path, ingress["ip"])
    return found


def _ips(values: list[str] | None, path: Path) -> list[str]:
    found = []
    for position, value in enumerate(values or ()):
        found += addresses.warnings_for_ip(path.index(position), value)
    return found


def _headless(spec: Object) -> list[str]:
    found = []
    if spec.get("loadBalancerIP"):
        found.append("spec.loadBalancerIP is ignored for headless services")
    if spec.get("externalIPs"):
        found.append("spec.externalIPs is ignored for headless services")
    if spec.get("sessionAffinity") != "None":
        found.append("spec.SessionAffinity is ignored for headless services")
    return found


def _types(spec: Object) -> list[str]:
    found = []
    if spec.get("type") == "ExternalName":
        if spec.get("externalIPs"):
            found.append('spec.externalIPs is ignored when spec.type is "ExternalName"')
    elif spec.get("externalName"):
        found.append('spec.externalName is ignored when spec.type is not "ExternalName"')
    if spec.get("trafficDistribution") == "PreferClose":
        found.append('spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"')
    return found
