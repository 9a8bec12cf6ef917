"""Webhook configurations and admission policies."""

from typing import Any

from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule

_GROUP = "io.k8s.api.admissionregistration."


def _fill(owner: Object, **values: Any) -> None:
    for field, value in values.items():
        if owner.get(field) is None:
            owner[field] = value


def _default_webhook(webhook: Object, _ctx: RuleContext) -> None:
    # upstream: pkg/apis/admissionregistration/v1/defaults.go SetDefaults_ValidatingWebhook
    _fill(webhook, failurePolicy="Fail", timeoutSeconds=10)
    _default_match_resources(webhook, _ctx)


def _default_mutating_webhook(webhook: Object, ctx: RuleContext) -> None:
    _default_webhook(webhook, ctx)
    _fill(webhook, reinvocationPolicy="Never")


def _default_rule(rule: Object, _ctx: RuleContext) -> None:
    _fill(rule, scope="*")


def _default_service(reference: Object, _ctx: RuleContext) -> None:
    _fill(reference, port=443)


def _default_policy(spec: Object, _ctx: RuleContext) -> None:
    _fill(spec, failurePolicy="Fail")


def _default_match_resources(match: Object, _ctx: RuleContext) -> None:
    _fill(match, matchPolicy="Equivalent", namespaceSelector={}, objectSelector={})


def _default_param_ref(reference: Object, _ctx: RuleContext) -> None:
    # upstream: pkg/apis/admissionregistration/v1alpha1/defaults.go SetDefaults_ParamRef
    _fill(reference, parameterNotFoundAction="Deny")


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
    TypeRule(type=f"{_GROUP}v1.ServiceReference", default=_default_service),
    TypeRule(type=f"{_GROUP}v1.ValidatingAdmissionPolicySpec", default=_default_policy),
    *_of("v1"),
    *_of("v1beta1"),
    *_of("v1alpha1"),
    TypeRule(type=f"{_GROUP}v1alpha1.ParamRef", default=_default_param_ref),
)
