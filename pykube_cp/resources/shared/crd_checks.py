"""What is judged of a whole definition of custom resources, but not when its status is written."""
# upstream: apiextensions-apiserver pkg/apis/apiextensions/validation/validation.go

from pykube_cp.machinery import go_text, objects
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.resources.shared import checks

_APPROVED = "api-approved.kubernetes.io"
_SEE = "see https://github.com/kubernetes/enhancements/pull/1111"
_PRESERVES = (
    "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in "
    "spec.versions[*].schema instead"
)


def check(definition: Object, old: Object | None) -> checks.Errors:
    """Stored versions, approval of protected groups, unknown fields."""
    found = _stored_versions(definition, Path("status", "storedVersions"))
    found += _approval(definition, old)
    before = (old or {}).get("spec") or {}
    if definition["spec"].get("preserveUnknownFields") and not before.get("preserveUnknownFields"):
        where = Path("spec", "preserveUnknownFields")
        found.append(FieldError.invalid(where, True, _PRESERVES))
    return found


def _stored_versions(definition: Object, path: Path) -> checks.Errors:
    # upstream: ValidateCustomResourceDefinitionStoredVersions
    stored = (definition.get("status") or {}).get("storedVersions") or []
    if not stored:
        return [FieldError.invalid(path, stored, "must have at least one stored version")]
    versions = (definition.get("spec") or {}).get("versions") or []
    found = []
    for version in versions:
        if version.get("storage") and version.get("name") not in stored:
            text = f"must have the storage version {version.get('name')}"
            found.append(FieldError.invalid(path, stored, text))
    known = {version.get("name") for version in versions}
    for position, name in enumerate(stored):
        if name not in known:
            text = (
                f"missing from spec.versions; {name} was previously a storage version, and must "
                "remain in spec.versions until a storage migration ensures no data remains "
                f"persisted in {name} and removes {name} from status.storedVersions"
            )
            found.append(FieldError.invalid(path.index(position), name, text))
    return found


def _approval(definition: Object, old: Object | None) -> checks.Errors:
    # upstream: validateAPIApproval
    group = definition["spec"].get("group") or ""
    if not f".{group}".endswith((".k8s.io", ".kubernetes.io")):
        return []
    given = objects.annotations(definition).get(_APPROVED, "")
    state, reason = _approval_state(given)
    if old is not None and _approval_state(objects.annotations(old).get(_APPROVED, ""))[0] == state:
        return []
    where = Path("metadata", "annotations").key(_APPROVED)
    if state == "missing":
        return [FieldError.required(where, reason)]
    return [FieldError.invalid(where, given, reason)] if state == "invalid" else []


def _approval_state(given: str) -> tuple[str, str]:
    shown = go_text.quote(_APPROVED)
    must = f"protected groups must have approval annotation {shown}"
    if not given:
        return "missing", f"{must}, {_SEE}"
    if given.startswith("unapproved"):
        return "bypassed", ""
    scheme, mark, rest = given.partition("://")
    if scheme and mark and rest.partition("/")[0]:
        return "approved", ""
    kind = 'with either a URL or a reason starting with "unapproved"'
    return "invalid", f"{must} {kind}, {_SEE}"
