"""Who may act for a certificate signer: by its full name, or by its domain."""
# upstream: pkg/registry/certificates util.go IsAuthorizedForSignerName

from pykube_cp.authz.interface import Attributes, Authorizer, Decision
from pykube_cp.machinery.user import UserInfo


async def may(authorizer: Authorizer | None, user: UserInfo, verb: str, signer: str) -> bool:
    if authorizer is None:
        return True
    for name in (signer, f"{signer.partition('/')[0]}/*"):
        decision, _ = await authorizer.authorize(
            Attributes(
                user=user,
                verb=verb,
                group="certificates.k8s.io",
                version="*",
                resource="signers",
                name=name,
            )
        )
        if decision is Decision.ALLOW:
            return True
    return False
