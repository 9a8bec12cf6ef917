"""Custom resource definitions."""

from pykube_cp.machinery import go_text, names, objects
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.resources.shared import checks, crd_schemas, structural_schemas, webhooks

_GROUP = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1."


def _default(definition: Object, _ctx: RuleContext) -> None:
    # upstream: apiextensions-apiserver pkg/apis/apiextensions/v1/defaults.go
    spec = definition.setdefault("spec", {})
    _default_names(spec.get("names") or {})
    if spec.get("conversion") is None:
        spec["conversion"] = {"strategy": "None"}
    status = definition.setdefault("status", {})
    if not status.get("storedVersions"):
        stored = [
            version["name"] for version in spec.get("versions") or () if version.get("storage")
        ]
        if stored:
            status["storedVersions"] = stored[:1]


def _default_names(names: Object) -> None:
    kind = names.get("kind") or ""
    if not names.get("singular") and kind:
        names["singular"] = kind.lower()
    if not names.get("listKind") and kind:
        names["listKind"] = f"{kind}List"


def _default_service(reference: Object, _ctx: RuleContext) -> None:
    if reference.get("port") is None:
        reference["port"] = 443


_COLUMN_TYPES = ("boolean", "date", "integer", "number", "string")
_COLUMN_FORMATS = (
    "byte",
    "date",
    "date-time",
    "double",
    "float",
    "int32",
    "int64",
    "password",
)
_MIXED_CASE = "may have mixed case, but should otherwise match: "
_APPROVED = "api-approved.kubernetes.io"
_SEE = "see https://github.com/kubernetes/enhancements/pull/1111"
_MAX_WARNING = 256
_PRESERVES = (
    "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in "
    "spec.versions[*].schema instead"
)


def _validate(definition: Object, path: Path, ctx: RuleContext) -> checks.Errors:
    # upstream: apiextensions validation.go ValidateCustomResourceDefinition
    spec, name = definition.get("spec") or {}, objects.name(definition)
    group = spec.get("group") or ""
    wanted = f"{(spec.get('names') or {}).get('plural') or ''}.{group}"
    found = []
    if ctx.old is None and name != wanted:
        text = 'must be spec.names.plural+"."+spec.group'
        found.append(FieldError.invalid(path.child("metadata", "name"), name, text))
    found += _stored_versions(definition, path.child("status", "storedVersions"))
    found += _approval(definition, group, ctx.old)
    if spec.get("preserveUnknownFields"):
        if not ((ctx.old or {}).get("spec") or {}).get("preserveUnknownFields"):
            where = path.child("spec", "preserveUnknownFields")
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


def _approval(definition: Object, group: str, old: Object | None) -> checks.Errors:
    # upstream: validateAPIApproval
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


