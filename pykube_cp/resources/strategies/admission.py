"""Kinds of ``admissionregistration.k8s.io``."""

from collections.abc import Iterator

from pykube_cp.authz.interface import Attributes, Decision
from pykube_cp.machinery.errors import StatusError
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.go_text import quote
from pykube_cp.machinery.gvk import GVK, GVR
from pykube_cp.machinery.objects import Object, nested
from pykube_cp.registry.strategy import Strategy, WriteContext
from pykube_cp.resources.shared import checks, conditions
from pykube_cp.resources.shared.spec_and_status import (
    SpecAndStatusStrategy,
    VersionedStatusStrategy,
)

_GROUP = "admissionregistration.k8s.io"
_MASTERS = "system:masters"
_STATIC = ".static.k8s.io"
_RESERVED = (
    f"names ending with {quote(_STATIC)} are reserved for static manifest-based configurations and "
    "cannot be managed via the API"
)
_EXCLUDED = frozenset(
    {
        "selfsubjectreviews.authentication.k8s.io",
        "tokenreviews.authentication.k8s.io",
        "localsubjectaccessreviews.authorization.k8s.io",
        "selfsubjectaccessreviews.authorization.k8s.io",
        "selfsubjectrulesreviews.authorization.k8s.io",
        "subjectaccessreviews.authorization.k8s.io",
    }
)
# upstream: pkg/kubeapiserver/admission/exclusion/resources.go
_EVERYTHING = ("*", "*", "*")


class AdmissionStrategy(Strategy):
    """What all of them have in common: webhook configurations, policies and bindings."""

    # upstream: pkg/registry/admissionregistration/validatingwebhookconfiguration/strategy.go

    has_generation = True
    allow_unconditional_update = False

    def validate(self, ctx: WriteContext, obj: Object) -> list[FieldError]:
        # upstream: pkg/apis/admissionregistration/validation/static_suffix.go
        found, name = super().validate(ctx, obj), obj["metadata"].get("name") or ""
        if name.endswith(_STATIC):
            found.append(FieldError.invalid(Path("metadata", "name"), name, _RESERVED))
        return found

    def warnings_on_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[str]:
        found = super().warnings_on_update(ctx, obj, old)
        if obj["metadata"]["name"].endswith(_STATIC):
            found.append(f"metadata.name: {_RESERVED}")
        return found


class WebhookConfigurationStrategy(AdmissionStrategy):
    """Webhook configurations."""

    def warnings_on_create(self, ctx: WriteContext, obj: Object) -> list[str]:
        return super().warnings_on_create(ctx, obj) + list(_pointless(obj))

    def warnings_on_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[str]:
        return super().warnings_on_update(ctx, obj, old) + list(_pointless(obj))


def _pointless(configuration: Object) -> Iterator[str]:
    """Rules about reviews, of which webhooks are never told."""
    # upstream: admissionregistration/validation/warnings.go warningsForExcludedRules
    for place, webhook in enumerate(configuration.get("webhooks") or ()):
        for position, rule in enumerate(webhook.get("rules") or ()):
            groups, resources = rule.get("apiGroups") or (), rule.get("resources") or ()
            named = {f"{each}.{group}": None for group in groups for each in resources}
            if "*" in groups or "*" in resources:
                continue
            where = Path("webhooks").index(place).child("rules").index(position)
            for name in filter(_EXCLUDED.__contains__, named):
                yield f"{where}: {name} is excluded from admission webhooks; this rule will have no effect"


class MutatingPolicyStrategy(AdmissionStrategy):
    """Policies; who writes one must be allowed to read the objects that are its parameters."""

    # upstream: pkg/registry/admissionregistration/mutatingadmissionpolicy/authz.go

    async def begin_create(self, ctx: WriteContext, obj: Object) -> None:
        kind = nested(obj, "spec", "paramKind")
        if kind is not None and not _is_trusted(ctx):
            await _check_kind(ctx, kind)

    async def begin_update(self, ctx: WriteContext, obj: Object, old: Object) -> None:
        if nested(obj, "spec", "paramKind") != nested(old, "spec", "paramKind"):
            await self.begin_create(ctx, obj)


class ValidatingPolicyStrategy(MutatingPolicyStrategy, SpecAndStatusStrategy):
    """The same with a status."""


class ValidatingPolicyStatusStrategy(VersionedStatusStrategy):
    """``validatingadmissionpolicies/status``."""

    def validate_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[FieldError]:
        # upstream: admissionregistration validation.go validateValidatingAdmissionPolicyStatus
        status, path = obj.get("status") or {}, Path("status")
        found: list[FieldError] = []
        warnings = path.child("typeChecking", "expressionWarnings")
        given = nested(status, "typeChecking", "expressionWarnings") or ()
        for position, warning in enumerate(given):
            found += checks.required(warning, warnings.index(position), "warning")
            if not (warning.get("fieldRef") or "").strip():
                found.append(FieldError.required(warnings.index(position).child("fieldRef")))
        return found + conditions.check(status.get("conditions") or (), path.child("conditions"))


