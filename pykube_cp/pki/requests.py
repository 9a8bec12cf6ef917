"""Certificate signing requests: reading and signing them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.x509.oid import NameOID

from pykube_cp.pki.certificates import (
    BACKDATE,
    KeyPair,
    PKIError,
    leaf_builder,
    load_certificate,
    now,
    sign,
)

# A certificate shorter than this is not shortened by the backdating.
_SHORT_LIVED = timedelta(hours=8)
_PEM_TYPE = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----")
_SIGNED_NAMES = (x509.DNSName, x509.IPAddress, x509.RFC822Name, x509.UniformResourceIdentifier)


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateRequest:
    """What a certificate signing request asks for."""

    common_name: str
    organizations: tuple[str, ...]
    dns_names: tuple[str, ...]
    ips: tuple[str, ...]
    emails: tuple[str, ...]
    uris: tuple[str, ...]
    raw: x509.CertificateSigningRequest


def parse_csr(pem: bytes) -> CertificateRequest:
    """Read a request; ``PKIError`` with upstream's text where it is none."""
    # upstream: pkg/apis/certificates/helpers.go ParseCSR
    block = _PEM_TYPE.search(pem)
    if block is None or block[1] != b"CERTIFICATE REQUEST":
        raise PKIError("PEM block type must be CERTIFICATE REQUEST")
    try:
        csr = x509.load_pem_x509_csr(pem)
        names = _requested_names(csr)
    except (ValueError, UnsupportedAlgorithm) as err:
        raise PKIError(str(err)) from err
    common_names = csr.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    organizations = csr.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    return CertificateRequest(
        common_name=str(common_names[-1].value) if common_names else "",
        organizations=tuple(str(organization.value) for organization in organizations),
        dns_names=tuple(name.value for name in names if isinstance(name, x509.DNSName)),
        ips=tuple(str(name.value) for name in names if isinstance(name, x509.IPAddress)),
        emails=tuple(name.value for name in names if isinstance(name, x509.RFC822Name)),
        uris=tuple(
            name.value for name in names if isinstance(name, x509.UniformResourceIdentifier)
        ),
        raw=csr,
    )


def _requested_names(csr: x509.CertificateSigningRequest) -> list[x509.GeneralName]:
    try:
        return list(csr.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound:
        return []


def check_csr_signature(csr: CertificateRequest) -> None:
    """``PKIError`` unless the request is signed with the key it asks a certificate for."""
    try:
        valid = csr.raw.is_signature_valid
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        valid = False
    if not valid:
        raise PKIError("unable to verify certificate request signature: x509: invalid signature")


def sign_csr(
    csr: CertificateRequest, ca: KeyPair, usages: Iterable[str], duration: timedelta
) -> bytes:
    """The certificate for a request, as PEM.

    Names and key are those of the request, its extensions are not: usages are given, and it is
    never an authority. The start is backdated, and the end too unless the certificate is
    short-lived; it never outlives ``ca``.
    """
    # upstream: pkg/controller/certificates/authority/policies.go PermissiveSigningPolicy.apply
    check_csr_signature(csr)
    authority = load_certificate(ca.certificate)
    authority_end = authority.not_valid_after_utc
    moment = now()
    if moment - BACKDATE >= authority_end:
        raise PKIError(f"the signer has expired: NotAfter={_go_time(authority_end)}")
    if moment >= authority_end:
        raise PKIError(
            "refusing to sign a certificate that expired in the past: "
            f"NotAfter={_go_time(authority_end)}"
        )
    end = moment + duration if duration < _SHORT_LIVED else moment + duration - BACKDATE
    names = [name for name in _requested_names(csr.raw) if isinstance(name, _SIGNED_NAMES)]
    builder = leaf_builder(authority, csr.raw.subject, names, usages)
    builder = builder.public_key(csr.raw.public_key())
    return sign(builder, moment - BACKDATE, min(end, authority_end), ca.key)


def _go_time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S +0000 UTC")
