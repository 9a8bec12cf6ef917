"""Security contexts of pods and containers."""

import re
from typing import Any

from pykube_cp.machinery import names
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.resources.shared import checks
from pykube_cp.resources.shared.go_names import internal

_V1 = "io.k8s.api.core.v1."
_TYPES = ("Localhost", "RuntimeDefault", "Unconfined")
_SYSCTL_LIMIT = 253
_SEGMENT = "[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
_SYSCTL = f"^({_SEGMENT}[\\./])*{_SEGMENT}$"
_MAX_PROFILE = 4095


def _ids(context: Object, path: Path, *fields: str) -> checks.Errors:
    found = []
    for field in fields:
        if (value := context.get(field)) is not None:
            found += checks.invalid(path.child(field), value, names.is_valid_user_id(value))
    return found


def _validate_container(context: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    """What ``hostUsers`` has to do with it, PodSpec says."""
    # upstream: pkg/apis/core/validation/validation.go ValidateSecurityContext
    found = _ids(context, path, "runAsUser", "runAsGroup")
    found += checks.optional(context, path, "procMount", ("Default", "Unmasked"))
    if context.get("allowPrivilegeEscalation") is not False:
        return found
    text = "cannot set `allowPrivilegeEscalation` to false and "
    if context.get("privileged"):
        shown = internal(context, f"{_V1}SecurityContext")
        found.append(FieldError.invalid(path, shown, f"{text}`privileged` to true"))
    added = (context.get("capabilities") or {}).get("add") or ()
    if "CAP_SYS_ADMIN" in added:
        text += "`capabilities.Add` CAP_SYS_ADMIN"
        shown = internal(context, f"{_V1}SecurityContext")
        found.append(FieldError.invalid(path, shown, text))
    return found


def _validate_pod(context: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go validatePodSpecSecurityContext
    found = _ids(context, path, "fsGroup", "runAsUser", "runAsGroup")
    for position, group in enumerate(context.get("supplementalGroups") or ()):
        where = path.child("supplementalGroups").index(position)
        found += checks.invalid(where, group, names.is_valid_group_id(group))
    found += _sysctls(context.get("sysctls") or (), path.child("sysctls"))
    for field, allowed in _POLICIES.items():
        found += checks.optional(context, path, field, allowed)
    return found


_POLICIES = {
    "fsGroupChangePolicy": ("Always", "OnRootMismatch"),
    "supplementalGroupsPolicy": ("Merge", "Strict"),
    "seLinuxChangePolicy": ("MountOption", "Recursive"),
}


def _sysctls(sysctls: Any, path: Path) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go validateSysctls
    found = []
    seen: set[str] = set()
    for position, sysctl in enumerate(sysctls):
        where, name = path.index(position).child("name"), sysctl.get("name") or ""
        if not name:
            found.append(FieldError.required(where))
        elif len(name) > _SYSCTL_LIMIT or not re.fullmatch(_SYSCTL, name):
            text = f"must have at most {_SYSCTL_LIMIT} characters and match regex {_SYSCTL}"
            found.append(FieldError.invalid(where, name, text))
        elif name in seen:
            found.append(FieldError.duplicate(where, name))
        seen.add(name)
    return found


def _validate_seccomp(profile: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go validateSeccompProfileField
    kind, own = profile.get("type") or "", profile.get("localhostProfile")
    where = path.child("localhostProfile")
    found = _kind(kind, path, "seccompProfile")
    if kind != "Localhost":
        if own is not None:
            text = "can only be set when seccomp type is Localhost"
            shown = internal(profile, f"{_V1}SeccompProfile")
            found.append(FieldError.invalid(where, shown, text))
    elif own is None:
        found.append(FieldError.required(where, "must be set when seccomp type is Localhost"))
    else:
        found += checks.relative_path(own, where)
    return found


def _kind(kind: str, path: Path, field: str) -> checks.Errors:
    where = path.child("type")
    if not kind:
        return [FieldError.required(where, f"type is required when {field} is set")]
    return checks.supported(kind, where, _TYPES)


def _validate_app_armor(profile: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go ValidateAppArmorProfileField
    kind, own = profile.get("type") or "", profile.get("localhostProfile")
    where = path.child("localhostProfile")
    found = _kind(kind, path, "appArmorProfile")
    if kind == "Localhost":
        if own is None or own == "":
            text = "must be set when AppArmor type is Localhost"
            found.append(FieldError.required(where, text))
        elif own != own.strip():
            text = "must not be padded with whitespace"
            found.append(FieldError.invalid(where, own, text))
        if len(own or "") > _MAX_PROFILE:
            found.append(FieldError.too_long(where, "", _MAX_PROFILE))
    elif own is not None and not found:
        text = "can only be set when AppArmor type is Localhost"
        found.append(FieldError.invalid(where, own, text))
    return found


_MAX_SPEC_KIB = 64
_MAX_DOMAIN, _MAX_USER = 256, 104
_NET_BIOS = re.compile(r'[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}')
_DNS_LABEL = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_DNS_DOMAIN = re.compile(rf"{_DNS_LABEL}(?:\.{_DNS_LABEL})*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_NOT_IN_USER = re.compile(r'["/\\:;|=,+*?<>@\[\]]')


def _validate_windows(options: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go validateWindowsSecurityContextOptions
    found = []
    if (name := options.get("gmsaCredentialSpecName")) is not None:
        found += checks.subdomain(name, path.child("gmsaCredentialSpecName"))
    if (spec := options.get("gmsaCredentialSpec")) is not None:
        texts = []
        if not spec:
            texts.append("gmsaCredentialSpec cannot be an empty string")
        elif len(spec) > _MAX_SPEC_KIB * 1024:
            texts.append(f"gmsaCredentialSpec size must be under {_MAX_SPEC_KIB} KiB")
        found += checks.invalid(path.child("gmsaCredentialSpec"), spec, texts)
    if (user := options.get("runAsUserName")) is not None:
        found += checks.invalid(path.child("runAsUserName"), user, _user_name(user))
    return found


def _user_name(name: str) -> list[str]:
    if not name:
        return ["runAsUserName cannot be an empty string"]
    if _CONTROL.search(name):
        return ["runAsUserName cannot contain control characters"]
    if name.count("\\") > 1:
        return ["runAsUserName cannot contain more than one backslash"]
    domain, slash, user = name.rpartition("\\")
    found = []
    if len(domain) >= _MAX_DOMAIN:
        found.append(f"runAsUserName's Domain length must be under {_MAX_DOMAIN} characters")
    if slash and not (_NET_BIOS.fullmatch(domain) or _DNS_DOMAIN.fullmatch(domain)):
        found.append("runAsUserName's Domain doesn't match the NetBios nor the DNS format")
    return found + _user(user)


def _user(user: str) -> list[str]:
    found = []
    if not user:
        found.append("runAsUserName's User cannot be empty")
    elif len(user) > _MAX_USER:
        text = f"must not be longer than {_MAX_USER} characters"
        found.append(f"runAsUserName's User length {text}")
    if user and not user.strip(". "):
        found.append("runAsUserName's User cannot contain only periods or spaces")
    if _NOT_IN_USER.search(user):
        text = 'the following characters: "/\\:;|=,+*?<>@[]'
        found.append(f"runAsUserName's User cannot contain {text}")
    return found


RULES = (
    TypeRule(type=f"{_V1}SecurityContext", validate=_validate_container),
    TypeRule(type=f"{_V1}PodSecurityContext", validate=_validate_pod),
    TypeRule(type=f"{_V1}SeccompProfile", validate=_validate_seccomp),
    TypeRule(type=f"{_V1}AppArmorProfile", validate=_validate_app_armor),
    TypeRule(type=f"{_V1}WindowsSecurityContextOptions", validate=_validate_windows),
)
