"""Webhook configurations."""

from pykube_cp.machinery import names
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.resources.shared import admission_rules, checks, webhooks

_SIDE_EFFECTS = ("None", "NoneOnDryRun")
_MAX_TIMEOUT = 30
_CHOICES = {
    "failurePolicy": ("Fail", "Ignore"),
    "matchPolicy": ("Equivalent", "Exact"),
}


def _validate(configuration: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    return webhooks.check_unique(configuration.get("webhooks") or [], path.child("webhooks"))


def _validate_webhook(webhook: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    # upstream: admissionregistration validation.go validateValidatingWebhook
    found = _name(webhook.get("name") or "", path.child("name"))
    for position, rule in enumerate(webhook.get("rules") or ()):
        found += admission_rules.check(rule, path.child("rules").index(position))
    for field, allowed in _CHOICES.items():
        found += checks.optional(webhook, path, field, allowed)
    if webhook.get("sideEffects") is None:
        text = f"must specify one of {', '.join(_SIDE_EFFECTS)}"
        found.append(FieldError.required(path.child("sideEffects"), text))
    found += checks.optional(webhook, path, "sideEffects", _SIDE_EFFECTS)
    seconds = webhook.get("timeoutSeconds")
    if seconds is not None and not 1 <= seconds <= _MAX_TIMEOUT:
        text = "the timeout value must be between 1 and 30 seconds"
        found.append(FieldError.invalid(path.child("timeoutSeconds"), seconds, text))
    return found


def _validate_rest(webhook: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    found = checks.optional(webhook, path, "reinvocationPolicy", ("IfNeeded", "Never"))
    found += webhooks.check_client(webhook.get("clientConfig") or {}, path.child("clientConfig"))
    conditions = webhook.get("matchConditions") or []
    found += admission_rules.check_conditions(conditions, path.child("matchConditions"))
    versions = webhook.get("admissionReviewVersions") or []
    where = path.child("admissionReviewVersions")
    missing = "must specify one of v1, v1beta1"
    return found + webhooks.check_review_versions(versions, where, missing, must_know=True)


def _name(name: str, path: Path) -> checks.Errors:
    # upstream: apimachinery pkg/util/validation/validation.go IsFullyQualifiedName
    if not name:
        return [FieldError.required(path)]
    if wrong := names.is_dns1123_subdomain(name):
        return [FieldError.invalid(path, name, ",".join(wrong))]
    if name.count(".") < 2:
        text = "should be a domain with at least three segments separated by dots"
        return [FieldError.invalid(path, name, text)]
    return []


_GROUP = "io.k8s.api.admissionregistration.v1."
_ORDER = ("namespaceSelector", "objectSelector", _validate_rest)

RULES = (
    TypeRule(type=f"{_GROUP}ValidatingWebhookConfiguration", validate=_validate),
    TypeRule(type=f"{_GROUP}MutatingWebhookConfiguration", validate=_validate),
    TypeRule(type=f"{_GROUP}ValidatingWebhook", validate=_validate_webhook, order=_ORDER),
    TypeRule(type=f"{_GROUP}MutatingWebhook", validate=_validate_webhook, order=_ORDER),
)
