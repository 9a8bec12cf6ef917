"""Tokens of service accounts that live in Secrets and do not expire."""

# upstream: pkg/serviceaccount/legacy.go, jwt.go

import base64
import hashlib
from typing import TYPE_CHECKING

from pykube_cp.machinery import objects
from pykube_cp.machinery.objects import Object

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

ISSUER = "kubernetes/serviceaccount"
_CLAIM = "kubernetes.io/serviceaccount"
_CURVE_ALGORITHMS = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}


def legacy_claims(account: Object, secret: Object) -> dict[str, str]:
    namespace, name = objects.namespace(account), objects.name(account)
    return {
        "iss": ISSUER,
        "sub": f"system:serviceaccount:{namespace}:{name}",
        f"{_CLAIM}/namespace": namespace,
        f"{_CLAIM}/secret.name": objects.name(secret),
        f"{_CLAIM}/service-account.name": name,
        f"{_CLAIM}/service-account.uid": objects.uid(account),
    }


class TokenSigner:
    """Signs with one private key, RSA or elliptic curve, in PEM."""

    def __init__(self, key_pem: str) -> None:
        # Cryptography takes a while to load, and most clusters have no such secrets.
        from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - see above

        self._key = serialization.load_pem_private_key(key_pem.encode(), None)
        self._algorithm = _algorithm(self._key)
        public = self._key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        digest = hashlib.sha256(public).digest()
        self._key_id = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    def sign(self, claims: dict[str, str]) -> str:
        import jwt  # noqa: PLC0415 - loaded on first use, as above

        headers = {"kid": self._key_id, "typ": None}
        # The key is of a kind that has an algorithm, or the constructor had refused it.
        return jwt.encode(claims, self._key, self._algorithm, headers)  # type: ignore[arg-type]


def _algorithm(key: "PrivateKeyTypes") -> str:
    from cryptography.hazmat.primitives.asymmetric import ec, rsa  # noqa: PLC0415 - as above

    if isinstance(key, rsa.RSAPrivateKey):
        return "RS256"
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name in _CURVE_ALGORITHMS:
        return _CURVE_ALGORITHMS[key.curve.name]
    raise ValueError("unknown private key type, must be *rsa.PrivateKey or *ecdsa.PrivateKey")
