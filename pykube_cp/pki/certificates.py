"""Making keys and certificates."""

import ipaddress
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from pykube_cp.machinery import clock

AUTHORITY_LIFETIME = timedelta(days=3650)
LEAF_LIFETIME = timedelta(days=365)
BACKDATE = timedelta(minutes=5)

SERVER_AUTH = "server auth"
CLIENT_AUTH = "client auth"
_LEAF_USAGES = ("digital signature", "key encipherment")

# upstream: pkg/controller/certificates/authority/policies.go keyUsageDict
_KEY_USAGES = {
    "signing": "digital_signature",
    "digital signature": "digital_signature",
    "content commitment": "content_commitment",
    "key encipherment": "key_encipherment",
    "key agreement": "key_agreement",
    "data encipherment": "data_encipherment",
    "cert sign": "key_cert_sign",
    "crl sign": "crl_sign",
    "encipher only": "encipher_only",
    "decipher only": "decipher_only",
}
# In the order in which certificates list them.
# upstream: pkg/controller/certificates/authority/policies.go extKeyUsageDict
_EXTENDED_USAGES = {
    "any": ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
    "server auth": ExtendedKeyUsageOID.SERVER_AUTH,
    "client auth": ExtendedKeyUsageOID.CLIENT_AUTH,
    "code signing": ExtendedKeyUsageOID.CODE_SIGNING,
    "email protection": ExtendedKeyUsageOID.EMAIL_PROTECTION,
    "s/mime": ExtendedKeyUsageOID.EMAIL_PROTECTION,
    "ipsec end system": ObjectIdentifier("1.3.6.1.5.5.7.3.5"),
    "ipsec tunnel": ObjectIdentifier("1.3.6.1.5.5.7.3.6"),
    "ipsec user": ObjectIdentifier("1.3.6.1.5.5.7.3.7"),
    "timestamping": ExtendedKeyUsageOID.TIME_STAMPING,
    "ocsp signing": ExtendedKeyUsageOID.OCSP_SIGNING,
    "microsoft sgc": ObjectIdentifier("1.3.6.1.4.1.311.10.3.3"),
    "netscape sgc": ObjectIdentifier("2.16.840.1.113730.4.1"),
}

SigningKey = (
    ec.EllipticCurvePrivateKey
    | rsa.RSAPrivateKey
    | ed25519.Ed25519PrivateKey
    | ed448.Ed448PrivateKey
)


class PKIError(ValueError):
    """A key, certificate or request cannot be used; the text says why."""


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A certificate and its private key, both as PEM."""

    certificate: bytes
    key: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Who a certificate is for, and under which names it answers."""

    common_name: str
    organizations: tuple[str, ...] = ()
    dns_names: tuple[str, ...] = ()
    ips: tuple[str, ...] = ()
    extended_usage: str = CLIENT_AUTH


def new_key() -> bytes:
    """A fresh ECDSA P-256 key as PKCS #8 PEM."""
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def public_key(key: bytes) -> bytes:
    """The public half of a private key, as PEM."""
    return (
        load_key(key)
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


def now() -> datetime:
    """The current time in whole seconds, as certificates have it."""
    return datetime.fromtimestamp(int(clock.now()), UTC)


def load_key(pem: bytes) -> SigningKey:
    try:
        key = serialization.load_pem_private_key(pem, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as err:
        raise PKIError(f"not a private key: {err}") from err
    if not isinstance(key, SigningKey):
        raise PKIError("key did not implement crypto.Signer")
    return key


def _hash_for(key: SigningKey) -> hashes.SHA256 | None:
    return (
        None
        if isinstance(key, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey)
        else hashes.SHA256()
    )


def load_certificate(pem: bytes) -> x509.Certificate:
    """The first certificate in ``pem``."""
    try:
        return x509.load_pem_x509_certificate(pem)
    except ValueError as err:
        raise PKIError(f"not a certificate: {err}") from err


def expires_at(pem: bytes) -> float:
    """Seconds since 1970 at which the certificate ends."""
    return load_certificate(pem).not_valid_after_utc.timestamp()


def new_authority(common_name: str, key: bytes | None = None) -> KeyPair:
    """A self-signed authority; given its old ``key``, the leaves it has signed stay valid."""
    key = key or new_key()
    signing_key = load_key(key)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    start = now() - BACKDATE
    public = signing_key.public_key()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + AUTHORITY_LIFETIME)
        .add_extension(
            _key_usage({"digital_signature", "key_encipherment", "key_cert_sign"}), critical=True
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(common_name)]), critical=False)
        .sign(signing_key, _hash_for(signing_key))
    )
    return KeyPair(certificate.public_bytes(serialization.Encoding.PEM), key)


