"""Flow schemas and priority levels."""

from pykube_cp.machinery import names
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.resources.shared import checks, defaults, priority_levels

_V1 = "io.k8s.api.flowcontrol.v1."


_MAX_PRECEDENCE = 10000
_VERBS = (
    "create",
    "delete",
    "deletecollection",
    "get",
    "list",
    "patch",
    "proxy",
    "update",
    "watch",
)
_SUBJECTS = {"Group": "group", "ServiceAccount": "serviceAccount", "User": "user"}
_NAMESPACE = "each member of this list must be '*' or a DNS-1123 label; "


def _validate_schema(spec: Object, path: Path, ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/flowcontrol/validation/validation.go ValidateFlowSchemaSpec
    precedence, where = spec.get("matchingPrecedence") or 0, path.child("matchingPrecedence")
    texts = []
    if precedence <= 0:
        texts.append("must be a positive value")
    if precedence > _MAX_PRECEDENCE:
        texts.append(f"must not be greater than {_MAX_PRECEDENCE}")
    if precedence == 1 and (ctx.root.get("metadata") or {}).get("name") != "exempt":
        texts.append("only the schema named 'exempt' may have matchingPrecedence 1")
    found = checks.invalid(where, precedence, texts)
    method, where = spec.get("distinguisherMethod"), path.child("distinguisherMethod", "type")
    if method is not None and method.get("type") not in {"ByNamespace", "ByUser"}:
        shown = {"Type": method.get("type") or ""}
        found.append(FieldError.not_supported(where, shown, ("ByNamespace", "ByUser")))
    level, where = (
        spec.get("priorityLevelConfiguration") or {},
        path.child("priorityLevelConfiguration"),
    )
    if not level.get("name"):
        text = "must reference a priority level"
        found.append(FieldError.required(where.child("name"), text))
    return found + checks.named(level, where, "name")


def _validate_rule(rule: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    found = []
    if not rule.get("subjects"):
        text = "subjects must contain at least one value"
        found.append(FieldError.required(path.child("subjects"), text))
    if not rule.get("resourceRules") and not rule.get("nonResourceRules"):
        text = "at least one of resourceRules and nonResourceRules has to be non-empty"
        found.append(FieldError.required(path, text))
    return found


def _validate_subject(subject: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/flowcontrol/validation/validation.go ValidateFlowSchemaSubject
    kind = subject.get("kind") or ""
    if kind not in _SUBJECTS:
        return [FieldError.not_supported(path.child("kind"), kind, tuple(_SUBJECTS))]
    own = _SUBJECTS[kind]
    value, where = subject.get(own), path.child(own)
    if value is None:
        found = [FieldError.required(where, f"{own} is required when subject kind is '{kind}'")]
    else:
        found = checks.required(value, where, "name")
        if kind == "ServiceAccount":
            found += _account(value, where)
    for other, field in _SUBJECTS.items():
        if field != own and subject.get(field) is not None:
            text = f"{field} is forbidden when subject kind is not '{other}'"
            found.append(FieldError.forbidden(path.child(field), text))
    return found


def _account(account: Object, path: Path) -> checks.Errors:
    found = [] if account.get("name") == "*" else checks.named(account, path, "name")
    if not account.get("namespace"):
        text = "must specify namespace for service account"
        found.append(FieldError.required(path.child("namespace"), text))
    return found + checks.named(account, path, "namespace", names.is_dns1123_label)


def _verbs(rule: Object, path: Path) -> checks.Errors:
    missing = "verbs must contain at least one value"
    found = checks.members(rule, path, "verbs", "verbs", missing)
    verbs = rule.get("verbs") or []
    if "*" not in verbs and not set(verbs) <= set(_VERBS):
        found.append(FieldError.not_supported(path.child("verbs"), verbs, _VERBS))
    return found


def _validate_urls(rule: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    # upstream: flowcontrol validation.go ValidateFlowSchemaNonResourcePolicyRule
    field = "nonResourceURLs"
    missing = f"{field} must contain at least one value"
    found = _verbs(rule, path) + checks.members(rule, path, field, "non-resource URLs", missing)
    urls = rule.get(field) or []
    for position, url in enumerate(() if "*" in urls else urls):
        if wrong := _wrong_url(url):
            found.append(FieldError.invalid(path.child(field).index(position), url, wrong))
    return found


def _wrong_url(url: str) -> str:
    if not url:
        return "must not be empty"
    if url == "/":
        return ""
    if not url.startswith("/"):
        return "must start with slash"
    if " " in url:
        return "must not contain white-space"
    if "//" in url:
        return "must not contain double slash"
    stars = url.count("*")
    is_suffix = stars == 1 and url.endswith("/*")
    return "wildcard can only do suffix matching" if stars and not is_suffix else ""


def _validate_resources(rule: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    # upstream: flowcontrol validation.go ValidateFlowSchemaResourcePolicyRule
    found = _verbs(rule, path)
    for field, one, others in (
        ("apiGroups", "api group", "api groups"),
        ("resources", "resource", "resources"),
    ):
        missing = f"resource rules must supply at least one {one}"
        found += checks.members(rule, path, field, others, missing)
    spaces, where = rule.get("namespaces") or [], path.child("namespaces")
    if not spaces and not rule.get("clusterScope"):
        text = "resource rules that are not cluster scoped must supply at least one namespace"
        return [*found, FieldError.required(where, text)]
    if "*" in spaces:
        return found + checks.members(rule, path, "namespaces", "namespaces")
    for position, name in enumerate(spaces):
        texts = [_NAMESPACE + text for text in names.is_dns1123_label(name)]
        found += checks.invalid(where.index(position), name, texts)
    return found


def _validate_level(spec: Object, path: Path, ctx: RuleContext) -> checks.Errors:
    name = (ctx.root.get("metadata") or {}).get("name", "")
    return priority_levels.check(spec, name, path)


def _validate_status(status: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/flowcontrol/validation/validation.go ValidateFlowSchemaStatus
    found, seen = [], set()
    for position, condition in enumerate(status.get("conditions") or ()):
        where, kind = path.child("conditions").index(position), condition.get("type") or ""
        if kind in seen:
            found.append(FieldError.duplicate(where.child("type"), kind))
        seen.add(kind)
        found += checks.required(condition, where, "type")
    return found


RULES = (
    # upstream: pkg/apis/flowcontrol/v1/defaults.go
    TypeRule(
        type=f"{_V1}FlowSchemaSpec",
        default=defaults.zeros(matchingPrecedence=1000),
        validate=_validate_schema,
    ),
    TypeRule(
        type=f"{_V1}ExemptPriorityLevelConfiguration",
        default=defaults.missing(nominalConcurrencyShares=0, lendablePercent=0),
    ),
    TypeRule(
        type=f"{_V1}LimitedPriorityLevelConfiguration",
        default=defaults.missing(nominalConcurrencyShares=30, lendablePercent=0),
    ),
    TypeRule(
        type=f"{_V1}QueuingConfiguration",
        default=defaults.zeros(handSize=8, queues=64, queueLengthLimit=50),
    ),
    TypeRule(type=f"{_V1}PolicyRulesWithSubjects", validate=_validate_rule),
    TypeRule(type=f"{_V1}Subject", validate=_validate_subject),
    TypeRule(type=f"{_V1}NonResourcePolicyRule", validate=_validate_urls),
    TypeRule(type=f"{_V1}ResourcePolicyRule", validate=_validate_resources),
    TypeRule(type=f"{_V1}PriorityLevelConfigurationSpec", validate=_validate_level),
    TypeRule(type=f"{_V1}FlowSchemaStatus", validate=_validate_status),
    TypeRule(type=f"{_V1}PriorityLevelConfigurationStatus", validate=_validate_status),
)
