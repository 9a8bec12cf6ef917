"""Custom resource definitions."""

from pykube_cp.machinery import names, objects
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.resources.shared import checks, crd_schemas, defaults, structural_schemas, webhooks

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
_MAX_WARNING = 256


def _validate(definition: Object, path: Path, ctx: RuleContext) -> checks.Errors:
    # upstream: apiextensions validation.go ValidateCustomResourceDefinition
    spec, name = definition.get("spec") or {}, objects.name(definition)
    group = spec.get("group") or ""
    wanted = f"{(spec.get('names') or {}).get('plural') or ''}.{group}"
    if ctx.old is not None or name == wanted:
        return []
    text = 'must be spec.names.plural+"."+spec.group'
    return [FieldError.invalid(path.child("metadata", "name"), name, text)]


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
        if kinds.get(field):
            found += _label(kinds[field], path.child(field))
    for field in ("kind", "listKind"):
        if kinds.get(field):
            found += _label(kinds[field], path.child(field), mixed_case=True)
    for position, name in enumerate(kinds.get("shortNames") or ()):
        found += _label(name, path.child("shortNames").index(position))
    if kinds.get("kind") and kinds["kind"] == kinds.get("listKind"):
        text = "kind and listKind may not be the same"
        found.append(FieldError.invalid(path.child("listKind"), kinds["listKind"], text))
    for position, name in enumerate(kinds.get("categories") or ()):
        found += _label(name, path.child("categories").index(position))
    return found


def _label(name: str, path: Path, *, mixed_case: bool = False) -> checks.Errors:
    wrong = names.is_dns1035_label(name.lower() if mixed_case else name)
    if not wrong:
        return []
    text = (_MIXED_CASE if mixed_case else "") + ",".join(wrong)
    return [FieldError.invalid(path, name, text)]


RULES = (
    TypeRule(type=f"{_GROUP}CustomResourceDefinition", default=_default, validate=_validate),
    TypeRule(type=f"{_GROUP}CustomResourceDefinitionSpec", validate=_validate_spec),
    TypeRule(type=f"{_GROUP}CustomResourceDefinitionNames", validate=_validate_names),
    TypeRule(type=f"{_GROUP}ServiceReference", default=defaults.missing(port=443)),
)