def _validate_spec(spec: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    # upstream: apiextensions validation.go validateCustomResourceDefinitionSpec
    group, where = spec.get("group") or "", path.child("group")
    found = checks.required(spec, path, "group")
    if group and (wrong := names.is_dns1123_subdomain(group)):
        found.append(FieldError.invalid(where, group, ",".join(wrong)))
    elif group and "." not in group:
        text = "should be a domain with at least one dot"
        found.append(FieldError.invalid(where, group, text))
    found += checks.chosen(spec, path, "scope", ("Cluster", "Namespaced"))
    versions, where = spec.get("versions") or [], path.child("versions")
    for position, version in enumerate(versions):
        found += _version(version, where.index(position))
    if len({version.get("name") for version in versions}) < len(versions):
        text = "must contain unique version names"
        found.append(FieldError.invalid(where, versions, text))
    if sum(bool(version.get("storage")) for version in versions) != 1:
        text = "must have exactly one version marked as storage version"
        found.append(FieldError.invalid(where, versions, text))
    kinds, where = spec.get("names") or {}, path.child("names")
    found += checks.required(kinds, where, "plural", "singular", "kind", "listKind")
    return found + _conversion(spec.get("conversion"), path.child("conversion"))


def _version(version: Object, path: Path) -> checks.Errors:
    name = version.get("name") or ""
    found = []
    schema = (version.get("schema") or {}).get("openAPIV3Schema")
    where = path.child("schema", "openAPIV3Schema")
    if schema is None:
        found.append(FieldError.required(where))
    if wrong := names.is_dns1035_label(name):
        found.append(FieldError.invalid(path.child("name"), name, ",".join(wrong)))
    warning = version.get("deprecationWarning")
    texts = _warning(bool(version.get("deprecated")), warning)
    found += checks.invalid(path.child("deprecationWarning"), warning, texts)
    if schema is not None:
        if schema.get("nullable"):
            text = "nullable cannot be true at the root"
            found.append(FieldError.forbidden(where.child("nullable"), text))
        found += structural_schemas.check(schema, where)
        found += crd_schemas.check(schema, where)
    for position, column in enumerate(version.get("additionalPrinterColumns") or ()):
        found += _column(column, path.child("additionalPrinterColumns").index(position))
    return found


def _warning(is_deprecated: bool, warning: str | None) -> list[str]:  # noqa: FBT001 - a fact, no switch
    if warning is None:
        return []
    if not is_deprecated:
        return ["can only be set for deprecated versions"]
    found = []
    if len(warning) > _MAX_WARNING:
        found.append(f"must be <= {_MAX_WARNING} characters long")
    if not warning:
        found.append("must not be an empty string")
    for position, char in enumerate(warning):
        if not char.isprintable():
            found.append(
                "must only contain printable UTF-8 characters; "
                f"non-printable character found at index {position}"
            )
            break
    return found


def _column(column: Object, path: Path) -> checks.Errors:
    # upstream: ValidateCustomResourceColumnDefinition
    found = checks.required(column, path, "name")
    kind, where = column.get("type") or "", path.child("type")
    text = f"must be one of {','.join(_COLUMN_TYPES)}"
    if not kind:
        found.append(FieldError.required(where, text))
    elif kind not in _COLUMN_TYPES:
        found.append(FieldError.invalid(where, kind, text))
    form = column.get("format") or ""
    if form and form not in _COLUMN_FORMATS:
        text = f"must be one of {','.join(_COLUMN_FORMATS)}"
        found.append(FieldError.invalid(path.child("format"), form, text))
    place, where = column.get("jsonPath") or "", path.child("JSONPath")
    if not place:
        found.append(FieldError.required(where))
    elif not place.startswith("."):
        text = "must be a simple json path starting with ."
        found.append(FieldError.invalid(where, place, text))
    return found


def _conversion(conversion: Object | None, path: Path) -> checks.Errors:
    # upstream: validateCustomResourceConversion
    if conversion is None:
        return []
    found = checks.chosen(conversion, path, "strategy", ("None", "Webhook"))
    webhook = conversion.get("webhook") or {}
    config, versions = webhook.get("clientConfig"), webhook.get("conversionReviewVersions") or []
    client, reviews = path.child("webhookClientConfig"), path.child("conversionReviewVersions")
    if conversion.get("strategy") != "Webhook":
        text = "should not be set when strategy is not set to Webhook"
        for given, where in ((config, client), (versions, reviews)):
            if given:
                found.append(FieldError.forbidden(where, text))
        return found
    if config is None:
        text = "required when strategy is set to Webhook"
        found.append(FieldError.required(client, text))
    else:
        found += webhooks.check_client(config, client)
    return found + webhooks.check_review_versions(versions, reviews, "", must_know=True)


def _validate_names(kinds: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    # upstream: ValidateCustomResourceDefinitionNames
    found = []
    for field in ("plural", "singular"):
        found += _label(kinds.get(field) or "", path.child(field))
    for field in ("kind", "listKind"):
        found += _label(kinds.get(field) or "", path.child(field), mixed_case=True)
    for position, name in enumerate(kinds.get("shortNames") or ()):
        found += _label(name, path.child("shortNames").index(position))
    if kinds.get("kind") and kinds["kind"] == kinds.get("listKind"):
        text = "kind and listKind may not be the same"
        found.append(FieldError.invalid(path.child("listKind"), kinds["listKind"], text))
    for position, name in enumerate(kinds.get("categories") or ()):
        found += _label(name, path.child("categories").index(position))
    return found


def _label(name: str, path: Path, *, mixed_case: bool = False) -> checks.Errors:
    wrong = names.is_dns1035_label(name.lower() if mixed_case else name) if name else []
    if not wrong:
        return []
    text = (_MIXED_CASE if mixed_case else "") + ",".join(wrong)
    return [FieldError.invalid(path, name, text)]


RULES = (
    TypeRule(type=f"{_GROUP}CustomResourceDefinition", default=_default, validate=_validate),
    TypeRule(type=f"{_GROUP}CustomResourceDefinitionSpec", validate=_validate_spec),
    TypeRule(type=f"{_GROUP}CustomResourceDefinitionNames", validate=_validate_names),
    TypeRule(type=f"{_GROUP}ServiceReference", default=_default_service),
)
