"""Persistent volume claims, in StatefulSets too."""

from pykube_cp.machinery import names
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.resources.shared import checks, defaults, persistent_volumes, resource_names


def _is_template(ctx: RuleContext) -> bool:
    """Those of a StatefulSet never change, so they are judged once."""
    return ctx.kind.kind == "StatefulSet" and ctx.old is not None


def _validate_modes(spec: Object, path: Path, ctx: RuleContext) -> checks.Errors:
    if spec.get("accessModes") or _is_template(ctx):
        return []
    text = "at least 1 access mode is required"
    return [FieldError.required(path.child("accessModes"), text)]


def _validate_spec(spec: Object, path: Path, ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go ValidatePersistentVolumeClaimSpec
    if _is_template(ctx):
        return []
    found = persistent_volumes.check_access_modes(spec, path)
    found += _storage(spec, path.child("resources").key("storage"))
    found += checks.named(spec, path, "storageClassName")
    found += checks.optional(spec, path, "volumeMode", persistent_volumes.MODES)
    old = ((ctx.old or {}).get("spec") or {}) if ctx.kind.kind == "PersistentVolumeClaim" else {}
    found += _sources(spec, old, path)
    return found + checks.named(spec, path, "volumeAttributesClassName")


def _storage(spec: Object, path: Path) -> checks.Errors:
    wanted = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    if wanted is None:
        return [FieldError.required(path)]
    amount = checks.quantity(wanted)
    if amount is not None and amount.sign() <= 0:
        return [FieldError.invalid(path, str(amount), checks.NOT_POSITIVE)]
    return resource_names.check_amount("storage", wanted, path)


def _sources(spec: Object, old: Object, path: Path) -> checks.Errors:
    one, other = spec.get("dataSource"), spec.get("dataSourceRef")
    judges_group = not any((old.get(f) or {}).get("apiGroup") is not None for f in _SOURCES)
    found = []
    for field in _SOURCES:
        if spec.get(field) is not None:
            found += _source(spec[field], path.child(field), judges_group=judges_group)
    if one is None or other is None:
        return found
    if other.get("namespace"):
        text = "may not be specified when dataSourceRef.namespace is specified"
        found.append(FieldError.invalid(path, _A_PATH, text))
    elif any(one.get(field) != other.get(field) for field in ("apiGroup", "kind", "name")):
        found.append(FieldError.invalid(path, _A_PATH, "must match dataSourceRef"))
    return found


_SOURCES = ("dataSource", "dataSourceRef")
_A_PATH: Object = {}
"""What upstream shows for the path of a field, which has nothing that JSON would show."""


def _source(source: Object, path: Path, *, judges_group: bool) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go validateDataSource
    found = checks.required(source, path, "name", "kind")
    kind, group = source.get("kind") or "", source.get("apiGroup") or ""
    if not group and kind != "PersistentVolumeClaim":
        text = "must be 'PersistentVolumeClaim' when referencing the default apiGroup"
        found.append(FieldError.invalid(path, kind, text))
    if group and judges_group:
        found += checks.subdomain(group, path.child("apiGroup"))
    return found + checks.named(source, path, "namespace", names.is_dns1123_label)


RULES = (
    # upstream: pkg/apis/core/v1/defaults.go SetDefaults_PersistentVolumeClaimSpec
    TypeRule(
        type="io.k8s.api.core.v1.PersistentVolumeClaimSpec",
        default=defaults.missing(volumeMode="Filesystem"),
        validate=_validate_modes,
        order=("selector", _validate_spec),
    ),
    TypeRule(
        type="io.k8s.api.core.v1.PersistentVolumeClaimStatus",
        default=defaults.zeros(phase="Pending"),
    ),
)
