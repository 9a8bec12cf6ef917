"""Fields of services that depend on one another and on the type."""
# upstream: pkg/registry/core/service/strategy.go dropTypeDependentFields

from pykube_cp.machinery.objects import Object

NONE = "None"
SINGLE_STACK, REQUIRE_DUAL_STACK = "SingleStack", "RequireDualStack"
PREFER_DUAL_STACK = "PreferDualStack"


def needs_cluster_ip(spec: Object) -> bool:
    return spec.get("type") != "ExternalName"


def has_node_ports(spec: Object) -> bool:
    return spec.get("type") in {"NodePort", "LoadBalancer"}


def allocates_node_ports(spec: Object) -> bool:
    """Whether ports that are not given are made up."""
    if spec.get("type") == "LoadBalancer":
        return spec.get("allocateLoadBalancerNodePorts") is not False
    return spec.get("type") == "NodePort"


def needs_health_check(spec: Object) -> bool:
    local = spec.get("externalTrafficPolicy") == "Local"
    return spec.get("type") == "LoadBalancer" and local


def externally_accessible(spec: Object) -> bool:
    internal = spec.get("type") == "ClusterIP" and spec.get("externalIPs")
    return has_node_ports(spec) or bool(internal)


def is_headless(spec: Object) -> bool:
    return spec.get("clusterIP") == NONE or (spec.get("clusterIPs") or [""])[0] == NONE


def node_port_numbers(spec: Object) -> list[int]:
    return [port["nodePort"] for port in spec.get("ports") or () if port.get("nodePort")]


def same(spec: Object, old: Object, *fields: str) -> bool:
    return all((spec.get(field) or None) == (old.get(field) or None) for field in fields)


def drop_for_type(service: Object, old: Object) -> None:
    """Wipe what a former type needed, unless the client changes it as well."""
    spec, before = service["spec"], old["spec"]
    if needs_cluster_ip(before) and not needs_cluster_ip(spec):
        if same(spec, before, "clusterIP", "clusterIPs"):
            _wipe(spec, "clusterIP", "clusterIPs")
        for field in ("ipFamilies", "ipFamilyPolicy"):
            if same(spec, before, field):
                _wipe(spec, field)
    known = set(node_port_numbers(before))
    if has_node_ports(before) and not has_node_ports(spec) and known >= {*node_port_numbers(spec)}:
        for port in spec.get("ports") or ():
            port.pop("nodePort", None)
    for field, applies in _TIED:
        if applies(before) and not applies(spec) and same(spec, before, field):
            _wipe(spec, field)
    if spec.get("type") != "LoadBalancer":
        service["status"] = {**(service.get("status") or {}), "loadBalancer": {}}


def _is_load_balancer(spec: Object) -> bool:
    return spec.get("type") == "LoadBalancer"


_TIED = (
    ("healthCheckNodePort", needs_health_check),
    ("allocateLoadBalancerNodePorts", _is_load_balancer),
    ("loadBalancerClass", _is_load_balancer),
    ("externalTrafficPolicy", externally_accessible),
)


def _wipe(spec: Object, *fields: str) -> None:
    for field in fields:
        spec.pop(field, None)


def normalize_cluster_ips(spec: Object, old: Object | None) -> None:
    """Keep ``clusterIP`` and ``clusterIPs`` in step for clients that know only the first."""
    # upstream: pkg/registry/core/service/storage/storage.go normalizeClusterIPs
    one, many = spec.get("clusterIP") or "", spec.get("clusterIPs") or []
    if old is None:
        if one and not many:
            spec["clusterIPs"] = [one]
        return
    old_one, old_many = old.get("clusterIP") or "", old.get("clusterIPs") or []
    if old_many and not many and one == old_one:
        spec["clusterIPs"] = many = list(old_many)
    if one != old_one and many == old_many:
        _wipe(spec, "clusterIPs")
        if one or not old_one:
            spec["clusterIPs"] = [one]


def patch_allocated(spec: Object, old: Object) -> None:
    """Fill in what was allocated before and the client leaves out."""
    # upstream: pkg/registry/core/service/storage/storage.go patchAllocatedValues
    if needs_cluster_ip(old) and needs_cluster_ip(spec):
        if not spec.get("clusterIP") and old.get("clusterIP"):
            spec["clusterIP"] = old["clusterIP"]
        first = (old.get("clusterIPs") or [None])[0]
        if not spec.get("clusterIPs") and first == spec.get("clusterIP"):
            spec["clusterIPs"] = list(old.get("clusterIPs") or [])
    if allocates_node_ports(old) and allocates_node_ports(spec):
        _patch_node_ports(spec, old)
    if needs_health_check(old) and needs_health_check(spec):
        if not spec.get("healthCheckNodePort") and old.get("healthCheckNodePort"):
            spec["healthCheckNodePort"] = old["healthCheckNodePort"]


def _patch_node_ports(spec: Object, old: Object) -> None:
    used = set(node_port_numbers(old)) & set(node_port_numbers(spec))
    by_name = {port.get("name", ""): port.get("nodePort", 0) for port in old.get("ports") or ()}
    for port in spec.get("ports") or ():
        known = by_name.get(port.get("name", ""), 0)
        if not port.get("nodePort") and known and known not in used:
            port["nodePort"] = known
