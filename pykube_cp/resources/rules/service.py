"""Services."""

from pykube_cp.machinery import names, objects
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.resources.shared import checks, service_fields, service_ips, service_updates
from pykube_cp.resources.shared.go_names import internal

_AFFINITY_SECONDS = 10800


def _default(service: Object, _ctx: RuleContext) -> None:
    # upstream: pkg/apis/core/v1/defaults.go SetDefaults_Service
    spec = service.setdefault("spec", {})
    _default_affinity(spec)
    kind = spec["type"] = spec.get("type") or "ClusterIP"
    for port in spec.get("ports") or ():
        _default_port(port)
    exposed = kind in {"LoadBalancer", "NodePort"}
    if not spec.get("externalTrafficPolicy") and (
        exposed or (kind == "ClusterIP" and spec.get("externalIPs"))
    ):
        spec["externalTrafficPolicy"] = "Cluster"
    if spec.get("internalTrafficPolicy") is None and (exposed or kind == "ClusterIP"):
        spec["internalTrafficPolicy"] = "Cluster"
    if kind == "LoadBalancer":
        _default_load_balancer(service, spec)


def _default_affinity(spec: Object) -> None:
    affinity = spec["sessionAffinity"] = spec.get("sessionAffinity") or "None"
    if affinity == "None":
        spec.pop("sessionAffinityConfig", None)
    elif affinity == "ClientIP":
        config = spec.get("sessionAffinityConfig") or {}
        if (config.get("clientIP") or {}).get("timeoutSeconds") is None:
            spec["sessionAffinityConfig"] = {"clientIP": {"timeoutSeconds": _AFFINITY_SECONDS}}


def _default_port(port: Object) -> None:
    if not port.get("protocol"):
        port["protocol"] = "TCP"
    if not port.get("targetPort"):
        port["targetPort"] = port.get("port", 0)


def _default_load_balancer(service: Object, spec: Object) -> None:
    if spec.get("allocateLoadBalancerNodePorts") is None:
        spec["allocateLoadBalancerNodePorts"] = True
    status = (service.get("status") or {}).get("loadBalancer") or {}
    for ingress in status.get("ingress") or ():
        if ingress.get("ip") and ingress.get("ipMode") is None:
            ingress["ipMode"] = "VIP"


_TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
_POLICIES = ("Cluster", "Local")
_DISTRIBUTIONS = ("PreferClose", "PreferSameZone", "PreferSameNode")
_MAX_AFFINITY_SECONDS = 86400
_HINTS, _MODE = (
    "service.kubernetes.io/topology-aware-hints",
    "service.kubernetes.io/topology-mode",
)
_SOURCE_RANGES = "service.beta.kubernetes.io/load-balancer-source-ranges"
_ONLY_BALANCED = "may only be used when `type` is 'LoadBalancer'"


