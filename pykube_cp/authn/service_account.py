"""Service-account tokens: signed by us, and bound to objects that still exist."""
# upstream: pkg/serviceaccount/claims.go validator.Validate, legacy.go

import base64
import hashlib
import hmac
from collections import OrderedDict
from typing import Any

from pykube_cp.authn.bearer import token_of
from pykube_cp.authn.interface import AuthenticationError, Credentials, Identity
from pykube_cp.authn.tokens import TokenError, TokenVerifier, unverified_claims
from pykube_cp.client.interface import Client
from pykube_cp.machinery import clock, errors
from pykube_cp.machinery.go_text import quote
from pykube_cp.machinery.gvk import GVR
from pykube_cp.machinery.metrics import Counter
from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.user import CREDENTIAL_ID, UserInfo

_ACCOUNTS = GVR("", "v1", "serviceaccounts")
_BOUND = {
    "secret": GVR("", "v1", "secrets"),
    "pod": GVR("", "v1", "pods"),
    "node": GVR("", "v1", "nodes"),
}
_EXTRA = "authentication.kubernetes.io/"
_LEGACY_ISSUER = "kubernetes/serviceaccount"
_LEGACY = "kubernetes.io/serviceaccount/"
_CACHED = 4096
_INVALID_SINCE = "kubernetes.io/legacy-token-invalid-since"
_INVALIDATED = "service account token has been invalidated"
_LEEWAY = 60.0  # for clocks that differ, and for what is just being deleted

# upstream: pkg/serviceaccount/metrics.go
LEGACY_TOKENS = Counter(
    "serviceaccount_legacy_tokens_total", "[BETA] Cumulative legacy service account tokens used"
)
STALE_TOKENS = Counter(
    "serviceaccount_stale_tokens_total",
    "[BETA] Cumulative stale projected service account tokens used",
)
VALID_TOKENS = Counter(
    "serviceaccount_valid_tokens_total",
    "[BETA] Cumulative valid projected service account tokens used",
)
METRICS = (LEGACY_TOKENS, STALE_TOKENS, VALID_TOKENS)


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
        if not claims.get("aud"):
            LEGACY_TOKENS.add()
        wanted = credentials.audiences or self._audiences
        found = _audiences(claims, wanted, self._audiences)
        if claims.get("iss") == _LEGACY_ISSUER:
            return Identity(await self._legacy(token, claims), found)
        _check_times(claims)
        private = claims.get("kubernetes.io") or {}
        user = await self._user(private, claims)
        _count(private.get("warnafter"))
        return Identity(user, found, float(claims.get("exp", 0)))

    def _claims(self, token: str) -> dict[str, Any] | None:
        key = hashlib.sha256(token.encode()).digest()
        known = self._verified.get(key)
        if known is not None:
            return known
        try:
            issuer = unverified_claims(token).get("iss")
        except TokenError:
            return None  # someone else's kind of token
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
        where = private.get("namespace", "")
        account = private.get("serviceaccount") or {}
        await self._check_account(where, account)
        extra = await self._bound(where, private)
        if jti := claims.get("jti"):
            extra[CREDENTIAL_ID] = (f"JTI={jti}",)
        return _user_info(where, account.get("name", ""), account.get("uid", ""), extra)

    async def _check_account(self, where: str, account: dict[str, Any]) -> None:
        name, claimed = account.get("name", ""), account.get("uid", "")
        try:
            meta = (await self._client.get(_ACCOUNTS, name, where))["metadata"]
        except errors.StatusError as error:
            raise AuthenticationError(error.message) from None
        if meta["uid"] != claimed:
            text = f"service account UID ({meta['uid']}) does not match claim ({claimed})"
            raise AuthenticationError(text)
        if _is_long_gone(meta):
            raise AuthenticationError(f"service account {where}/{name} has been deleted")

    async def _bound(self, where: str, private: dict[str, Any]) -> dict[str, tuple[str, ...]]:
        extra: dict[str, tuple[str, ...]] = {}
        for kind, gvr in _BOUND.items():
            reference = private.get(kind)
            if not reference:
                continue
            # The node of a pod's token is information; only a token bound to the node dies with it.
            if kind != "node" or "pod" not in private:
                await self._check_bound(gvr, "" if kind == "node" else where, reference, kind)
            if kind != "secret":
                extra[f"{_EXTRA}{kind}-name"] = (reference.get("name", ""),)
                extra[f"{_EXTRA}{kind}-uid"] = (reference.get("uid", ""),)
        return extra

    async def _check_bound(
        self, gvr: GVR, where: str, reference: dict[str, Any], kind: str
    ) -> None:
        claimed = reference.get("uid", "")
        try:
            meta = (await self._client.get(gvr, reference.get("name", ""), where))["metadata"]
        except errors.StatusError:
            raise AuthenticationError(_INVALIDATED) from None
        if meta["uid"] != claimed:
            text = f"does not match service account {kind} ref claim ({claimed})"
            raise AuthenticationError(f"{kind} UID ({meta['uid']}) {text}")
        if _is_long_gone(meta):
            raise AuthenticationError(_INVALIDATED)

    async def _legacy(self, token: str, claims: dict[str, Any]) -> UserInfo:
        """A token out of a Secret: good as long as the Secret holds it."""
        # upstream: pkg/serviceaccount/legacy.go legacyValidator.Validate
        where = _claim(claims, f"{_LEGACY}namespace", "namespace")
        secret = _claim(claims, f"{_LEGACY}secret.name", "secretName")
        name = _claim(claims, f"{_LEGACY}service-account.name", "serviceAccountName")
        uid = _claim(claims, f"{_LEGACY}service-account.uid", "serviceAccountUID")
        if claims.get("sub") != f"system:serviceaccount:{where}:{name}":
            raise AuthenticationError("sub claim is invalid")
        await self._check_secret(where, secret, name, token)
        try:
            meta = (await self._client.get(_ACCOUNTS, name, where))["metadata"]
        except errors.StatusError as error:
            raise AuthenticationError(error.message) from None
        if meta.get("deletionTimestamp"):
            raise AuthenticationError(f"ServiceAccount {where}/{name} has been deleted")
        if meta["uid"] != uid:
            text = f"ServiceAccount UID ({meta['uid']}) does not match claim ({uid})"
            raise AuthenticationError(text)
        return _user_info(where, name, uid, {})

    async def _check_secret(self, where: str, name: str, account: str, token: str) -> None:
        try:
            found = await self._client.get(_BOUND["secret"], name, where)
        except errors.StatusError:
            raise AuthenticationError("Token has been invalidated") from None
        meta = found["metadata"]
        if meta.get("deletionTimestamp"):
            raise AuthenticationError("Token has been invalidated")
        held = base64.b64decode((found.get("data") or {}).get("token", ""))
        if not hmac.compare_digest(held, token.encode()):
            raise AuthenticationError("Token does not match server's copy")
        if (meta.get("labels") or {}).get(_INVALID_SINCE):
            raise AuthenticationError(
                f"the token in secret {where}/{name} for service account {where}/{account} has been "
                "marked invalid. Use tokens from the TokenRequest API or manually created "
                f"secret-based tokens, or remove the '{_INVALID_SINCE}' label from the secret to "
                "temporarily allow use of this token"
            )


