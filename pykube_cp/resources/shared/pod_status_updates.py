"""What kubelets may say about a pod."""
# upstream: pkg/apis/core/validation/validation.go ValidatePodStatusUpdate

from pykube_cp.machinery import addresses, names
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.resources.shared import pod_updates
from pykube_cp.resources.shared.go_names import internal

_SYSTEM_CONDITIONS = {"PodScheduled", "Ready", "Initialized"}
_HEALTH = ("Healthy", "Unhealthy", "Unknown")
_STATUSES = ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses")
_CONTAINERS = dict(
    zip(_STATUSES, ("containers", "initContainers", "ephemeralContainers"), strict=True)
)
_MAX_UINT32 = 2**32 - 1
_MESSAGE_LIMIT = 1024


def validate(pod: Object, old: Object) -> list[FieldError]:
    status, before = pod["status"], old.get("status") or {}
    spec, path = old["spec"], Path("status")
    found = pod_updates.annotation_updates(pod, old)
    found += _conditions(status.get("conditions") or [], path.child("conditions"))
    found += _nominated(status, before, spec, path.child("nominatedNodeName"))
    if (status.get("observedGeneration") or 0) < 0:
        text = "must be a non-negative integer"
        where = path.child("observedGeneration")
        found.append(FieldError.invalid(where, status["observedGeneration"], text))
    found += pod_updates.validate_same_quality(pod, old)
    found += _transitions(status, before, spec, path)
    found += _claims(status, spec, path)
    found += _pod_ips(status, before, path.child("podIPs"))
    found += _host_ips(status, before, path.child("hostIPs"))
    os_name = (spec.get("os") or {}).get("name") or "linux"
    for field in _STATUSES:
        found += _users(status.get(field) or [], os_name, path.child(field))
    return found + _health(status, spec, path)


def _conditions(conditions: list[Object], path: Path) -> list[FieldError]:
    found = []
    for position, condition in enumerate(conditions):
        where = path.index(position)
        if (condition.get("observedGeneration") or 0) < 0:
            text = "must be a non-negative integer"
            value = condition["observedGeneration"]
            found.append(FieldError.invalid(where.child("observedGeneration"), value, text))
        kind = condition.get("type") or ""
        if kind not in _SYSTEM_CONDITIONS:
            for text in names.is_qualified_name(kind):
                found.append(FieldError.invalid(where.child("Type"), kind, text))
    return found


def _nominated(status: Object, before: Object, spec: Object, path: Path) -> list[FieldError]:
    name = status.get("nominatedNodeName") or ""
    if not name or name == before.get("nominatedNodeName"):
        return []
    texts = names.is_dns1123_subdomain(name)
    found = [FieldError.invalid(path, name, text) for text in texts]
    if spec.get("nodeName"):
        text = "may not be set on pods that are already bound to a node"
        found.append(FieldError.forbidden(path, text))
    return found


def _transitions(status: Object, before: Object, spec: Object, path: Path) -> list[FieldError]:
    """What has ended for good does not run again."""
    # upstream: ValidateContainerStateTransition
    found = []
    for field in _STATUSES:
        if field != _STATUSES[2] and _all_may_restart(spec):
            continue
        now = {item.get("name"): item for item in status.get(field) or ()}
        containers = {c.get("name"): c for c in spec.get(_CONTAINERS[field]) or ()}
        for position, item in enumerate(before.get(field) or ()):
            ended = (item.get("state") or {}).get("terminated")
            name = item.get("name")
            if ended is None or name not in now:
                continue
            if (now[name].get("state") or {}).get("terminated") is not None:
                continue
            container = containers.get(name) if field != _STATUSES[2] else None
            if container is None or not _may_restart(container, spec, ended.get("exitCode", 0)):
                where = path.child(field).index(position).child("state")
                text = "may not be transitioned to non-terminated state"
                found.append(FieldError.forbidden(where, text))
    return found


def _all_may_restart(spec: Object) -> bool:
    return any(
        rule.get("action") == "RestartAllContainers"
        for field in ("initContainers", "containers")
        for container in spec.get(field) or ()
        for rule in container.get("restartPolicyRules") or ()
    )


def _may_restart(container: Object, spec: Object, code: int) -> bool:
    # upstream: pkg/api/v1/pod/util.go ContainerShouldRestart
    policy = spec.get("restartPolicy") or "Always"
    if container.get("restartPolicy") is not None:
        if any(_matches(rule, code) for rule in container.get("restartPolicyRules") or ()):
            return True
        policy = container["restartPolicy"]
    return policy == "Always" or (policy == "OnFailure" and code != 0)


def _matches(rule: Object, code: int) -> bool:
    codes = rule.get("exitCodes")
    if codes is None:
        return False
    return (code in (codes.get("values") or ())) is (codes.get("operator") == "In")


def _claims(status: Object, spec: Object, path: Path) -> list[FieldError]:
    # upstream: validatePodResourceClaimStatuses
    known = {claim.get("name") for claim in spec.get("resourceClaims") or ()}
    found = []
    seen: set[str] = set()
    for position, claim in enumerate(status.get("resourceClaimStatuses") or ()):
        where = path.child("resourceClaimStatuses").index(position)
        name = claim.get("name", "")
        if name not in known:
            text = "must match the name of an entry in `spec.resourceClaims`"
            found.append(FieldError.invalid(where.child("name"), name, text))
        if name in seen:
            found.append(FieldError.duplicate(where.child("name"), name))
        seen.add(name)
        made = claim.get("resourceClaimName")
        for text in names.is_dns1123_subdomain(made) if made is not None else ():
            found.append(FieldError.invalid(where.child("resourceClaimName"), made, text))
    return found


