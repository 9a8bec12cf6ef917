"""Client certificates: common name is the user, organisations are the groups."""
# upstream: apiserver pkg/authentication/request/x509/x509.go

import hashlib
from collections import OrderedDict

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID

from pykube_cp.authn.interface import AuthenticationError, Credentials, Identity
from pykube_cp.machinery import clock
from pykube_cp.machinery.user import CREDENTIAL_ID, UserInfo

_CACHED = 4096
_UID = x509.ObjectIdentifier("1.3.6.1.4.1.57683.2")
_USAGES = {ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}


class X509:
    """Recognises certificates that one of the authorities has issued."""

    name = "x509"
    takes_tokens = False

    def __init__(self, authorities_pem: bytes) -> None:
        self._authorities = x509.load_pem_x509_certificates(authorities_pem)
        self._known: OrderedDict[bytes, Identity] = OrderedDict()

    async def authenticate(self, credentials: Credentials) -> Identity | None:
        data = credentials.peer_certificate
        if data is None:
            return None
        known = self._known.get(data)
        if known is not None and known.expires_at > clock.now():
            return known
        identity = self._judge(data)
        self._known[data] = identity
        if len(self._known) > _CACHED:
            self._known.popitem(last=False)
        return identity

    def _judge(self, data: bytes) -> Identity:
        try:
            certificate = x509.load_der_x509_certificate(data)
        except ValueError as error:
            raise AuthenticationError(f"x509: {error}") from None
        now = clock.now()
        ends = certificate.not_valid_after_utc.timestamp()
        if not certificate.not_valid_before_utc.timestamp() <= now <= ends:
            raise AuthenticationError("x509: certificate has expired or is not yet valid")
        if not any(_issued(certificate, authority) for authority in self._authorities):
            raise AuthenticationError("x509: certificate signed by unknown authority")
        _check_usage(certificate)
        return Identity(_user(certificate, data), expires_at=ends)


def _issued(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _check_usage(certificate: x509.Certificate) -> None:
    try:
        usage = certificate.extensions.get_extension_for_oid(ExtensionOID.EXTENDED_KEY_USAGE).value
    except x509.ExtensionNotFound:
        return
    if not isinstance(usage, x509.ExtendedKeyUsage) or not _USAGES & set(usage):
        raise AuthenticationError("x509: certificate specifies an incompatible key usage")


def _user(certificate: x509.Certificate, data: bytes) -> UserInfo:
    subject = certificate.subject
    names = subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    if not names or not names[0].value:
        raise AuthenticationError("x509: certificate has no common name")
    groups = subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    uids = subject.get_attributes_for_oid(_UID)
    return UserInfo(
        str(names[0].value),
        str(uids[0].value) if uids else "",
        tuple(str(group.value) for group in groups),
        {CREDENTIAL_ID: (f"X509SHA256={hashlib.sha256(data).hexdigest()}",)},
    )
