"""Roles and bindings: nobody grants what he does not have."""
# upstream: pkg/registry/rbac/clusterrole/policybased/storage.go, clusterrolebinding/policybased

from collections.abc import Callable, Iterator

from pykube_cp.authz.interface import Attributes, Decision
from pykube_cp.machinery import errors, names, selectors
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.go_text import quote
from pykube_cp.machinery.objects import Object, nested, only_lets_go
from pykube_cp.registry.strategy import Rollback, Strategy, WriteContext
from pykube_cp.resources.shared.immutable import ImmutableFields

_GROUP = "rbac.authorization.k8s.io"
_MASTERS = "system:masters"
_ROLES = frozenset({"Role", "ClusterRole"})
_EVERYTHING = (
    {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]},
    {"verbs": ["*"], "nonResourceURLs": ["*"]},
)
_PLURALS = {
    "Role": "roles",
    "ClusterRole": "clusterroles",
    "RoleBinding": "rolebindings",
    "ClusterRoleBinding": "clusterrolebindings",
}


class _RbacStrategy(Strategy):
    """What roles and bindings have in common; names may be anything that fits into a URL."""

    # upstream: pkg/registry/rbac/role/strategy.go

    allow_create_on_update = True

    def validate_name(self, name: str, *, prefix: bool) -> list[str]:
        return names.is_path_segment_name(name)

    async def begin_create(self, ctx: WriteContext, obj: Object) -> Rollback | None:
        if not _is_trusted(ctx):
            await self.check(ctx, obj, None)
        return None

    async def begin_update(self, ctx: WriteContext, obj: Object, old: Object) -> Rollback | None:
        if not _is_trusted(ctx) and not only_lets_go(obj, old):
            await self.check(ctx, obj, old)
        return None

    async def check(self, ctx: WriteContext, obj: Object, old: Object | None) -> None:
        """Raise when the user gives rights that he has not."""
        raise NotImplementedError


class RoleStrategy(_RbacStrategy):
    """Roles: whoever writes one must have its rules, or the verb ``escalate``."""

    def validate(self, ctx: WriteContext, obj: Object) -> list[FieldError]:
        """After what is wrong in the selectors themselves."""
        # upstream: pkg/apis/rbac/validation/validation.go ValidateClusterRole
        given = nested(obj, "aggregationRule", "clusterRoleSelectors") or ()
        path = Path("aggregationRule", "clusterRoleSelectors")
        return [
            FieldError.invalid(path.index(position), None, "invalid label selector.")
            for position, selector in enumerate(given)
            if not _can_select(selector)
        ]

    def validate_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[FieldError]:
        return self.validate(ctx, obj)

    async def check(self, ctx: WriteContext, obj: Object, old: Object | None) -> None:
        # A role that is still to be made has no name that could be allowed.
        name = obj["metadata"].get("name", "") if old is not None else ""
        if await _may(ctx, "escalate", obj["kind"], name):
            return
        await _refuse_missing(ctx, obj, obj.get("rules") or [])
        if not (_aggregates(obj) or _aggregates(old or {})):
            return
        # What is gathered may be anything, so only who has everything may say how.
        if ctx.services["rbac"].covers(ctx.user, _EVERYTHING, ctx.namespace):
            text = "must have cluster-admin privileges to use the aggregationRule"
            raise errors.forbidden((_GROUP, _PLURALS[obj["kind"]]), _name(obj), text)


class BindingStrategy(_RbacStrategy, ImmutableFields):
    """Bindings: whoever writes one must have the role's rules, or the verb ``bind`` on the role."""

    # upstream: pkg/registry/rbac/rolebinding/strategy.go

    immutable = (("roleRef",),)

    async def check(self, ctx: WriteContext, obj: Object, old: Object | None) -> None:
        reference = obj.get("roleRef") or {}
        kind, name = reference.get("kind", ""), reference.get("name", "")
        if kind not in _ROLES:
            # upstream: pkg/registry/rbac/validation/rule.go GetRoleReferenceRules
            raise errors.StatusError(500, "", f"unsupported role reference kind: {quote(kind)}")
        if await _may(ctx, "bind", kind, name):
            return
        find: Callable[[str, str, str], Object | None] = ctx.services["rbac"].role
        role = find(kind, name, ctx.namespace)
        if role is None:
            # upstream: the role's store calls what it misses by the resource of the request
            raise errors.not_found((_GROUP, _PLURALS[obj["kind"]]), name)
        await _refuse_missing(ctx, obj, role.get("rules") or [])


def _can_select(selector: Object) -> bool:
    try:
        selectors.from_label_selector(selector)
    except selectors.SelectorError:
        return False
    return True


def _aggregates(role: Object) -> bool:
    return bool((role.get("aggregationRule") or {}).get("clusterRoleSelectors"))


def _name(obj: Object) -> str:
    name: str = obj["metadata"].get("name", "")
    return name


def _is_trusted(ctx: WriteContext) -> bool:
    return _MASTERS in ctx.user.groups


async def _may(ctx: WriteContext, verb: str, kind: str, name: str) -> bool:
    decision, _ = await ctx.services["authorizer"].authorize(
        Attributes(
            user=ctx.user,
            verb=verb,
            group=_GROUP,
            version="v1",
            resource=_PLURALS[kind],
            namespace=ctx.namespace,
            name=name,
        )
    )
    return decision is Decision.ALLOW


async def _refuse_missing(ctx: WriteContext, obj: Object, rules: list[Object]) -> None:
    # upstream: pkg/registry/rbac/validation/rule.go ConfirmNoEscalation
    rbac = ctx.services["rbac"]
    missing = rbac.covers(ctx.user, rules, ctx.namespace)
    if not missing:
        return
    groups = " ".join(quote(group) for group in ctx.user.groups)
    lines = "\n".join(sorted({_compact(rule) for rule in _joined(missing)}))
    text = (
        f"user {quote(ctx.user.name)} (groups=[{groups}]) is attempting to grant RBAC permissions not "
        f"currently held:\n{lines}"
    )
    if failed := (await rbac.rules_for(ctx.user, ctx.namespace)).error:
        text = f"{text}; resolution errors: [{failed}]"
    raise errors.forbidden((_GROUP, _PLURALS[obj["kind"]]), _name(obj), text)


def _joined(rules: list[Object]) -> Iterator[Object]:
    """Rules about the same thing as one, with all their verbs."""
    # upstream: pkg/registry/rbac/validation/policy_compact.go CompactRules
    verbs: dict[tuple[str, ...], list[str]] = {}
    for rule in rules:
        if rule.get("nonResourceURLs"):
            yield rule
        else:
            key = (rule["apiGroups"][0], rule["resources"][0], *rule.get("resourceNames", ()))
            verbs.setdefault(key, []).extend(rule["verbs"])
    for (group, resource, *names_), found in verbs.items():
        one = {"apiGroups": [group], "resources": [resource], "verbs": found}
        yield {**one, "resourceNames": names_} if names_ else one


def _compact(rule: Object) -> str:
    """A rule in one line."""
    # upstream: pkg/apis/rbac/v1/helpers.go CompactString
    order = (
        ("APIGroups", "apiGroups"),
        ("Resources", "resources"),
        ("NonResourceURLs", "nonResourceURLs"),
        ("ResourceNames", "resourceNames"),
        ("Verbs", "verbs"),
    )
    parts = [
        f"{shown}:[" + " ".join(map(quote, rule[field])) + "]"
        for shown, field in order
        if rule.get(field)
    ]
    return "{" + ", ".join(parts) + "}"