def _claim(claims: dict[str, Any], key: str, name: str) -> str:
    found = str(claims.get(key) or "")
    if not found:
        raise AuthenticationError(f"{name} claim is missing")
    return found


def _is_long_gone(meta: Object) -> bool:
    deleted = meta.get("deletionTimestamp")
    return deleted is not None and clock.parse_time(deleted) < clock.now() - _LEEWAY


def _audiences(
    claims: dict[str, Any], wanted: tuple[str, ...], own: tuple[str, ...]
) -> tuple[str, ...]:
    # upstream: pkg/serviceaccount/jwt.go jwtTokenAuthenticator.AuthenticateToken
    given = claims.get("aud") or list(own)
    given = [given] if isinstance(given, str) else given
    found = tuple(each for each in given if each in wanted)
    if not found:
        shown, target = (" ".join(quote(each) for each in some) for some in (given, wanted))
        raise AuthenticationError(
            f"token audiences [{shown}] is invalid for the target audiences [{target}]"
        )
    return found


def _check_times(claims: dict[str, Any]) -> None:
    # upstream: go-jose jwt/validation.go Claims.ValidateWithLeeway
    now = clock.now()
    if now + _LEEWAY < claims.get("nbf", 0):
        raise AuthenticationError("service account token is not valid yet")
    if now - _LEEWAY > claims.get("exp", now):
        raise AuthenticationError("service account token has expired")
    if now + _LEEWAY < claims.get("iat", 0):
        raise AuthenticationError("service account token is issued in the future")


def _count(warn_after: float | None) -> None:
    """Tokens that should have been renewed are told from those that are fresh."""
    # upstream: as at the top
    if warn_after:
        (STALE_TOKENS if clock.now() > warn_after else VALID_TOKENS).add()


def _user_info(namespace: str, name: str, uid: str, extra: dict[str, tuple[str, ...]]) -> UserInfo:
    return UserInfo(
        f"system:serviceaccount:{namespace}:{name}",
        uid,
        ("system:serviceaccounts", f"system:serviceaccounts:{namespace}"),
        extra,
    )
