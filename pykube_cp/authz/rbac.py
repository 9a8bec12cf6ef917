"""Role-based access control, over informers of roles and bindings.

Rules of a user are gathered once per change of any role or binding, decisions are remembered until
then: most requests repeat themselves.
"""
# upstream: plugin/pkg/auth/authorizer/rbac/rbac.go, pkg/registry/rbac/validation/rule.go

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

from pykube_cp.authz.interface import Attributes, Decision, Rules
from pykube_cp.client.informer import Informers
from pykube_cp.machinery import errors, field_errors
from pykube_cp.machinery.gvk import GVR
from pykube_cp.machinery.objects import Object, namespace
from pykube_cp.machinery.user import UserInfo

GROUP = "rbac.authorization.k8s.io"
ROLES = GVR(GROUP, "v1", "roles")
ROLE_BINDINGS = GVR(GROUP, "v1", "rolebindings")
CLUSTER_ROLES = GVR(GROUP, "v1", "clusterroles")
CLUSTER_ROLE_BINDINGS = GVR(GROUP, "v1", "clusterrolebindings")
_DECISIONS = 20_000
_NAMESPACED = frozenset({"Role", "RoleBinding"})


class _User(NamedTuple):
    """What a user has; ``by_name`` when a rule is about objects with certain names."""

    grants: "list[Grant]"
    by_name: bool


class Grant(NamedTuple):
    """A rule that someone has, where (empty: everywhere), and why.

    A binding to a role that is missing grants nothing; ``error`` says so.
    """

    rule: Object
    namespace: str
    reason: str
    error: str = ""


class Rbac:
    """Allows what some rule allows; has no opinion on the rest."""

    name = "rbac"

    def __init__(self, informers: Informers) -> None:
        self._informers = informers
        self._users: dict[tuple[str, tuple[str, ...]], _User] = {}
        self._decisions: dict[tuple[object, ...], tuple[Decision, str]] = {}
        for gvr in (ROLES, ROLE_BINDINGS, CLUSTER_ROLES, CLUSTER_ROLE_BINDINGS):
            informers.of(gvr).on(add=self._forget, update=self._forget, delete=self._forget)

    def _forget(self, *_changed: Object) -> None:
        self._users.clear()
        self._decisions.clear()

    async def authorize(self, attributes: Attributes) -> tuple[Decision, str]:
        user = attributes.user
        known = self._user(user)
        key = (
            user.name,
            user.groups,
            attributes.verb,
            attributes.group,
            attributes.resource,
            attributes.subresource,
            attributes.namespace,
            attributes.name if known.by_name else "",
            attributes.path,
            attributes.is_resource,
        )
        found = self._decisions.get(key)
        if found is None:
            found = self._decide(attributes, known)
            if len(self._decisions) >= _DECISIONS:
                self._decisions.clear()
            self._decisions[key] = found
        return found

    def _decide(self, attributes: Attributes, known: _User) -> tuple[Decision, str]:
        found = []
        for grant in known.grants:
            if grant.namespace and grant.namespace != attributes.namespace:
                continue
            if grant.error:
                found.append(grant.error)
            elif allows(grant.rule, attributes, clusterwide=not grant.namespace):
                return Decision.ALLOW, grant.reason
        return Decision.NO_OPINION, f"RBAC: {field_errors.aggregate_texts(found)}" if found else ""

    def grants(self, user: UserInfo) -> list[Grant]:
        """All rules that a user has anywhere."""
        return self._user(user).grants

    def _user(self, user: UserInfo) -> _User:
        key = (user.name, user.groups)
        found = self._users.get(key)
        if found is None:
            grants = list(self._gather(user))
            by_name = any(grant.rule.get("resourceNames") for grant in grants)
            found = self._users[key] = _User(grants, by_name)
        return found

    def _gather(self, user: UserInfo) -> Iterator[Grant]:
        for gvr in (CLUSTER_ROLE_BINDINGS, ROLE_BINDINGS):
            for binding in self._informers.lister(gvr).list():
                where = namespace(binding) if gvr is ROLE_BINDINGS else ""
                for subject in binding.get("subjects") or []:
                    if _is_subject(user, subject, where):
                        yield from self._rules_of(binding, where, subject)
                        break

    def _rules_of(self, binding: Object, where: str, subject: Object) -> Iterator[Grant]:
        kind, name = binding["roleRef"]["kind"], binding["roleRef"]["name"]
        role = self.role(kind, name, where)
        if role is None:
            plural = "roles" if kind == "Role" else "clusterroles"
            # upstream: client-go listers answer for a single resource
            missing = errors.not_found((GROUP, plural[:-1]), name)
            yield Grant({}, where, "", missing.message)
            return
        reason = _described(binding, where, subject)
        for rule in role.get("rules") or []:
            yield Grant(rule, where, reason)

    def role(self, kind: str, name: str, where: str) -> Object | None:
        """The role that a binding refers to."""
        if kind == "ClusterRole":
            return self._informers.lister(CLUSTER_ROLES).get(name)
        return self._informers.lister(ROLES).named(name, where)

    async def rules_for(self, user: UserInfo, namespace: str) -> Rules:
        rules, failures = Rules(), []
        for grant in self.grants(user):
            if grant.namespace and grant.namespace != namespace:
                continue
            if grant.error:
                failures.append(grant.error)
            rule = grant.rule
            if rule.get("resources"):
                fields = ("verbs", "apiGroups", "resources", "resourceNames")
                rules.resource_rules.append(_picked(rule, fields))
            if rule.get("nonResourceURLs") and not grant.namespace:
                rules.non_resource_rules.append(_picked(rule, ("verbs", "nonResourceURLs")))
        return replace(rules, error=field_errors.aggregate_texts(failures)) if failures else rules

    def covers(self, user: UserInfo, rules: Iterable[Object], where: str) -> list[Object]:
        """Of ``rules``, those that the user does not have himself: what he must not grant."""
        # upstream: component-helpers auth/rbac/validation/policy_comparator.go Covers
        owned = [
            grant.rule
            for grant in self.grants(user)
            if not grant.namespace or grant.namespace == where
        ]
        return [
            single
            for rule in rules
            for single in _singles(rule)
            if not any(_covers(each, single) for each in owned)
        ]


