"""PodSpec, in pods and in templates."""

from collections.abc import Mapping

from pykube_cp.machinery import names, pod_resources
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.quantity import Quantity
from pykube_cp.registry.rules import Arrangement, RuleContext, TypeRule
from pykube_cp.resources.shared import (
    checks,
    pod_containers,
    pod_order,
    pod_system,
    pod_volumes,
    resource_names,
    resource_requirements,
    tolerations,
)

_MAX_INT32 = 2**31 - 1
_RESTART_POLICIES = ("Always", "OnFailure", "Never")
_DNS_POLICIES = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
_PREEMPTION = ("PreemptLowerPriority", "Never")
_MAX_NAMESERVERS, _MAX_SEARCHES, _MAX_SEARCH_LIST = 3, 32, 2048
_MAX_HOSTNAME = 64


def _default(spec: Object, _ctx: RuleContext) -> None:
    # upstream: pkg/apis/core/v1/defaults.go SetDefaults_PodSpec
    account = spec.get("serviceAccountName") or spec.get("serviceAccount")
    if account:
        spec["serviceAccountName"] = spec["serviceAccount"] = account
    if not spec.get("dnsPolicy"):
        spec["dnsPolicy"] = "ClusterFirst"
    if not spec.get("restartPolicy"):
        spec["restartPolicy"] = "Always"
    if spec.get("securityContext") is None:
        spec["securityContext"] = {}
    if spec.get("terminationGracePeriodSeconds") is None:
        spec["terminationGracePeriodSeconds"] = 30
    if not spec.get("schedulerName"):
        spec["schedulerName"] = "default-scheduler"


