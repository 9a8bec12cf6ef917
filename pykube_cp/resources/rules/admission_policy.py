"""Admission policies and their bindings; expressions are not judged here."""

from collections.abc import Callable

from pykube_cp.machinery import names
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import Check, RuleContext, TypeRule
from pykube_cp.resources.shared import admission_policies, checks

_REASONS = ("Forbidden", "Invalid", "RequestEntityTooLarge")
_ACTIONS = ("Audit", "Deny", "Warn")
_PATCHES = {"ApplyConfiguration": "applyConfiguration", "JSONPatch": "jsonPatch"}
_MAX_ANNOTATIONS, _MAX_EXPRESSION = 20, 5 * 1024
_NOTHING = "validations or auditAnnotations must contain at least one item"


def _by_rule(check: Callable[[Object, Path], checks.Errors]) -> Check:
    return lambda value, path, _ctx: check(value, path)


_validate_spec = _by_rule(admission_policies.check)


def _validate_policy(spec: Object, path: Path, ctx: RuleContext) -> checks.Errors:
    # upstream: admissionregistration validation.go validateValidatingAdmissionPolicySpec
    found = admission_policies.check_matched(spec, path, mutates=False)
    validations = spec.get("validations") or []
    annotations = spec.get("auditAnnotations") or []
    if not validations and not annotations:
        for field in ("validations", "auditAnnotations"):
            found.append(FieldError.required(path.child(field), _NOTHING))
    for position, validation in enumerate(validations):
        found += _validation(validation, path.child("validations").index(position))
    name = (ctx.root.get("metadata") or {}).get("name", "")
    return found + _annotations(annotations, name, path.child("auditAnnotations"))


def _validation(validation: Object, path: Path) -> checks.Errors:
    found = []
    if not (validation.get("expression") or "").strip():
        text = "expression is not specified"
        found.append(FieldError.required(path.child("expression"), text))
    for field in ("messageExpression", "message"):
        given = validation.get(field) or ""
        if given and not given.strip():
            text = "must be non-empty if specified"
            found.append(FieldError.invalid(path.child(field), given, text))
    message = validation.get("message") or ""
    if any(mark in message.strip() for mark in "\n\r"):
        text = "must not contain line breaks"
        found.append(FieldError.invalid(path.child("message"), message, text))
    return found + checks.optional(validation, path, "reason", _REASONS)


def _annotations(annotations: list[Object], name: str, path: Path) -> checks.Errors:
    found = []
    if len(annotations) > _MAX_ANNOTATIONS:
        text = f"must not have more than {_MAX_ANNOTATIONS} auditAnnotations"
        found.append(FieldError.invalid(path, annotations, text))
    seen: set[str] = set()
    for position, annotation in enumerate(annotations):
        where, key = path.index(position), annotation.get("key") or ""
        qualified = f"{name}/{key}"
        found += checks.invalid(where.child("key"), qualified, names.is_qualified_name(qualified))
        expression, place = (annotation.get("valueExpression") or "").strip(), "valueExpression"
        if not expression:
            text = "valueExpression is not specified"
            found.append(FieldError.required(where.child(place), text))
        elif len(expression) > _MAX_EXPRESSION:
            text = f"must not exceed {_MAX_EXPRESSION} bytes in length"
            found.append(FieldError.required(where.child(place), text))
        if key in seen:
            found.append(FieldError.duplicate(where.child("key"), key))
        seen.add(key)
    return found


def _validate_mutating(spec: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    # upstream: admissionregistration validation.go validateMutatingAdmissionPolicySpec
    found = admission_policies.check_matched(spec, path, mutates=True)
    if not spec.get("mutations"):
        text = "mutations must contain at least one item"
        found.append(FieldError.required(path.child("mutations"), text))
    for position, mutation in enumerate(spec.get("mutations") or ()):
        found += _mutation(mutation, path.child("mutations").index(position))
    return found + checks.chosen(spec, path, "reinvocationPolicy", ("IfNeeded", "Never"))


def _mutation(mutation: Object, path: Path) -> checks.Errors:
    kind = mutation.get("patchType") or ""
    found = checks.chosen(mutation, path, "patchType", tuple(_PATCHES))
    if found:
        return found
    for name, field in _PATCHES.items():
        patch, where = mutation.get(field), path.child(field)
        if name == kind and patch is None:
            text = f"must be specified when patchType is {kind}"
            found.append(FieldError.required(where, text))
        elif name == kind and not ((patch or {}).get("expression") or "").strip():
            found.append(FieldError.required(where.child("expression")))
        elif name != kind and patch is not None:
            text = f"must not be specified when patchType is {kind}"
            found.append(FieldError.invalid(where, f"{{{field}}}", text))
    return found


def _validate_binding(spec: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    return checks.must_name(spec, path, "policyName")


def _validate_actions(spec: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    # upstream: admissionregistration validation.go validateValidationActions
    found = []
    actions, where = spec.get("validationActions") or [], path.child("validationActions")
    for position, action in enumerate(actions):
        found += checks.supported(action, where.index(position), _ACTIONS)
        if action in actions[:position]:
            found.append(FieldError.duplicate(where.index(position), action))
    if {"Deny", "Warn"} <= set(actions):
        text = (
            "must not contain both Deny and Warn (repeating the same validation failure "
            "information in the API response and headers serves no purpose)"
        )
        found.append(FieldError.invalid(where, actions, text))
    if not actions:
        text = "at least one validation action is required"
        found.append(FieldError.required(where, text))
    return found


def _validate_mutated(spec: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    match = spec.get("matchResources")
    return admission_policies.check_mutated(match, path.child("matchResources"))


RULES = (
    TypeRule(
        type="io.k8s.api.admissionregistration.v1.MatchResources",
        validate=_by_rule(admission_policies.check_match),
        order=(
            "namespaceSelector",
            "objectSelector",
            _by_rule(admission_policies.check_rules),
        ),
    ),
    TypeRule(
        type="io.k8s.api.admissionregistration.v1.ParamRef",
        validate=_by_rule(admission_policies.check_param_name),
        order=("selector", _by_rule(admission_policies.check_param_ref)),
    ),
    TypeRule(
        type="io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicySpec",
        validate=_validate_spec,
        order=("matchConstraints", _validate_policy),
    ),
    TypeRule(
        type="io.k8s.api.admissionregistration.v1.MutatingAdmissionPolicySpec",
        validate=_validate_spec,
        order=("matchConstraints", _validate_mutating),
    ),
    TypeRule(
        type="io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicyBindingSpec",
        validate=_validate_binding,
        order=("paramRef", "matchResources", _validate_actions),
    ),
    TypeRule(
        type="io.k8s.api.admissionregistration.v1.MutatingAdmissionPolicyBindingSpec",
        validate=_validate_binding,
        order=("paramRef", "matchResources", _validate_mutated),
    ),
)
