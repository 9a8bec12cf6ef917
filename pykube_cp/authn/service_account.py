"""Service-account tokens: signed by us, and bound to objects that still exist."""
# upstream: pkg/serviceaccount/claims.go validator.Validate, legacy.go

import hashlib
from collections import OrderedDict
from typing import Any

from pykube_cp.authn.bearer import token_of
from pykube_cp.authn.interface import AuthenticationError, Credentials, Identity
from pykube_cp.authn.tokens import TokenError, TokenVerifier, unverified_claims
from pykube_cp.client.interface import Client
from pykube_cp.machinery import clock, errors
from pykube_cp.machinery.gvk import GVR
from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.user import UserInfo

_ACCOUNTS = GVR("", "v1", "serviceaccounts")
_BOUND = {
    "pod": GVR("", "v1", "pods"),
    "secret": GVR("", "v1", "secrets"),
    "node": GVR("", "v1", "nodes"),
}
_EXTRA = "authentication.kubernetes.io/"
_LEGACY_ISSUER = "kubernetes/serviceaccount"
_LEGACY = "kubernetes.io/serviceaccount/"
_CACHED = 4096
_LEEWAY = 10.0
_GRACE_AFTER_DELETE = 60.0


class ServiceAccount:
    """Recognises tokens that name one of ``issuers``. Signatures are checked once per token."""

    name = "service_account"
    takes_tokens = True

    def __init__(
        self,
        verifier: TokenVerifier,
        issuers: tuple[str, ...],
        audiences: tuple[str, ...],
        client: Client,
    ) -> None:
        self._verifier = verifier
        self._issuers = issuers
        self._audiences = audiences
        self._client = client
        self._verified: OrderedDict[bytes, dict[str, Any]] = OrderedDict()

    async def authenticate(self, credentials: Credentials) -> Identity | None:
        token = token_of(credentials)
        if token.count(".") != 2:
            return None
        claims = self._claims(token)
        if claims is None:
            return None
        wanted = credentials.audiences or self._audiences
        if claims.get("iss") == _LEGACY_ISSUER:
            return await self._legacy(claims)
        found = _audiences(claims, wanted)
        _check_times(claims)
        private = claims.get("kubernetes.io") or {}
        user = await self._user(private, claims)
        return Identity(user, found, float(claims.get("exp", 0)))

    def _claims(self, token: str) -> dict[str, Any] | None:
        key = hashlib.sha256(token.encode()).digest()
        known = self._verified.get(key)
        if known is not None:
            return known
        try:
            issuer = unverified_claims(token).get("iss")
        except TokenError:
            return None
        if issuer not in (*self._issuers, _LEGACY_ISSUER):
            return None
        try:
            claims = self._verifier.verify(token)
        except TokenError as error:
            raise AuthenticationError(str(error)) from None
        self._verified[key] = claims
        if len(self._verified) > _CACHED:
            self._verified.popitem(last=False)
        return claims

    async def _user(self, private: dict[str, Any], claims: dict[str, Any]) -> UserInfo:
        namespace = private.get("namespace", "")
        account = private.get("serviceaccount") or {}
        extra = await self._bound(namespace, private)
        await self._exists(_ACCOUNTS, namespace, account, "service account token")
        if jti := claims.get("jti"):
            extra[f"{_EXTRA}credential-id"] = (f"JTI={jti}",)
        return _user_info(namespace, account.get("name", ""), account.get("uid", ""), extra)

    async def _bound(self, namespace: str, private: dict[str, Any]) -> dict[str, tuple[str, ...]]:
        extra: dict[str, tuple[str, ...]] = {}
        for kind, gvr in _BOUND.items():
            reference = private.get(kind)
            if not reference:
                continue
            # The node of a pod's token is information; only a token bound to the node dies with it.
            if kind != "node" or "pod" not in private:
                where = "" if kind == "node" else namespace
                await self._exists(gvr, where, reference, f"token has been invalidated: {kind}")
            if kind != "secret":
                extra[f"{_EXTRA}{kind}-name"] = (reference.get("name", ""),)
                extra[f"{_EXTRA}{kind}-uid"] = (reference.get("uid", ""),)
        return extra

    async def _exists(
        self, gvr: GVR, namespace: str, reference: dict[str, Any], what: str
    ) -> Object:
        try:
            obj = await self._client.get(gvr, reference.get("name", ""), namespace)
        except errors.StatusError:
            raise AuthenticationError(f"{what} {reference.get('name')} not found") from None
        meta = obj["metadata"]
        if meta.get("uid") != reference.get("uid"):
            raise AuthenticationError(f"{what}: UID does not match claim")
        deleted = meta.get("deletionTimestamp")
        if deleted and clock.parse_time(deleted) + _GRACE_AFTER_DELETE < clock.now():
            raise AuthenticationError(f"{what} has been deleted")
        return obj

    async def _legacy(self, claims: dict[str, Any]) -> Identity:
        """A token out of a Secret: good as long as the Secret holds it."""
        namespace = claims.get(f"{_LEGACY}namespace", "")
        name = claims.get(f"{_LEGACY}service-account.name", "")
        uid = claims.get(f"{_LEGACY}service-account.uid", "")
        secret = claims.get(f"{_LEGACY}secret.name", "")
        await self._exists(
            _ACCOUNTS, namespace, {"name": name, "uid": uid}, "service account token"
        )
        try:
            found = await self._client.get(_BOUND["secret"], secret, namespace)
        except errors.StatusError:
            raise AuthenticationError("service account token has been invalidated") from None
        if found["metadata"].get("deletionTimestamp"):
            raise AuthenticationError("service account token has been invalidated")
        return Identity(_user_info(namespace, name, uid, {}), self._audiences)


def _audiences(claims: dict[str, Any], wanted: tuple[str, ...]) -> tuple[str, ...]:
    given = claims.get("aud") or []
    given = [given] if isinstance(given, str) else given
    found = tuple(each for each in given if each in wanted)
    if not found:
        raise AuthenticationError(
            f"token audiences {given} is invalid for the target audiences {list(wanted)}"
        )
    return found


def _check_times(claims: dict[str, Any]) -> None:
    now = clock.now()
    if claims.get("exp") is None or now > claims["exp"]:
        raise AuthenticationError("service account token has expired")
    if now + _LEEWAY < claims.get("nbf", 0):
        raise AuthenticationError("service account token is not valid yet")


def _user_info(namespace: str, name: str, uid: str, extra: dict[str, tuple[str, ...]]) -> UserInfo:
    return UserInfo(
        f"system:serviceaccount:{namespace}:{name}",
        uid,
        ("system:serviceaccounts", f"system:serviceaccounts:{namespace}"),
        extra,
    )
