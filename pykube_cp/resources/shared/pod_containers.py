"""What is between the containers of a pod, and between them and the pod."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pykube_cp.machinery.containers import is_sidecar
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.resources.shared import checks, pod_volumes

_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_RESTART_POLICIES = ("Always", "Never", "OnFailure")
_RULE_ACTIONS = ("Restart", "RestartAllContainers")
_MAX_RULES, _MAX_EXIT_CODES = 20, 255
_RESIZABLE = ("cpu", "memory")
_RESIZES = ("NotRequired", "RestartContainer")
_ONLY_SIDECARS = "may not be set for init containers without restartPolicy=Always"
_NOT_EPHEMERAL = (
    "ports",
    "resources",
    "livenessProbe",
    "readinessProbe",
    "startupProbe",
    "lifecycle",
    "resizePolicy",
    "restartPolicy",
    "restartPolicyRules",
)


class Surroundings(NamedTuple):
    """What a container must know of its pod."""

    spec: Object
    volumes: Mapping[str, Object]
    claims: frozenset[str]


def check(around: Surroundings, path: Path) -> checks.Errors:
    found = _regular(around, path.child("containers"))
    found += _init(around, path.child("initContainers"))
    return found + _ephemeral(around, path.child("ephemeralContainers"))


def _common(container: Object, around: Surroundings, path: Path) -> checks.Errors:
    found = pod_volumes.check_mounts(container, around.volumes, path)
    found += pod_volumes.check_devices(container, around.volumes, path)
    claims = (container.get("resources") or {}).get("claims") or ()
    where = path.child("resources", "claims")
    found += pod_volumes.check_claim_names(claims, around.claims, where)
    found += _resizes(container, around.spec, path.child("resizePolicy"))
    kind = (container.get("securityContext") or {}).get("procMount")
    if kind == "Unmasked" and around.spec.get("hostUsers") is not False:
        text = "`hostUsers` must be false to use `Unmasked`"
        where = path.child("securityContext", "procMount")
        found.append(FieldError.invalid(where, kind, text))
    return found


def _regular(around: Surroundings, path: Path) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go validateContainers
    found = []
    containers = around.spec.get("containers") or []
    if not containers:
        return [FieldError.required(path)]
    for position, container in enumerate(containers):
        where = path.index(position)
        found += _common(container, around, where)
        found += _probes(container, around.spec, where)
        found += _restarts(container, where)
    return found + _duplicates(containers, set(), path)


def _init(around: Surroundings, path: Path) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go validateInitContainers
    found = []
    containers = around.spec.get("initContainers") or []
    for position, container in enumerate(containers):
        where = path.index(position)
        found += _common(container, around, where)
        found += _restarts(container, where)
        found += host_ports([container], path)
        if is_sidecar(container):
            found += _probes(container, around.spec, where)
            continue
        for field in ("lifecycle", *_PROBES):
            if container.get(field) is not None:
                found.append(FieldError.forbidden(where.child(field), _ONLY_SIDECARS))
        found += _no_restart(container, where.child("resizePolicy"))
    return found + _duplicates(containers, _names(around.spec.get("containers") or ()), path)


def _no_restart(container: Object, path: Path) -> checks.Errors:
    text = "must not be set to 'RestartContainer' for non-sidecar initContainers"
    return [
        FieldError.invalid(path.index(i).child("restartPolicy"), "RestartContainer", text)
        for i, policy in enumerate(container.get("resizePolicy") or ())
        if policy.get("restartPolicy") == "RestartContainer"
    ]


def _ephemeral(around: Surroundings, path: Path) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go validateEphemeralContainers
    spec = around.spec
    containers = spec.get("ephemeralContainers") or []
    if not containers:
        return []
    others = _names(spec.get("containers") or ()) | _names(spec.get("initContainers") or ())
    found = _duplicates(containers, others, path)
    for position, container in enumerate(containers):
        where = path.index(position)
        found += _common(container, around, where)
        target = container.get("targetContainerName")
        if target and target not in others:
            found.append(FieldError.not_found(where.child("targetContainerName"), target))
        found += _only_allowed(container, where)
    return found


def _only_allowed(container: Object, path: Path) -> checks.Errors:
    text = "cannot be set for an Ephemeral Container"
    found = [
        FieldError.forbidden(path.child(field), text)
        for field in _NOT_EPHEMERAL
        if container.get(field)
    ]
    for position, mount in enumerate(container.get("volumeMounts") or ()):
        for field in ("subPath", "subPathExpr"):
            if mount.get(field):
                where = path.child("volumeMounts").index(position).child(field)
                found.append(FieldError.forbidden(where, text))
    return found


def _names(containers: Sequence[Object]) -> set[str]:
    return {container.get("name") or "" for container in containers}


def _duplicates(containers: Sequence[Object], taken: set[str], path: Path) -> checks.Errors:
    found = []
    seen = set(taken)
    for position, container in enumerate(containers):
        name = container.get("name") or ""
        if name in seen:
            found.append(FieldError.duplicate(path.index(position).child("name"), name))
        seen.add(name)
    return found


def host_ports(containers: Sequence[Object], path: Path) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go AccumulateUniqueHostPorts
    found = []
    seen: set[str] = set()
    for position, container in enumerate(containers):
        for number, port in enumerate(container.get("ports") or ()):
            if not port.get("hostPort"):
                continue
            key = f"{port.get('protocol', '')}/{port.get('hostIP', '')}/{port['hostPort']}"
            if key in seen:
                where = path.index(position).child("ports").index(number).child("hostPort")
                found.append(FieldError.duplicate(where, key))
            seen.add(key)
    return found


def _probes(container: Object, spec: Object, path: Path) -> checks.Errors:
    """Probes by what they are for, and hooks by the time that they have."""
    found = _hooks(container, spec, path.child("lifecycle"))
    for field in ("livenessProbe", "startupProbe"):
        threshold = (container.get(field) or {}).get("successThreshold")
        if threshold is not None and threshold != 1:
            where = path.child(field, "successThreshold")
            found.append(FieldError.invalid(where, threshold, "must be 1"))
    grace = (container.get("readinessProbe") or {}).get("terminationGracePeriodSeconds")
    if grace is not None:
        where = path.child("readinessProbe", "terminationGracePeriodSeconds")
        text = "must not be set for readinessProbes"
        found.append(FieldError.invalid(where, grace, text))
    return found


def _hooks(container: Object, spec: Object, path: Path) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go validateSleepAction
    grace = spec.get("terminationGracePeriodSeconds")
    found = []
    for hook in ("postStart", "preStop"):
        sleep = ((container.get("lifecycle") or {}).get(hook) or {}).get("sleep")
        if sleep is None or grace is None:
            continue
        seconds = sleep.get("seconds") or 0
        if not 0 <= seconds <= grace:
            text = f"must be non-negative and less than terminationGracePeriodSeconds ({grace})"
            found.append(FieldError.invalid(path.child(hook, "sleep"), seconds, text))
    return found


def _resizes(container: Object, spec: Object, path: Path) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go validateResizePolicy
    found = []
    seen: set[str] = set()
    for position, policy in enumerate(container.get("resizePolicy") or ()):
        name, restart = policy.get("resourceName") or "", policy.get("restartPolicy") or ""
        if name in seen:
            found.append(FieldError.duplicate(path.index(position), name))
        seen.add(name)
        for value, allowed in ((name, _RESIZABLE), (restart, _RESIZES)):
            if not value:
                found.append(FieldError.required(path))
            else:
                found += checks.supported(value, path, allowed)
        if spec.get("restartPolicy") == "Never" and restart != "NotRequired":
            text = "must be 'NotRequired' when pod `restartPolicy` is 'Never'"
            found.append(FieldError.invalid(path, restart, text))
    return found


def _restarts(container: Object, path: Path) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go validateContainerRestartPolicy
    rules = container.get("restartPolicyRules") or []
    if container.get("restartPolicy") is None:
        text = "must specify restartPolicy when restart rules are used"
        return [FieldError.required(path.child("restartPolicy"), text)] if rules else []
    found = checks.optional(container, path, "restartPolicy", _RESTART_POLICIES)
    where = path.child("restartPolicyRules")
    if len(rules) > _MAX_RULES:
        found.append(FieldError.too_many(where, len(rules), _MAX_RULES))
    for position, rule in enumerate(rules):
        found += _restart_rule(rule, where.index(position))
    return found


def _restart_rule(rule: Object, path: Path) -> checks.Errors:
    found = checks.supported(rule.get("action") or "", path.child("action"), _RULE_ACTIONS)
    codes, where = rule.get("exitCodes"), path.child("exitCodes")
    if codes is None:
        return [*found, FieldError.required(where, "must be specified")]
    operator = codes.get("operator") or ""
    found += checks.supported(operator, where.child("operator"), ("In", "NotIn"))
    count = len(codes.get("values") or ())
    if count > _MAX_EXIT_CODES:
        found.append(FieldError.too_many(where.child("values"), count, _MAX_EXIT_CODES))
    return found
