"""Roles and their bindings."""

from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule

GROUP = "rbac.authorization.k8s.io"


def _default_role_ref(reference: Object, _ctx: RuleContext) -> None:
    # upstream: pkg/apis/rbac/v1/defaults.go SetDefaults_RoleBinding
    if not reference.get("apiGroup"):
        reference["apiGroup"] = GROUP


def _default_subject(subject: Object, _ctx: RuleContext) -> None:
    # upstream: pkg/apis/rbac/v1/defaults.go SetDefaults_Subject
    if not subject.get("apiGroup") and subject.get("kind") in {"User", "Group"}:
        subject["apiGroup"] = GROUP


RULES = (
    TypeRule(type="io.k8s.api.rbac.v1.RoleRef", default=_default_role_ref),
    TypeRule(type="io.k8s.api.rbac.v1.Subject", default=_default_subject),
)
