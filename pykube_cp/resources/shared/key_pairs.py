"""What is wrong with a certificate and the key that should go with it."""
# upstream: crypto/tls X509KeyPair

import re

from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

_PEM_TYPE = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----")


def why_no_pair(certificate: bytes, key: bytes) -> str:
    """Empty when the two match, or when the decoder's own words would be needed."""
    return _certificate(certificate) or _key(key) or _mismatch(certificate, key)


def _types(pem: bytes) -> list[str]:
    return [match.decode() for match in _PEM_TYPE.findall(pem)]


def _certificate(pem: bytes) -> str:
    found = _types(pem)
    if not found:
        return "tls: failed to find any PEM data in certificate input"
    if "CERTIFICATE" in found:
        return ""
    if len(found) == 1 and found[0].endswith("PRIVATE KEY"):
        return (
            "tls: failed to find certificate PEM data in certificate input, but did find a "
            "private key; PEM inputs may have been switched"
        )
    return (
        'tls: failed to find "CERTIFICATE" PEM block in certificate input after skipping PEM '
        f"blocks of the following types: [{' '.join(found)}]"
    )


def _key(pem: bytes) -> str:
    found = _types(pem)
    if not found:
        return "tls: failed to find any PEM data in key input"
    if any(kind.endswith("PRIVATE KEY") for kind in found):
        return ""
    if found == ["CERTIFICATE"]:
        return "tls: found a certificate rather than a key in the PEM for the private key"
    return (
        'tls: failed to find PEM block with type ending in "PRIVATE KEY" in key input after '
        f"skipping PEM blocks of the following types: [{' '.join(found)}]"
    )


def _mismatch(certificate: bytes, key: bytes) -> str:
    try:
        own = x509.load_pem_x509_certificate(certificate).public_key()
        other = load_pem_private_key(key, password=None).public_key()
    except (ValueError, TypeError):
        return ""
    form = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    if own.public_bytes(*form) == other.public_bytes(*form):
        return ""
    return "tls: private key does not match public key"
