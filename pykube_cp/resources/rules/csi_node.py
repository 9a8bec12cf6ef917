"""CSI nodes."""

from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.resources.shared import checks, volume_sources

_MAX_NODE_ID = 256


def _validate_spec(spec: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/storage/validation/validation.go validateCSINodeDrivers
    found = []
    seen: set[str] = set()
    for position, driver in enumerate(spec.get("drivers") or ()):
        where, name = path.child("drivers").index(position), driver.get("name") or ""
        found += _driver(driver, name, where)
        if name in seen:
            found.append(FieldError.duplicate(where.child("name"), name))
        seen.add(name)
    return found


def _driver(driver: Object, name: str, path: Path) -> checks.Errors:
    found = volume_sources.driver_name(name, path.child("name"))
    node = driver.get("nodeID") or ""
    found += checks.required(driver, path, "nodeID")
    if len(node) > _MAX_NODE_ID:
        text = f"must be {_MAX_NODE_ID} characters or less"
        found.append(FieldError.invalid(path.child("nodeID"), node, text))
    found += checks.nonnegative(driver.get("allocatable") or {}, path.child("allocatable"), "count")
    keys = driver.get("topologyKeys") or []
    for position, key in enumerate(keys):
        if not key:
            found.append(FieldError.required(path))
        if key in keys[:position]:
            found.append(FieldError.duplicate(path, key))
        found += checks.qualified(key, path)
    return found


RULES = (TypeRule(type="io.k8s.api.storage.v1.CSINodeSpec", validate=_validate_spec),)
