"""Reading keys, certificates and requests that are no PEM, and judging keys."""

from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

from pykube_cp.pki.certificates import PKIError

_LONG = 0x80
"""From here on a length takes several bytes."""
_MODULUS_SIZES = (3072, 4096)
_CURVES = {"secp224r1": "P-224"}
"""Curves that Go knows as well and that are too weak."""
_BROKEN = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
_GOOD_CURVES = frozenset({"secp256r1", "secp384r1", "secp521r1"})


def key_of(
    holder: x509.Certificate | x509.CertificateSigningRequest,
) -> PublicKeyTypes | None:
    """None for a kind of key that is not known."""
    try:
        return _on_known_curve(holder.public_key())
    except UnsupportedAlgorithm:
        return None


def _on_known_curve(key: PublicKeyTypes) -> PublicKeyTypes:
    known = {*_GOOD_CURVES, *_CURVES}
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name not in known:
        raise PKIError("unsupported elliptic curve")
    return key


def outermost(der: bytes) -> bytes:
    """The first element, without what follows it."""
    size = der[1] if len(der) > 1 else 0
    if size < _LONG:
        return der[: 2 + size]
    head = 2 + size - _LONG
    return der[: head + int.from_bytes(der[2:head], "big")]


def read_certificate(der: bytes) -> x509.Certificate:
    """With everything in it that is looked at later, or ``PKIError`` with Go's words."""
    first = outermost(der)
    found = _certificate(first)
    if len(first) < len(der):
        raise PKIError("trailing data")
    return found


def read_certificates(der: bytes) -> list[x509.Certificate]:
    """Several, one behind the other."""
    found = []
    while der:
        first = outermost(der)
        found.append(_certificate(first))
        der = der[len(first) :]
    return found


def _certificate(der: bytes) -> x509.Certificate:
    try:
        found = x509.load_der_x509_certificate(der)
        _ = found.extensions, found.subject, found.issuer
        key_of(found)
    except PKIError:
        raise
    except _BROKEN as error:
        raise PKIError("malformed certificate") from error
    return found


def read_request(der: bytes) -> x509.CertificateSigningRequest:
    try:
        found = x509.load_der_x509_csr(der)
        _ = found.extensions, found.subject
        key_of(found)
    except _BROKEN as error:
        raise PKIError("no request") from error
    return found


def read_key(der: bytes) -> PublicKeyTypes:
    try:
        return _on_known_curve(serialization.load_der_public_key(der))
    except _BROKEN as error:
        raise PKIError("no public key") from error


def is_known(key: object) -> bool:
    """Whether a pod may have a certificate for a key of that kind."""
    return isinstance(key, ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey | rsa.RSAPublicKey)


def weak_curve(key: object) -> str:
    """The name of an elliptic curve that is not good enough."""
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return ""
    return _CURVES.get(key.curve.name, "")


def odd_modulus(key: object) -> int:
    """The bits of an RSA modulus that has neither of the sizes that are wanted."""
    if not isinstance(key, rsa.RSAPublicKey):
        return 0
    bits = (key.key_size + 7) // 8 * 8
    return 0 if bits in _MODULUS_SIZES else bits


def proves(key: object, message: bytes, signature: bytes) -> bool:
    """Whether who signed ``message`` has the private key."""
    try:
        match key:
            case ed25519.Ed25519PublicKey():
                key.verify(signature, message)
            case ec.EllipticCurvePublicKey():
                key.verify(signature, message, ec.ECDSA(hashes.SHA256()))
            case rsa.RSAPublicKey():
                salted = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.AUTO)
                key.verify(signature, message, salted, hashes.SHA256())
            case _:
                return False
    except InvalidSignature:
        return False
    return True


def is_signed(request: x509.CertificateSigningRequest) -> bool:
    """With the key that it asks a certificate for."""
    try:
        return request.is_signature_valid
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False


def is_authority(certificate: x509.Certificate) -> bool:
    try:
        found = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    except x509.ExtensionNotFound:
        return False
    return found.value.ca


def alternative_names(certificate: x509.Certificate) -> tuple[list[str], list[str]]:
    """DNS names and email addresses."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return [], []
    return found.get_values_for_type(x509.DNSName), found.get_values_for_type(x509.RFC822Name)


def period(certificate: x509.Certificate) -> tuple[datetime, datetime]:
    return (
        certificate.not_valid_before_utc.astimezone(UTC),
        certificate.not_valid_after_utc.astimezone(UTC),
    )
