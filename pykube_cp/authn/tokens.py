"""Signing and checking JSON web tokens with the cluster's keys (ES256 and RS256)."""

import base64
import binascii
import hashlib
from typing import Any

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

_HALF = 32
Key = ec.EllipticCurvePublicKey | rsa.RSAPublicKey


class TokenError(Exception):
    """The token is not one of ours, or is no token."""


class TokenSigner:
    """Signs claims with the cluster's private key."""

    def __init__(self, private_pem: bytes, issuer: str, audiences: tuple[str, ...]) -> None:
        key = serialization.load_pem_private_key(private_pem, None)
        if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
            raise TypeError("service account keys are ECDSA or RSA")
        self._key = key
        self.issuer = issuer
        self.audiences = audiences
        self.algorithms = ("ES256" if isinstance(key, ec.EllipticCurvePrivateKey) else "RS256",)
        self._public = key.public_key()
        header = {"alg": self.algorithms[0], "kid": key_id(self._public)}
        self._header = _encode(orjson.dumps(header))

    def sign(self, claims: dict[str, Any]) -> str:
        """A JWT; the issuer is added."""
        body = _encode(orjson.dumps({**claims, "iss": self.issuer}))
        data = self._header + b"." + body
        if isinstance(self._key, ec.EllipticCurvePrivateKey):
            der = self._key.sign(data, ec.ECDSA(hashes.SHA256()))
            r, s = utils.decode_dss_signature(der)
            signature = r.to_bytes(_HALF, "big") + s.to_bytes(_HALF, "big")
        else:
            signature = self._key.sign(data, padding.PKCS1v15(), hashes.SHA256())
        return (data + b"." + _encode(signature)).decode()

    def public_keys(self) -> list[dict[str, str]]:
        """As JWKs."""
        return [_jwk(self._public)]


class TokenVerifier:
    """Checks signatures against the cluster's public keys; claims are the caller's to judge."""

    def __init__(self, public_pems: list[bytes]) -> None:
        self._keys: dict[str, Key] = {}
        for pem in public_pems:
            key = serialization.load_pem_public_key(pem)
            if isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
                self._keys[key_id(key)] = key

    def verify(self, token: str) -> dict[str, Any]:
        """The claims; ``TokenError`` when the signature is not by one of the keys."""
        header, claims, data, signature = _split(token)
        # upstream: pkg/serviceaccount/jwt.go jwtTokenAuthenticator.AuthenticateToken
        wanted = header.get("kid")
        keys = [key for name, key in self._keys.items() if not wanted or name == wanted]
        if not keys:
            raise TokenError("invalid signature, no keys found")
        if any(_is_signed(key, header.get("alg"), data, signature) for key in keys):
            return claims
        raise TokenError("go-jose/go-jose: error in cryptographic primitive")


def unverified_claims(token: str) -> dict[str, Any]:
    """What a token says of itself, to find out whose business it is."""
    return _split(token)[1]


def key_id(key: Key) -> str:
    """Upstream's key id: the digest of the public key."""
    # upstream: pkg/serviceaccount/jwt.go keyIDFromPublicKey
    der = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return _encode(hashlib.sha256(der).digest()).decode()


def _is_signed(key: Key, algorithm: object, data: bytes, signature: bytes) -> bool:
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            if algorithm != "ES256" or len(signature) != 2 * _HALF:
                return False
            r = int.from_bytes(signature[:_HALF], "big")
            s = int.from_bytes(signature[_HALF:], "big")
            key.verify(utils.encode_dss_signature(r, s), data, ec.ECDSA(hashes.SHA256()))
        else:
            if algorithm != "RS256":
                return False
            key.verify(signature, data, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True


def _split(token: str) -> tuple[dict[str, Any], dict[str, Any], bytes, bytes]:
    parts = token.split(".")
    if len(parts) != 3:
        raise TokenError("not a JSON web token")
    try:
        header = orjson.loads(_decode(parts[0]))
        claims = orjson.loads(_decode(parts[1]))
        signature = _decode(parts[2])
    except (ValueError, binascii.Error):
        raise TokenError("not a JSON web token") from None
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise TokenError("not a JSON web token")
    return header, claims, f"{parts[0]}.{parts[1]}".encode(), signature


def _jwk(key: Key) -> dict[str, str]:
    common = {"use": "sig", "kid": key_id(key)}
    if isinstance(key, ec.EllipticCurvePublicKey):
        numbers = key.public_numbers()
        x, y = (_encode(part.to_bytes(_HALF, "big")).decode() for part in (numbers.x, numbers.y))
        return {**common, "kty": "EC", "alg": "ES256", "crv": "P-256", "x": x, "y": y}
    numbers_rsa = key.public_numbers()
    size = (numbers_rsa.n.bit_length() + 7) // 8
    n = _encode(numbers_rsa.n.to_bytes(size, "big")).decode()
    e = _encode(numbers_rsa.e.to_bytes(3, "big")).decode()
    return {**common, "kty": "RSA", "alg": "RS256", "n": n, "e": e}


def _encode(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