def issue(ca: KeyPair, subject: Subject, lifetime: timedelta = LEAF_LIFETIME) -> KeyPair:
    """A new key with a certificate from ``ca``."""
    key = new_key()
    attributes = [
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, name) for name in subject.organizations
    ]
    attributes.append(x509.NameAttribute(NameOID.COMMON_NAME, subject.common_name))
    authority = load_certificate(ca.certificate)
    builder = leaf_builder(
        authority,
        x509.Name(attributes),
        alternative_names(subject.dns_names, subject.ips),
        (*_LEAF_USAGES, subject.extended_usage),
    )
    start = now() - BACKDATE
    end = min(start + lifetime, authority.not_valid_after_utc)
    return KeyPair(
        sign(builder.public_key(load_key(key).public_key()), start, end, ca.key),
        key,
    )


def client_certificate(ca: KeyPair, user: str, groups: Sequence[str] = ()) -> KeyPair:
    """A certificate that the API server takes for ``user`` in ``groups``."""
    return issue(ca, Subject(common_name=user, organizations=tuple(groups)))


def leaf_builder(
    authority: x509.Certificate,
    name: x509.Name,
    alternative_names: Sequence[x509.GeneralName],
    usages: Iterable[str],
) -> x509.CertificateBuilder:
    key_usages, extended = _usages(usages)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(authority.subject)
        .serial_number(_serial_number())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_authority_key_identifier(authority), critical=False)
    )
    if key_usages:
        builder = builder.add_extension(_key_usage(key_usages), critical=True)
    if extended:
        builder = builder.add_extension(x509.ExtendedKeyUsage(extended), critical=False)
    if alternative_names:
        builder = builder.add_extension(
            x509.SubjectAlternativeName(alternative_names), critical=not name.rdns
        )
    return builder


def sign(builder: x509.CertificateBuilder, start: datetime, end: datetime, ca_key: bytes) -> bytes:
    key = load_key(ca_key)
    certificate = builder.not_valid_before(start).not_valid_after(end).sign(key, _hash_for(key))
    return certificate.public_bytes(serialization.Encoding.PEM)


def _serial_number() -> int:
    return secrets.randbits(126) + 1


def _authority_key_identifier(authority: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    try:
        found = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    except x509.ExtensionNotFound:
        key = authority.public_key()
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(key)  # type: ignore[arg-type] # any key kind
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(found.value)


def _key_usage(names: set[str]) -> x509.KeyUsage:
    flags = {flag: flag in names for flag in _KEY_USAGES.values()}
    # The two are defined only beside key agreement.
    for flag in ("encipher_only", "decipher_only"):
        flags[flag] = flags[flag] and flags["key_agreement"]
    return x509.KeyUsage(**flags)


def _usages(names: Iterable[str]) -> tuple[set[str], list[ObjectIdentifier]]:
    """Key usages and, in canonical order, extended ones."""
    # upstream: pkg/controller/certificates/authority/policies.go keyUsagesFromStrings
    names = list(names)
    unknown = [name for name in names if name not in _KEY_USAGES and name not in _EXTENDED_USAGES]
    if unknown:
        quoted = " ".join(f'"{name}"' for name in unknown)
        raise PKIError(f"unrecognized usage values: [{quoted}]")
    extended = {oid: None for usage, oid in _EXTENDED_USAGES.items() if usage in names}
    return {_KEY_USAGES[name] for name in names if name in _KEY_USAGES}, list(extended)


def alternative_names(dns_names: Iterable[str], ips: Iterable[str]) -> list[x509.GeneralName]:
    names: list[x509.GeneralName] = [x509.DNSName(name) for name in dict.fromkeys(dns_names)]
    names += [x509.IPAddress(ipaddress.ip_address(ip)) for ip in dict.fromkeys(ips)]
    return names
