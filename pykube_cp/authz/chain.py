"""Authorizers in order: allow and deny decide, no opinion passes on."""
# upstream: apiserver pkg/authorization/union/union.go

from pykube_cp.authz.interface import Attributes, Authorizer, Decision, Rules
from pykube_cp.machinery.user import UserInfo

MASTERS = "system:masters"


class AuthorizationChain:
    """All authorizers of a server; administrators by group need no rule."""

    name = "chain"

    def __init__(self, authorizers: tuple[Authorizer, ...]) -> None:
        self._authorizers = authorizers

    async def authorize(self, attributes: Attributes) -> tuple[Decision, str]:
        if MASTERS in attributes.user.groups:
            return Decision.ALLOW, ""
        reasons = []
        for authorizer in self._authorizers:
            decision, reason = await authorizer.authorize(attributes)
            if decision is not Decision.NO_OPINION:
                return decision, reason
            if reason:
                reasons.append(f"{authorizer.name}: {reason}")
        return Decision.NO_OPINION, "\n".join(reasons)

    async def rules_for(self, user: UserInfo, namespace: str) -> Rules:
        every = [await each.rules_for(user, namespace) for each in self._authorizers]
        return Rules(
            [rule for rules in every for rule in rules.resource_rules],
            [rule for rules in every for rule in rules.non_resource_rules],
            incomplete=any(rules.incomplete for rules in every),
            error=", ".join(rules.error for rules in every if rules.error),
        )