def _validate(spec: Object, path: Path, ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go ValidatePodSpec
    is_pod = ctx.kind.kind == "Pod"
    own_name = (ctx.root.get("metadata") or {}).get("name", "") if is_pod else ""
    found = []
    if spec.get("terminationGracePeriodSeconds") is None:
        found.append(FieldError.required(path.child("terminationGracePeriodSeconds")))
    given = _volumes(spec, ctx)
    volumes, wrong = pod_volumes.check_volumes(given, own_name, path.child("volumes"))
    found += wrong
    claims = spec.get("resourceClaims") or []
    found += pod_volumes.check_claims(claims, path.child("resourceClaims"))
    claim_names = frozenset(claim["name"] for claim in claims if claim.get("name"))
    around = pod_containers.Surroundings(spec, volumes, claim_names)
    return found + pod_containers.check(around, path)


def _validate_host_ports(spec: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    return pod_containers.host_ports(spec.get("containers") or [], path.child("containers"))


def _validate_policies(spec: Object, path: Path, ctx: RuleContext) -> checks.Errors:
    is_pod = ctx.kind.kind == "Pod"
    found = _resources(spec, path)
    found += pod_system.check_host_network(spec, path.child("containers"), is_pod=is_pod)
    found += checks.chosen(spec, path, "restartPolicy", _RESTART_POLICIES)
    found += checks.chosen(spec, path, "dnsPolicy", _DNS_POLICIES)
    return found + checks.labels(spec.get("nodeSelector") or {}, path.child("nodeSelector"))


def _validate_shared(spec: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    return pod_system.check_shared(spec, path)


def _validate_placing(spec: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    found = _dns(spec, path.child("dnsConfig")) + _gates(spec, path)
    return found + _spread(spec, path.child("topologySpreadConstraints"))


def _validate_rest(spec: Object, path: Path, ctx: RuleContext) -> checks.Errors:
    found = pod_system.check_host(spec, path)
    found += _names(spec, path, in_set=ctx.kind.kind == "StatefulSet")
    found += tolerations.check(spec.get("tolerations") or [], path.child("tolerations"))
    found += _host_aliases(spec, path.child("hostAliases"))
    found += _classes(spec, path) + pod_system.check_system(spec, path)
    volumes = {volume.get("name") or "": volume for volume in _volumes(spec, ctx)}
    return found + pod_volumes.check_file_keys(spec, volumes, path)


_ORDER = (
    "volumes",
    "containers",
    _validate_host_ports,
    "initContainers",
    "ephemeralContainers",
    Arrangement(pod_order.rank),
    _validate_policies,
    "securityContext",
    _validate_shared,
    "affinity",
    _validate_placing,
    "topologySpreadConstraints",
    _validate_rest,
)


def _volumes(spec: Object, ctx: RuleContext) -> list[Object]:
    """A StatefulSet's claims are volumes of its pods, before others of the same name."""
    given: list[Object] = spec.get("volumes") or []
    if ctx.kind.kind != "StatefulSet":
        return given
    templates = (ctx.root.get("spec") or {}).get("volumeClaimTemplates") or ()
    names_made = [(template.get("metadata") or {}).get("name", "") for template in templates]
    made: list[Object] = [
        {"name": name, "persistentVolumeClaim": {"claimName": name}}
        for name in dict.fromkeys(names_made)
    ]
    return made + [volume for volume in given if volume.get("name") not in names_made]


def _resources(spec: Object, path: Path) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go validatePodResources
    resources, where = spec.get("resources"), path.child("resources")
    if resources is None:
        return []
    if (spec.get("os") or {}).get("name") == "windows":
        return [FieldError.forbidden(where, "may not be set for a windows pod")]
    found = []
    if resources.get("claims") is not None:
        text = "claims may not be set for Resources at pod-level"
        found.append(FieldError.forbidden(where.child("claims"), text))
    found += resource_requirements.check_of_pod(resources, where)
    return found + _consistent(spec, resources, where)


def _consistent(spec: Object, resources: Object, path: Path) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go validatePodResourceConsistency
    fields = ("containers", "initContainers")
    alone: Object = {"spec": {field: spec.get(field) or [] for field in fields}}
    found = []
    for field, total in (
        ("requests", pod_resources.pod_requests(alone)),
        ("limits", pod_resources.pod_limits(alone)),
    ):
        given = pod_resources.parse_list(resources.get(field))
        for name in sorted(total.keys() & given.keys()):
            if field == "limits" and not resource_names.is_huge_pages(name):
                continue
            if total[name] > given[name]:
                text = (
                    f"must be greater than or equal to aggregate container {field} of {total[name]}"
                )
                where = path.child(field).key(name)
                found.append(FieldError.invalid(where, str(given[name]), text))
    limits = pod_resources.parse_list(resources.get("limits"))
    return found + _container_limits(spec, limits, path)


def _container_limits(spec: Object, limits: Mapping[str, Quantity], path: Path) -> checks.Errors:
    found = []
    for position, container in enumerate(spec.get("containers") or ()):
        own = pod_resources.parse_list((container.get("resources") or {}).get("limits"))
        for name in sorted(own.keys() & limits.keys()):
            if own[name] > limits[name]:
                text = f"must be less than or equal to pod limits of {limits[name]}"
                where = path.child("containers").index(position).key(name).child("limits")
                found.append(FieldError.invalid(where, str(own[name]), text))
    return found


def _dns(spec: Object, path: Path) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go validatePodDNSConfig
    config = spec.get("dnsConfig")
    if spec.get("dnsPolicy") == "None":
        if config is None:
            text = "must provide `dnsConfig` when `dnsPolicy` is None"
            return [FieldError.required(path, text)]
        if not config.get("nameservers"):
            text = "must provide at least one DNS nameserver when `dnsPolicy` is None"
            return [FieldError.required(path.child("nameservers"), text)]
    if config is None:
        return []
    servers, where = config.get("nameservers") or [], path.child("nameservers")
    found = []
    if len(servers) > _MAX_NAMESERVERS:
        text = f"must not have more than {_MAX_NAMESERVERS} nameservers"
        found.append(FieldError.invalid(where, servers, text))
    for position, server in enumerate(servers):
        found += checks.address(server, where.index(position))
    found += _searches(config.get("searches") or [], path.child("searches"))
    for position, option in enumerate(config.get("options") or ()):
        if not option.get("name"):
            where = path.child("options").index(position)
            found.append(FieldError.required(where, "must not be empty"))
    return found


def _searches(searches: list[str], path: Path) -> checks.Errors:
    found = []
    if len(searches) > _MAX_SEARCHES:
        text = f"must not have more than {_MAX_SEARCHES} search paths"
        found.append(FieldError.invalid(path, searches, text))
    if len(" ".join(searches)) > _MAX_SEARCH_LIST:
        text = (
            f"must not have more than {_MAX_SEARCH_LIST} characters (including spaces) "
            "in the search list"
        )
        found.append(FieldError.invalid(path, searches, text))
    for position, search in enumerate(searches):
        if search == ".":
            continue
        name = search.removesuffix(".")
        wrong = names.is_dns1123_subdomain_with_underscore(name)
        found += checks.invalid(path.index(position), name, wrong)
    return found


def _gates(spec: Object, path: Path) -> checks.Errors:
    """What holds a pod back from being ready and from being scheduled."""
    found = []
    for position, gate in enumerate(spec.get("readinessGates") or ()):
        where = path.child("readinessGates").index(position)
        found += checks.qualified(gate.get("conditionType") or "", where.child("conditionType"))
    seen: set[str] = set()
    for position, gate in enumerate(spec.get("schedulingGates") or ()):
        where, name = path.child("schedulingGates").index(position), gate.get("name") or ""
        found += checks.qualified(name, where)
        if name in seen:
            found.append(FieldError.duplicate(where, name))
        seen.add(name)
    return found


def _spread(spec: Object, path: Path) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go ValidateSpreadConstraintNotRepeat
    constraints = spec.get("topologySpreadConstraints") or []
    keys = [(c.get("topologyKey", ""), c.get("whenUnsatisfiable", "")) for c in constraints]
    found = []
    for position, key in enumerate(keys):
        if key in keys[position + 1 :]:
            where = path.index(position).child("{topologyKey, whenUnsatisfiable}")
            found.append(FieldError.duplicate(where, f"{{{key[0]}, {key[1]}}}"))
    return found


def _names(spec: Object, path: Path, *, in_set: bool) -> checks.Errors:
    """Names of other things. In a StatefulSet hostnames are not the template's to give."""
    found = _hostname_override(spec, path)
    found += checks.named(spec, path, "serviceAccountName")
    account, old_account = spec.get("serviceAccountName", ""), spec.get("serviceAccount", "")
    if account != old_account:
        text = f'must be the same as serviceAccountName: "{account}"'
        where = path.child("deprecatedServiceAccount")
        found.append(FieldError.invalid(where, old_account, text))
    found += checks.named(spec, path, "nodeName")
    found += checks.in_range(spec, path, "activeDeadlineSeconds", 1, _MAX_INT32)
    for field in () if in_set else ("hostname", "subdomain"):
        found += checks.named(spec, path, field, names.is_dns1123_label)
    return found


def _hostname_override(spec: Object, path: Path) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go validatePodHostName
    name, where = spec.get("hostnameOverride"), path.child("hostnameOverride")
    if name is None:
        return []
    found = [
        FieldError.forbidden(where, f"may not be specified when {field} is true")
        for field in ("setHostnameAsFQDN", "hostNetwork")
        if spec.get(field)
    ]
    if len(name) > _MAX_HOSTNAME:
        found.append(FieldError.too_long(where, "", _MAX_HOSTNAME))
    return found + checks.subdomain(name, where)


def _classes(spec: Object, path: Path) -> checks.Errors:
    found = checks.named(spec, path, "priorityClassName")
    if (runtime := spec.get("runtimeClassName")) is not None:
        found += checks.subdomain(runtime, path.child("runtimeClassName"))
    if (policy := spec.get("preemptionPolicy")) is not None:
        found += checks.chosen({"preemptionPolicy": policy}, path, "preemptionPolicy", _PREEMPTION)
    overhead = spec.get("overhead")
    if overhead is not None:
        where = path.child("overhead")
        found += resource_requirements.check_of_container({"limits": overhead}, where)
    return found


def _host_aliases(spec: Object, path: Path) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go ValidateHostAliases
    found = []
    for position, alias in enumerate(spec.get("hostAliases") or ()):
        where = path.index(position)
        found += checks.address(alias.get("ip") or "", where.child("ip"))
        for number, name in enumerate(alias.get("hostnames") or ()):
            found += checks.subdomain(name, where.child("hostnames").index(number))
    return found


RULES = (
    TypeRule(type="io.k8s.api.core.v1.PodSpec", default=_default, validate=_validate, order=_ORDER),
)