def _validate(service: Object, path: Path, ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go validateService
    if ctx.old is not None and _judged(service) == _judged(ctx.old):
        return []
    spec, old = service.get("spec") or {}, (ctx.old or {}).get("spec")
    where = path.child("spec")
    found = service_updates.validate(service, ctx.old) if ctx.old is not None else []
    found += _annotations(objects.annotations(service), path.child("metadata", "annotations"))
    found += _kind(spec, where)
    found += _ports(spec, where.child("ports"))
    found += checks.labels(spec.get("selector") or {}, where.child("selector"))
    found += _affinity(spec, where)
    found += service_ips.validate(spec, old)
    found += _external_ips(spec, old or {}, where.child("externalIPs"))
    found += checks.chosen(spec, where, "type", _TYPES)
    found += _node_ports(spec, where.child("ports"))
    found += _same_ports(spec, where.child("ports"))
    found += _source_ranges(service, ctx.old or {}, path)
    found += _balancer(spec, where)
    return found + _traffic(spec, where)


def _judged(service: Object) -> tuple[Object, dict[str, str]]:
    return service.get("spec") or {}, objects.annotations(service)


def _annotations(annotations: dict[str, str], path: Path) -> checks.Errors:
    hints, mode = annotations.get(_HINTS), annotations.get(_MODE)
    if hints is None or mode is None or hints == mode:
        return []
    text = f"must match annotations[{_HINTS}] when both are specified"
    return [FieldError.invalid(path.key(_MODE), mode, text)]


def _kind(spec: Object, path: Path) -> checks.Errors:
    kind, headless = spec.get("type"), service_fields.is_headless(spec)
    found = []
    if not spec.get("ports") and not headless and kind != "ExternalName":
        found.append(FieldError.required(path.child("ports")))
    if kind in {"LoadBalancer", "NodePort"} and headless:
        where = path.child("clusterIPs").index(0)
        text = f"may not be set to 'None' for {kind} services"
        found.append(FieldError.invalid(where, spec["clusterIPs"][0], text))
    return found + (_external_name(spec, path) if kind == "ExternalName" else [])


def _external_name(spec: Object, path: Path) -> checks.Errors:
    text = "may not be set for ExternalName services"
    found = [
        FieldError.forbidden(path.child(field), text)
        for field in ("clusterIPs", "ipFamilies", "ipFamilyPolicy")
        if spec.get(field)
    ]
    name, where = (spec.get("externalName") or "").removesuffix("."), path.child("externalName")
    if not name:
        return [*found, FieldError.required(where)]
    return found + checks.subdomain(name, where)


def _ports(spec: Object, path: Path) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go validateServicePort
    ports = spec.get("ports") or []
    found = []
    seen: set[str] = set()
    for position, port in enumerate(ports):
        where, name = path.index(position), port.get("name") or ""
        if name:
            found += checks.label(name, where.child("name"))
            if name in seen:
                found.append(FieldError.duplicate(where.child("name"), name))
            seen.add(name)
        elif len(ports) > 1:
            found.append(FieldError.required(where.child("name")))
        found += checks.port_number(port.get("port") or 0, where.child("port"))
        found += checks.chosen(port, where, "protocol", checks.PROTOCOLS)
        found += checks.port(port.get("targetPort"), where.child("targetPort"))
        if port.get("appProtocol") is not None:
            found += checks.qualified(port["appProtocol"], where.child("appProtocol"))
    return found


def _affinity(spec: Object, path: Path) -> checks.Errors:
    found = checks.chosen(spec, path, "sessionAffinity", ("ClientIP", "None"))
    config, where = spec.get("sessionAffinityConfig"), path.child("sessionAffinityConfig")
    if spec.get("sessionAffinity") == "None" and config is not None:
        text = "must not be set when session affinity is None"
        found.append(FieldError.forbidden(where, text))
    if spec.get("sessionAffinity") == "ClientIP":
        found += _client_ip(config, where)
    return found


def _client_ip(config: Object | None, path: Path) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go validateClientIPAffinityConfig
    text = "when session affinity type is ClientIP"
    if config is None:
        return [FieldError.required(path, text)]
    if config.get("clientIP") is None:
        return [FieldError.required(path.child("clientIP"), text)]
    seconds, where = config["clientIP"].get("timeoutSeconds"), path.child("clientIP")
    if seconds is None:
        return [FieldError.required(where.child("timeoutSeconds"), text)]
    if 0 < seconds <= _MAX_AFFINITY_SECONDS:
        return []
    text = f"must be greater than 0 and less than {_MAX_AFFINITY_SECONDS}"
    return [FieldError.invalid(where.child("timeoutSeconds"), seconds, text)]


def _external_ips(spec: Object, old: Object, path: Path) -> checks.Errors:
    known = old.get("externalIPs") or ()
    found = []
    for position, address in enumerate(spec.get("externalIPs") or ()):
        where = path.index(position)
        wrong = checks.address(address, where, known)
        found += wrong or checks.endpoint_address(address, where)
    return found


def _node_ports(spec: Object, path: Path) -> checks.Errors:
    found = []
    seen: set[tuple[str, int]] = set()
    for position, port in enumerate(spec.get("ports") or ()):
        if not port.get("nodePort"):
            continue
        where = path.index(position).child("nodePort")
        key = port.get("protocol", ""), port["nodePort"]
        if spec.get("type") == "ClusterIP":
            text = "may not be used when `type` is 'ClusterIP'"
            found.append(FieldError.forbidden(where, text))
        if key in seen:
            found.append(FieldError.duplicate(where, port["nodePort"]))
        seen.add(key)
    return found


def _same_ports(spec: Object, path: Path) -> checks.Errors:
    found = []
    seen: set[tuple[str, int]] = set()
    for position, port in enumerate(spec.get("ports") or ()):
        key = port.get("protocol", ""), port.get("port", 0)
        if key in seen:
            only: Object = {"protocol": key[0], "port": key[1]}
            shown = internal(only, "io.k8s.api.core.v1.ServicePort")
            found.append(FieldError.duplicate(path.index(position), shown))
        seen.add(key)
    return found


def _source_ranges(service: Object, old: Object, path: Path) -> checks.Errors:
    spec = service.get("spec") or {}
    balanced = spec.get("type") == "LoadBalancer"
    if ranges := spec.get("loadBalancerSourceRanges"):
        where = path.child("spec", "LoadBalancerSourceRanges")
        known = [
            value.strip() for value in (old.get("spec") or {}).get("loadBalancerSourceRanges") or ()
        ]
        found = [] if balanced else [FieldError.forbidden(where, _ONLY_BALANCED)]
        for position, value in enumerate(ranges):
            found += checks.network(value.strip(), where.index(position), known)
        return found
    text = objects.annotations(service).get(_SOURCE_RANGES)
    if text is None:
        return []
    where = path.child("metadata", "annotations").key(_SOURCE_RANGES)
    found = [] if balanced else [FieldError.forbidden(where, _ONLY_BALANCED)]
    if text.strip() and objects.annotations(old).get(_SOURCE_RANGES) != text:
        for value in text.strip().split(","):
            found += checks.network(value.strip(), where)
    return found


def _balancer(spec: Object, path: Path) -> checks.Errors:
    balanced, allocates = spec.get("type") == "LoadBalancer", "allocateLoadBalancerNodePorts"
    found = []
    if spec.get(allocates) is not None and not balanced:
        found.append(FieldError.forbidden(path.child(allocates), _ONLY_BALANCED))
    if balanced and spec.get(allocates) is None:
        found.append(FieldError.required(Path(allocates)))
    name, where = spec.get("loadBalancerClass"), path.child("loadBalancerClass")
    if name is None:
        return found
    if not balanced:
        return [*found, FieldError.forbidden(where, _ONLY_BALANCED)]
    return found + checks.qualified(name, where)


def _traffic(spec: Object, path: Path) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go validateServiceExternalTrafficPolicy
    found = []
    external, field = spec.get("externalTrafficPolicy") or "", "externalTrafficPolicy"
    if service_fields.externally_accessible(spec):
        found += checks.chosen(spec, path, field, _POLICIES)
    elif external:
        text = "may only be set for externally-accessible services"
        found.append(FieldError.invalid(path.child(field), external, text))
    found += _health_check(spec, path.child("healthCheckNodePort"))
    internal, field = spec.get("internalTrafficPolicy"), "internalTrafficPolicy"
    if internal is None and spec.get("type") in {"NodePort", "LoadBalancer", "ClusterIP"}:
        found.append(FieldError.required(path.child(field)))
    found += checks.optional(spec, path, field, _POLICIES)
    return found + checks.optional(spec, path, "trafficDistribution", _DISTRIBUTIONS)


def _health_check(spec: Object, path: Path) -> checks.Errors:
    """The port is allocated by now."""
    port = spec.get("healthCheckNodePort") or 0
    if service_fields.needs_health_check(spec):
        if not port:
            return [FieldError.required(path)]
        return checks.invalid(path, port, names.is_valid_port_num(port))
    if not port:
        return []
    text = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
    return [FieldError.invalid(path, port, text)]


RULES = (TypeRule(type="io.k8s.api.core.v1.Service", default=_default, validate=_validate),)
