"""Roles and bindings: nobody grants what he does not have."""
# upstream: pkg/registry/rbac/clusterrole/policybased/storage.go, clusterrolebinding/policybased

from collections.abc import Callable

from pykube_cp.authz.interface import Attributes, Decision
from pykube_cp.machinery import errors, names, selectors
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object, nested
from pykube_cp.registry.strategy import Rollback, Strategy, WriteContext

_GROUP = "rbac.authorization.k8s.io"
_MASTERS = "system:masters"
_PLURALS = {
    "Role": "roles",
    "ClusterRole": "clusterroles",
    "RoleBinding": "rolebindings",
    "ClusterRoleBinding": "clusterrolebindings",
}


class RoleStrategy(Strategy):
    """Roles: whoever writes one must have its rules, or the verb ``escalate``."""

    allow_create_on_update = True

    def validate_name(self, name: str, *, prefix: bool) -> list[str]:
        return names.is_path_segment_name(name, prefix=prefix)

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

    async def begin_create(self, ctx: WriteContext, obj: Object) -> Rollback | None:
        await self._check(ctx, obj)
        return None

    async def begin_update(self, ctx: WriteContext, obj: Object, old: Object) -> Rollback | None:
        changed = (obj.get("rules"), obj.get("aggregationRule")) != (
            old.get("rules"),
            old.get("aggregationRule"),
        )
        if changed:
            await self._check(ctx, obj)
        return None

    async def _check(self, ctx: WriteContext, obj: Object) -> None:
        if _is_trusted(ctx) or await _may(ctx, "escalate", obj["kind"], obj["metadata"]["name"]):
            return
        rules = list(obj.get("rules") or [])
        if obj.get("aggregationRule"):
            rules.append({"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]})
            rules.append({"verbs": ["*"], "nonResourceURLs": ["*"]})
        _refuse_missing(ctx, obj, rules)


def _can_select(selector: Object) -> bool:
    try:
        selectors.from_label_selector(selector)
    except selectors.SelectorError:
        return False
    return True


class BindingStrategy(Strategy):
    """Bindings: whoever writes one must have the role's rules, or the verb ``bind`` on the role."""

    allow_create_on_update = True

    def validate_name(self, name: str, *, prefix: bool) -> list[str]:
        return names.is_path_segment_name(name, prefix=prefix)

    async def begin_create(self, ctx: WriteContext, obj: Object) -> Rollback | None:
        await self._check(ctx, obj)
        return None

    async def begin_update(self, ctx: WriteContext, obj: Object, old: Object) -> Rollback | None:
        if (obj.get("roleRef"), obj.get("subjects")) != (old.get("roleRef"), old.get("subjects")):
            await self._check(ctx, obj)
        return None

    async def _check(self, ctx: WriteContext, obj: Object) -> None:
        reference = obj.get("roleRef") or {}
        kind, name = reference.get("kind", ""), reference.get("name", "")
        if _is_trusted(ctx) or kind not in _PLURALS or await _may(ctx, "bind", kind, name):
            return
        find: Callable[[str, str, str], Object | None] = ctx.services["rbac"].role
        role = find(kind, name, ctx.namespace)
        if role is None:
            raise errors.not_found((_GROUP, _PLURALS[kind]), name)
        _refuse_missing(ctx, obj, role.get("rules") or [])


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


def _refuse_missing(ctx: WriteContext, obj: Object, rules: list[Object]) -> None:
    # upstream: pkg/registry/rbac/validation/rule.go ConfirmNoEscalation
    missing = ctx.services["rbac"].covers(ctx.user, rules, ctx.namespace)
    if not missing:
        return
    groups = " ".join(f'"{group}"' for group in ctx.user.groups)
    lines = "\n".join(_compact(rule) for rule in missing)
    text = (
        f'user "{ctx.user.name}" (groups=[{groups}]) is attempting to grant RBAC permissions not '
        f"currently held:\n{lines}"
    )
    kind = obj["kind"]
    raise errors.forbidden((_GROUP, _PLURALS[kind]), obj["metadata"].get("name", ""), text)


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
        f"{shown}:[" + " ".join(f'"{value}"' for value in rule[field]) + "]"
        for shown, field in order
        if rule.get(field)
    ]
    return "{" + ", ".join(parts) + "}"