class PolicyBindingStrategy(AdmissionStrategy):
    """Bindings; who writes one must be allowed to read the parameters that it names."""

    # upstream: pkg/registry/admissionregistration/mutatingadmissionpolicybinding/authz.go

    policies = GVR(_GROUP, "v1", "validatingadmissionpolicies")

    def refusal(self, user: str, verb: str) -> str:
        return f'user {user} does not have "{verb}" permission on the object referenced by paramRef'

    async def begin_create(self, ctx: WriteContext, obj: Object) -> None:
        reference = nested(obj, "spec", "paramRef")
        if reference is None or _is_trusted(ctx):
            return
        verb = "get" if reference.get("name") else "list"
        resource, why = await self._resource(ctx, obj["spec"].get("policyName") or "")
        name, namespace = reference.get("name") or "", reference.get("namespace") or ""
        if await _may(ctx, verb, resource, name, namespace):
            return
        user = _shown(ctx)
        text = (
            self.refusal(user, verb)
            if not why
            else (
                f'{why} to determine minimum required permissions and user {user} does not have "{verb}" '
                "permission for all groups, versions and resources"
            )
        )
        ctx.refused_last.append(FieldError.forbidden(Path("spec", "paramRef"), text))

    async def begin_update(self, ctx: WriteContext, obj: Object, old: Object) -> None:
        """Upstream compares addresses here, so that every update is judged."""
        await self.begin_create(ctx, obj)

    async def _resource(self, ctx: WriteContext, policy: str) -> tuple[tuple[str, str, str], str]:
        """What is to be read, and why that could not be found out."""
        try:
            found = await ctx.client.get(self.policies, policy)
        except StatusError:
            return _EVERYTHING, f"unable to get policy {policy}"
        kind = nested(found, "spec", "paramKind")
        if kind is None:
            return _EVERYTHING, ""
        resource = _resolve(ctx, kind)
        shown = f"&{{{kind.get('apiVersion')} {kind.get('kind')}}}"
        return resource, f"unable to resolve paramKind {shown}" if resource[2] == "*" else ""


class MutatingBindingStrategy(PolicyBindingStrategy):
    """Bindings of mutating policies."""

    policies = GVR(_GROUP, "v1", "mutatingadmissionpolicies")

    def refusal(self, user: str, verb: str) -> str:
        """Upstream mixes up the two."""
        return super().refusal(verb, user)


async def _check_kind(ctx: WriteContext, kind: Object) -> None:
    if await _may(ctx, "get", _resolve(ctx, kind), "*", "*"):
        return
    text = (
        f'user {_shown(ctx)} must have "get" permission on all objects of the referenced paramKind '
        f"(kind={kind.get('kind') or ''}, apiVersion={kind.get('apiVersion') or ''})"
    )
    ctx.refused_last.append(FieldError.forbidden(Path("spec", "paramKind"), text))


def _is_trusted(ctx: WriteContext) -> bool:
    # upstream: pkg/registry/rbac/escalation_check.go EscalationAllowed
    return _MASTERS in ctx.user.groups


def _resolve(ctx: WriteContext, kind: Object) -> tuple[str, str, str]:
    """Group, version and resource of a kind; a star for a resource that is not known."""
    api_version = kind.get("apiVersion") or ""
    if api_version.count("/") > 1:
        return _EVERYTHING
    gvk = GVK.of({"apiVersion": api_version, "kind": kind.get("kind") or ""})
    row = ctx.services["catalog"].kind(gvk)
    return gvk.group, gvk.version, row.plural if row is not None else "*"


async def _may(
    ctx: WriteContext, verb: str, resource: tuple[str, str, str], name: str, namespace: str
) -> bool:
    group, version, plural = resource
    decision, _ = await ctx.services["authorizer"].authorize(
        Attributes(
            user=ctx.user,
            verb=verb,
            group=group,
            version=version,
            resource=plural,
            name=name,
            namespace=namespace,
        )
    )
    return decision is Decision.ALLOW


def _shown(ctx: WriteContext) -> str:
    """The user as Go prints it."""
    user = ctx.user
    extra = " ".join(f"{key}:[{' '.join(user.extra[key])}]" for key in sorted(user.extra))
    return f"&{{{user.name} {user.uid} [{' '.join(user.groups)}] map[{extra}]}}"