def _ips(now: list[Object], before: list[Object], path: Path) -> list[FieldError]:
    known = {item.get("ip", "") for item in before}
    found = []
    for position, item in enumerate(now):
        found += addresses.is_valid_ip_for_legacy_field(
            path.index(position), item.get("ip", ""), strict=True, valid_old=known
        )
    if len(now) > 1:
        parsed = [addresses.parse_ip_sloppy(item.get("ip", "")) for item in now]
        families = {address.version for address in parsed if address is not None}
        if None in parsed or len(families) != 2 or len(now) > 2:
            text = "may specify no more than one IP for each IP family"
            shown = [internal(item, "io.k8s.api.core.v1.PodIP") for item in now]
            found.append(FieldError.invalid(path, shown, text))
    return found


def _pod_ips(status: Object, before: Object, path: Path) -> list[FieldError]:
    one, many = status.get("podIP") or "", status.get("podIPs") or []
    found = _ips(many, before.get("podIPs") or [], path)
    if bool(one) is not bool(many):
        text = "podIP and podIPs must either both be set or both be unset"
        found.append(FieldError.invalid(path, many, text))
    elif many and many[0].get("ip") != one:
        where = path.index(0).child("ip")
        found.append(FieldError.invalid(where, many[0].get("ip"), "must be equal to `podIP`"))
    return found


def _host_ips(status: Object, before: Object, path: Path) -> list[FieldError]:
    many = status.get("hostIPs") or []
    if not many:
        return []
    found = []
    if many[0].get("ip") != (status.get("hostIP") or ""):
        where = path.index(0).child("ip")
        found.append(FieldError.invalid(where, many[0].get("ip"), "must be equal to `hostIP`"))
    return found + _ips(many, before.get("hostIPs") or [], path)


def _users(statuses: list[Object], os_name: str, path: Path) -> list[FieldError]:
    # upstream: validateContainerStatusUsers
    found = []
    for position, status in enumerate(statuses):
        linux = (status.get("user") or {}).get("linux")
        if linux is None:
            continue
        where = path.index(position).child("user", "linux")
        if os_name == "windows":
            found.append(FieldError.forbidden(where, "cannot be set for a windows pod"))
            continue
        uid = linux.get("uid", 0)
        if not 0 <= uid <= _MAX_UINT32:
            text = f"must be between 0 and {_MAX_UINT32}, inclusive"
            found.append(FieldError.invalid(where.child("uid"), uid, text))
        groups = [(where.child("gid"), linux.get("gid", 0))]
        for index, group in enumerate(linux.get("supplementalGroups") or ()):
            groups.append((where.child("supplementalGroups").index(index), group))
        for place, group in groups:
            for text in names.is_valid_group_id(group):
                found.append(FieldError.invalid(place, group, text))
    return found


def _health(status: Object, spec: Object, path: Path) -> list[FieldError]:
    # upstream: validateContainerStatusAllocatedResourcesStatus
    found = []
    for field in _STATUSES[:2]:
        containers = {c.get("name"): c for c in spec.get(_CONTAINERS[field]) or ()}
        for position, item in enumerate(status.get(field) or ()):
            where = path.child(field).index(position).child("allocatedResourcesStatus")
            for index, allocated in enumerate(item.get("allocatedResourcesStatus") or ()):
                container = containers.get(item.get("name"))
                found += _allocated(allocated, container, where.index(index))
    for position, item in enumerate(status.get(_STATUSES[2]) or ()):
        if item.get("allocatedResourcesStatus"):
            where = path.child(_STATUSES[2]).index(position).child("allocatedResourcesStatus")
            text = "must not be specified in container status"
            found.append(FieldError.forbidden(where, text))
    return found


def _allocated(allocated: Object, container: Object | None, path: Path) -> list[FieldError]:
    found = []
    name = allocated.get("name", "")
    resources = (container or {}).get("resources") or {}
    if container is not None and not name.startswith("claim:"):
        if name not in (resources.get("requests") or {}):
            text = "must match one of the container's resource requests"
            found.append(FieldError.invalid(path.child("name"), name, text))
    seen: set[str] = set()
    for position, resource in enumerate(allocated.get("resources") or ()):
        where = path.child("resources").index(position)
        if resource.get("health") not in _HEALTH:
            health = resource.get("health", "")
            found.append(FieldError.not_supported(where.child("health"), health, _HEALTH))
        message = resource.get("message")
        if message is not None and not message:
            text = "must be non-empty if specified"
            found.append(FieldError.required(where.child("message"), text))
        elif message is not None and len(message) > _MESSAGE_LIMIT:
            found.append(FieldError.too_long(where.child("message"), message, _MESSAGE_LIMIT))
        identity = resource.get("resourceID", "")
        if identity in seen:
            found.append(FieldError.duplicate(where.child("resourceID"), identity))
        seen.add(identity)
    return found
