"""Webhook configurations and admission policies."""

from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.resources.shared import defaults

_GROUP = "io.k8s.api.admissionregistration."


def _default_webhook(webhook: Object, _ctx: RuleContext) -> None:
    # upstream: pkg/apis/admissionregistration/v1/defaults.go SetDefaults_ValidatingWebhook
    defaults.fill(webhook, {"failurePolicy": "Fail", "timeoutSeconds": 10})
    _default_match_resources(webhook, _ctx)


def _default_mutating_webhook(webhook: Object, ctx: RuleContext) -> None:
    _default_webhook(webhook, ctx)
    defaults.fill(webhook, {"reinvocationPolicy": "Never"})


def _default_match_resources(match: Object, _ctx: RuleContext) -> None:
    values: Object = {"matchPolicy": "Equivalent", "namespaceSelector": {}, "objectSelector": {}}
    defaults.fill(match, values)


_default_rule = defaults.missing(scope="*")
_default_policy = defaults.missing(failurePolicy="Fail")


def _of(version: str) -> tuple[TypeRule, ...]:
    prefix = f"{_GROUP}{version}."
    return (
        TypeRule(type=f"{prefix}MutatingAdmissionPolicySpec", default=_default_policy),
        TypeRule(type=f"{prefix}MatchResources", default=_default_match_resources),
        TypeRule(type=f"{prefix}NamedRuleWithOperations", default=_default_rule),
    )


RULES = (
    TypeRule(type=f"{_GROUP}v1.ValidatingWebhook", default=_default_webhook),
    TypeRule(type=f"{_GROUP}v1.MutatingWebhook", default=_default_mutating_webhook),
    TypeRule(type=f"{_GROUP}v1.RuleWithOperations", default=_default_rule),
    TypeRule(type=f"{_GROUP}v1.ServiceReference", default=defaults.missing(port=443)),
    TypeRule(type=f"{_GROUP}v1.ValidatingAdmissionPolicySpec", default=_default_policy),
    *_of("v1"),
    *_of("v1beta1"),
    *_of("v1alpha1"),
    # upstream: pkg/apis/admissionregistration/v1alpha1/defaults.go SetDefaults_ParamRef
    TypeRule(
        type=f"{_GROUP}v1alpha1.ParamRef", default=defaults.missing(parameterNotFoundAction="Deny")
    ),
)
