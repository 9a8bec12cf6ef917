"""Environment variables of containers."""
# upstream: pkg/apis/core/validation/validation.go ValidateEnv

from pykube_cp.machinery import names
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.resources.shared import checks, downward

_V1 = "io.k8s.api.core.v1."
_FIELDS = (
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
)


def _validate(variable: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    found = checks.must_name(variable, path, "name", names.is_relaxed_env_var_name)
    source = variable.get("valueFrom")
    if source is None:
        return found
    where = path.child("valueFrom")
    used = [name for name in _SOURCES if source.get(name) is not None]
    for name in used:
        found += _SOURCES[name](source[name], where.child(name))
    text = ""
    if not used:
        text = (
            "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, "
            "`secretKeyRef` or `fileKeyRef`"
        )
    elif variable.get("value"):
        text = "may not be specified when `value` is not empty"
    elif len(used) > 1:
        text = "may not have more than one field specified at a time"
    return [*found, FieldError.invalid(where, "", text)] if text else found


def _field(source: Object, path: Path) -> checks.Errors:
    return downward.check_field(source, path, _FIELDS)


def _resource(source: Object, path: Path) -> checks.Errors:
    return downward.check_resource(source, path, of_volume=False)


def _key(source: Object, path: Path) -> checks.Errors:
    name = source.get("name", "")
    found = checks.subdomain(name, path.child("name"))
    return found + checks.must_name(source, path, "key", names.is_config_map_key)


def _file(source: Object, path: Path) -> checks.Errors:
    found = checks.must_name(source, path, "key", names.is_relaxed_env_var_name)
    found += checks.must_name(source, path, "volumeName", names.is_dns1123_label)
    if not source.get("path"):
        return [*found, FieldError.required(path.child("path"))]
    return found + checks.no_back_steps(source["path"], path.child("path"))


_SOURCES = {
    "fieldRef": _field,
    "resourceFieldRef": _resource,
    "configMapKeyRef": _key,
    "secretKeyRef": _key,
    "fileKeyRef": _file,
}


def _validate_from(source: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    """Errors about the number of sources are those of the list, as upstream's."""
    # upstream: pkg/apis/core/validation/validation.go ValidateEnvFrom
    found = []
    if source.get("prefix"):
        found += checks.named(source, path, "prefix", names.is_relaxed_env_var_name)
    used = [name for name in ("configMapRef", "secretRef") if source.get(name) is not None]
    for name in used:
        found += checks.must_name(source[name], path.child(name), "name", _as_prefix)
    text = ""
    if not used:
        text = "must specify one of: `configMapRef` or `secretRef`"
    elif len(used) > 1:
        text = "may not have more than one field specified at a time"
    if text:
        where = Path(str(path).rpartition("[")[0])
        found.append(FieldError.invalid(where, "", text))
    return found


def _as_prefix(name: str) -> list[str]:
    return names.is_dns1123_subdomain(name, prefix=True)


RULES = (
    TypeRule(type=f"{_V1}EnvVar", validate=_validate),
    TypeRule(type=f"{_V1}EnvFromSource", validate=_validate_from),
)
