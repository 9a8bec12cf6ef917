"""Secrets."""

from base64 import b64decode, b64encode

from pykube_cp.machinery import names, objects
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.resources.shared import checks, go_json


def _default(secret: Object, _ctx: RuleContext) -> None:
    # upstream: pkg/apis/core/v1/conversion.go Convert_v1_Secret_To_core_Secret
    if texts := secret.pop("stringData", None):
        encoded = {key: b64encode(text.encode()).decode() for key, text in texts.items()}
        secret["data"] = {**(secret.get("data") or {}), **encoded}
    # upstream: pkg/apis/core/v1/defaults.go SetDefaults_Secret
    if not secret.get("type"):
        secret["type"] = "Opaque"


_LIMIT = 1024 * 1024
_ACCOUNT = "kubernetes.io/service-account.name"
_CONFIGS = {
    "kubernetes.io/dockercfg": ".dockercfg",
    "kubernetes.io/dockerconfigjson": ".dockerconfigjson",
}
_REDACTED = "<secret contents redacted>"


def _validate(secret: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go ValidateSecret
    data, where = secret.get("data") or {}, path.child("data")
    found = []
    size = 0
    for key, value in data.items():
        found += checks.invalid(where.key(key), key, names.is_config_map_key(key))
        size += checks.decoded_size(value)
    if size > _LIMIT:
        found.append(FieldError.too_long(where, "", _LIMIT))
    return found + _by_type(secret, data, where)


def _by_type(secret: Object, data: Object, path: Path) -> checks.Errors:
    kind = secret.get("type") or ""
    if kind == "kubernetes.io/service-account-token":
        if objects.annotations(secret).get(_ACCOUNT):
            return []
        return [FieldError.required(Path("metadata", "annotations").key(_ACCOUNT))]
    if kind in _CONFIGS:
        return _config(_CONFIGS[kind], data, path)
    if kind == "kubernetes.io/basic-auth":
        keys = ("username", "password")
        return [] if any(key in data for key in keys) else _missing(keys, path)
    if kind == "kubernetes.io/ssh-auth":
        return [] if data.get("ssh-privatekey") else _missing(("ssh-privatekey",), path)
    if kind == "kubernetes.io/tls":
        return _missing(tuple(key for key in ("tls.crt", "tls.key") if key not in data), path)
    return []


def _missing(keys: tuple[str, ...], path: Path) -> checks.Errors:
    return [FieldError.required(path.key(key)) for key in keys]


def _config(key: str, data: Object, path: Path) -> checks.Errors:
    if key not in data:
        return _missing((key,), path)
    text = go_json.why_no_object(b64decode(data[key] or ""))
    return [FieldError.invalid(path.key(key), _REDACTED, text)] if text else []


RULES = (TypeRule(type="io.k8s.api.core.v1.Secret", default=_default, validate=_validate),)
