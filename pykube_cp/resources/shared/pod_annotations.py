"""Annotations that mean something to pods."""

import re

from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.go_text import quote
from pykube_cp.machinery.objects import Object
from pykube_cp.resources.shared import checks, pods, security_annotations

MIRROR = "kubernetes.io/config.mirror"
DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
_INT32 = 2**31
_SECCOMP = ("runtime/default", "docker/default", "unconfined")
_APP_ARMOR = ("", "runtime/default", "unconfined")


def check(annotations: dict[str, str], spec: Object, path: Path) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go ValidatePodSpecificAnnotations
    found = []
    if MIRROR in annotations and not spec.get("nodeName"):
        text = "must set spec.nodeName if mirror pod annotation is set"
        found.append(FieldError.invalid(path.key(MIRROR), annotations[MIRROR], text))
    cost = annotations.get(DELETION_COST)
    if cost is not None and not _is_int32(cost):
        text = "must be a 32bit integer"
        found.append(FieldError.invalid(path.key(DELETION_COST), cost, text))
    for key, value in annotations.items():
        prefix = security_annotations.SECCOMP_CONTAINER
        if key == security_annotations.SECCOMP_POD or key.startswith(prefix):
            found += _seccomp(value, path.child(key))
        elif key.startswith(security_annotations.APP_ARMOR):
            found += _app_armor(key, value, spec, path.key(key))
    return found


def _is_int32(text: str) -> bool:
    if not re.fullmatch("-?[0-9]+", text) or (text.startswith("0") and text != "0"):
        return False
    return -_INT32 <= int(text) < _INT32


def _seccomp(profile: str, path: Path) -> checks.Errors:
    if profile in _SECCOMP:
        return []
    if profile.startswith("localhost/"):
        return checks.relative_path(profile.removeprefix("localhost/"), path)
    return [FieldError.invalid(path, profile, "must be a valid seccomp profile")]


def _app_armor(key: str, profile: str, spec: Object, path: Path) -> checks.Errors:
    name = key.removeprefix(security_annotations.APP_ARMOR)
    found = []
    if not any(container.get("name") == name for container in pods.containers(spec)):
        found.append(FieldError.invalid(path, name, "container not found"))
    if profile not in _APP_ARMOR and not profile.startswith("localhost/"):
        text = f"invalid AppArmor profile name: {quote(profile)}"
        found.append(FieldError.invalid(path, profile, text))
    return found


def check_fields(annotations: dict[str, str], spec: Object, path: Path) -> checks.Errors:
    """The old way and the new way to name a profile must say the same."""
    # upstream: pkg/apis/core/validation/validation.go validateSeccompAnnotationsAndFields
    if not annotations:
        return []
    context = spec.get("securityContext") or {}
    where = path.child("securityContext", "seccompProfile")
    value = annotations.get(security_annotations.SECCOMP_POD)
    found = _same("seccomp", value, context.get("seccompProfile"), where)
    is_windows = (spec.get("os") or {}).get("name") == "windows"
    for container, own_path in pods.containers_with_paths(spec, path):
        own, name = container.get("securityContext") or {}, container.get("name", "")
        value = annotations.get(security_annotations.SECCOMP_CONTAINER + name)
        where = own_path.child("securityContext")
        found += _same("seccomp", value, own.get("seccompProfile"), where.child("seccompProfile"))
        profile = own.get("appArmorProfile") or context.get("appArmorProfile")
        value = annotations.get(security_annotations.APP_ARMOR + name)
        if not is_windows:
            found += _same("apparmor", value, profile, where.child("appArmorProfile"))
    return found


def _same(kind: str, value: str | None, profile: Object | None, path: Path) -> checks.Errors:
    if value is None or profile is None:
        return []
    wanted = profile.get("type")
    if wanted == "Localhost" and value.startswith("localhost/"):
        if value.removeprefix("localhost/") == profile.get("localhostProfile"):
            return []
        text = f"{kind} profile in annotation and field must match"
        return [FieldError.forbidden(path.child("localhostProfile"), text)]
    allowed = {"Unconfined": {"unconfined"}, "RuntimeDefault": {"runtime/default"}}
    if kind == "seccomp":
        allowed["RuntimeDefault"].add("docker/default")
    if value in allowed.get(wanted or "", set()):
        return []
    text = f"{kind} type in annotation and field must match"
    return [FieldError.forbidden(path.child("type"), text)]