def allows(rule: Object, attributes: Attributes, *, clusterwide: bool) -> bool:
    """Whether one rule allows what is asked."""
    verbs = rule.get("verbs") or ()
    if "*" not in verbs and attributes.verb not in verbs:
        return False
    if not attributes.is_resource:
        urls = rule.get("nonResourceURLs") or ()
        return clusterwide and any(_url_matches(url, attributes.path) for url in urls)
    groups = rule.get("apiGroups") or ()
    if "*" not in groups and attributes.group not in groups:
        return False
    if not _resource_matches(rule.get("resources") or (), attributes):
        return False
    names = rule.get("resourceNames")
    return not names or attributes.name in names


def _resource_matches(resources: Iterable[str], attributes: Attributes) -> bool:
    full = attributes.resource
    if attributes.subresource:
        full = f"{full}/{attributes.subresource}"
    for resource in resources:
        if resource in {"*", full}:
            return True
        if attributes.subresource and resource == f"*/{attributes.subresource}":
            return True
    return False


def _url_matches(rule: str, path: str) -> bool:
    if rule in {"*", path}:
        return True
    return rule.endswith("*") and path.startswith(rule.rstrip("*"))


def _described(binding: Object, where: str, subject: Object) -> str:
    # upstream: pkg/registry/rbac/validation/rule.go clusterRoleBindingDescriber, describeSubject
    name, role = binding["metadata"]["name"], binding["roleRef"]
    source = f'RoleBinding "{name}/{where}"' if where else f'ClusterRoleBinding "{name}"'
    who = subject["name"]
    if subject["kind"] == "ServiceAccount":
        who = f"{who}/{subject.get('namespace') or where}"
    return (
        f'RBAC: allowed by {source} of {role["kind"]} "{role["name"]}" to {subject["kind"]} "{who}"'
    )


def _is_subject(user: UserInfo, subject: Object, where: str) -> bool:
    kind, name = subject["kind"], subject["name"]
    if kind == "User":
        return bool(user.name == name)
    if kind == "Group":
        return name in user.groups
    place = subject.get("namespace") or where
    return bool(place) and user.name == f"system:serviceaccount:{place}:{name}"


def _picked(rule: Object, fields: tuple[str, ...]) -> dict[str, list[str]]:
    return {field: rule[field] for field in fields if rule.get(field)}


def _singles(rule: Object) -> Iterator[Object]:
    """A rule as rules with one verb and one resource or URL each."""
    # upstream: component-helpers auth/rbac/validation/policy_comparator.go BreakdownRule
    groups, resources, verbs = (
        rule.get(field) or [] for field in ("apiGroups", "resources", "verbs")
    )
    for group, resource, verb in itertools.product(groups, resources, verbs):
        single = {"verbs": [verb], "apiGroups": [group], "resources": [resource]}
        names = rule.get("resourceNames")
        if not names:
            yield single
        for name in names or []:
            yield {**single, "resourceNames": [name]}
    for url, verb in itertools.product(rule.get("nonResourceURLs") or [], verbs):
        yield {"verbs": [verb], "nonResourceURLs": [url]}


def _covers(rule: Object, single: Object) -> bool:
    verbs = rule.get("verbs") or ()
    if "*" not in verbs and single["verbs"][0] not in verbs:
        return False
    if "nonResourceURLs" in single:
        url = single["nonResourceURLs"][0]
        return any(_url_matches(each, url) for each in rule.get("nonResourceURLs") or ())
    groups = rule.get("apiGroups") or ()
    if "*" not in groups and single["apiGroups"][0] not in groups:
        return False
    resource, resources = single["resources"][0], rule.get("resources") or ()
    _, _, subresource = resource.partition("/")
    known = {"*", resource} | ({f"*/{subresource}"} if subresource else set())
    if not known & set(resources):
        return False
    names = rule.get("resourceNames")
    return not names or bool(set(single.get("resourceNames") or ()) & set(names))
