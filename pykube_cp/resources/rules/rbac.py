"""Roles and their bindings."""

from pykube_cp.machinery import names
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.resources.shared import checks, defaults

GROUP = "rbac.authorization.k8s.io"


def _default_subject(subject: Object, _ctx: RuleContext) -> None:
    # upstream: pkg/apis/rbac/v1/defaults.go SetDefaults_Subject
    if not subject.get("apiGroup") and subject.get("kind") in {"User", "Group"}:
        subject["apiGroup"] = GROUP


def _validate_rule(rule: Object, path: Path, ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/rbac/validation/validation.go ValidatePolicyRule
    found = checks.required(rule, path, "verbs")
    urls, where = rule.get("nonResourceURLs"), path.child("nonResourceURLs")
    if urls:
        if ctx.kind.kind == "Role":
            text = "namespaced rules cannot apply to non-resource URLs"
            found.append(FieldError.invalid(where, urls, text))
        if any(rule.get(field) for field in ("apiGroups", "resources", "resourceNames")):
            text = "rules cannot apply to both regular resources and non-resource URLs"
            found.append(FieldError.invalid(where, urls, text))
        return found
    for field, what in (("apiGroups", "api group"), ("resources", "resource")):
        if not rule.get(field):
            text = f"resource rules must supply at least one {what}"
            found.append(FieldError.required(path.child(field), text))
    return found


def _validate_aggregation(rule: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    if rule.get("clusterRoleSelectors"):
        return []
    text = "at least one clusterRoleSelector required if aggregationRule is non-nil"
    return [FieldError.required(path.child("clusterRoleSelectors"), text)]


def _validate_binding(binding: Object, path: Path, ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/rbac/validation/validation.go ValidateRoleBinding
    reference, where = binding.get("roleRef") or {}, path.child("roleRef")
    namespaced = ctx.kind.kind == "RoleBinding"
    kinds = ("Role", "ClusterRole") if namespaced else ("ClusterRole",)
    found = checks.supported(reference.get("apiGroup") or "", where.child("apiGroup"), (GROUP,))
    found += checks.supported(reference.get("kind") or "", where.child("kind"), kinds)
    found += checks.must_name(reference, where, "name", names.is_path_segment_name)
    for position, subject in enumerate(binding.get("subjects") or ()):
        place = path.child("subjects").index(position)
        found += _subject(subject, place, namespaced=namespaced)
    return found


def _subject(subject: Object, path: Path, *, namespaced: bool) -> checks.Errors:
    # upstream: pkg/apis/rbac/validation/validation.go ValidateRoleBindingSubject
    found = checks.required(subject, path, "name")
    kind, group = subject.get("kind") or "", subject.get("apiGroup") or ""
    if kind == "ServiceAccount":
        found += checks.named(subject, path, "name")
        found += checks.supported(group, path.child("apiGroup"), ("",))
        return found if namespaced else found + checks.required(subject, path, "namespace")
    if kind in {"User", "Group"}:
        return found + checks.supported(group, path.child("apiGroup"), (GROUP,))
    kinds = ("ServiceAccount", "User", "Group")
    return [*found, FieldError.not_supported(path.child("kind"), kind, kinds)]


RULES = (
    # upstream: pkg/apis/rbac/v1/defaults.go SetDefaults_RoleBinding
    TypeRule(type="io.k8s.api.rbac.v1.RoleRef", default=defaults.zeros(apiGroup=GROUP)),
    TypeRule(type="io.k8s.api.rbac.v1.Subject", default=_default_subject),
    TypeRule(type="io.k8s.api.rbac.v1.PolicyRule", validate=_validate_rule),
    TypeRule(type="io.k8s.api.rbac.v1.AggregationRule", validate=_validate_aggregation),
    TypeRule(type="io.k8s.api.rbac.v1.RoleBinding", validate=_validate_binding),
    TypeRule(type="io.k8s.api.rbac.v1.ClusterRoleBinding", validate=_validate_binding),
)
