"""What is wrong with a certificate and the key that should go with it."""
# upstream: crypto/tls X509KeyPair

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_private_key,
)

from pykube_cp.pki import der, pem
from pykube_cp.pki.certificates import PKIError

_CERTIFICATE, _KEY = "CERTIFICATE", "PRIVATE KEY"
_KINDS = (RSAPrivateKey, EllipticCurvePrivateKey, Ed25519PrivateKey)
_FORM = Encoding.DER, PublicFormat.SubjectPublicKeyInfo


def why_no_pair(certificate: bytes, key: bytes) -> str:
    """Empty when the two match."""
    first, last = list(pem.blocks(certificate)), list(pem.blocks(key))
    return _certificate(first) or _key(last) or _mismatch(first, last)


def _certificate(blocks: list[pem.Block]) -> str:
    found = [block.type for block in blocks]
    if not found:
        return "tls: failed to find any PEM data in certificate input"
    if _CERTIFICATE in found:
        return ""
    if len(found) == 1 and found[0].endswith(_KEY):
        return (
            "tls: failed to find certificate PEM data in certificate input, but did find a "
            "private key; PEM inputs may have been switched"
        )
    return (
        'tls: failed to find "CERTIFICATE" PEM block in certificate input after skipping PEM '
        f"blocks of the following types: [{' '.join(found)}]"
    )


def _is_key(kind: str) -> bool:
    return kind == _KEY or kind.endswith(f" {_KEY}")


def _key(blocks: list[pem.Block]) -> str:
    found = [block.type for block in blocks]
    if not found:
        return "tls: failed to find any PEM data in key input"
    if any(map(_is_key, found)):
        return ""
    if found == [_CERTIFICATE]:
        return "tls: found a certificate rather than a key in the PEM for the private key"
    return (
        'tls: failed to find PEM block with type ending in "PRIVATE KEY" in key input after '
        f"skipping PEM blocks of the following types: [{' '.join(found)}]"
    )


def _mismatch(certificate: list[pem.Block], key: list[pem.Block]) -> str:
    content = next(block.content for block in certificate if block.type == _CERTIFICATE)
    try:
        own = der.key_of(der.read_certificate(content))
    except PKIError as error:
        return f"x509: {error}"
    other = _private(next(block.content for block in key if _is_key(block.type)))
    if other is None:
        return "tls: failed to parse private key"
    if not isinstance(other, _KINDS):
        return "tls: found unknown private key type in PKCS#8 wrapping"
    return _difference(own, other.public_key())


def _private(content: bytes) -> PrivateKeyTypes | None:
    try:
        return load_der_private_key(der.outermost(content), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None


def _difference(own: PublicKeyTypes | None, other: PublicKeyTypes) -> str:
    if own is None or not der.is_known(own):
        return "tls: unknown public key algorithm"
    if type(own) is not type(other):
        return "tls: private key type does not match public key type"
    if own.public_bytes(*_FORM) != other.public_bytes(*_FORM):
        return "tls: private key does not match public key"
    return ""
