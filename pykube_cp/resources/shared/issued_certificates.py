"""What those who sign report on a request for a pod's certificate."""
# upstream: pkg/apis/certificates/validation/validation.go ValidatePodCertificateRequestStatusUpdate

import re
from base64 import b64decode
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from cryptography import x509

from pykube_cp.machinery import clock
from pykube_cp.machinery.field_errors import OMITTED, FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.pki import PKIError, der, pem
from pykube_cp.resources.shared import checks, conditions

ISSUED = "Issued"
_OUTCOMES = (ISSUED, "Denied", "Failed")
_STATUS = Path("status")
_CONDITIONS = _STATUS.child("conditions")
_CHAIN = _STATUS.child("certificateChain")
_MAX_CHAIN = 100 << 10
_NEAR, _MARGIN = timedelta(minutes=5), timedelta(minutes=10)
_SHORTEST = timedelta(hours=1)
_OF_CERTIFICATE = "must be present and consistent with the issued certificate"
_TIMES = {
    "notBefore": _OF_CERTIFICATE,
    "notAfter": _OF_CERTIFICATE,
    "beginRefreshAt": "must be present and in the range [notbefore+10min, notafter-10min]",
}
_ATOM = r"[^\s()<>\[\]:;@\\,.\"]+"
_is_mailbox = re.compile(
    rf'(?:{_ATOM}(?:\.{_ATOM})*|"[^"\\]*")@(?:{_ATOM}(?:\.{_ATOM})*|\[[0-9.]+\])'
).fullmatch


def check(request: Object, old: Object) -> checks.Errors:
    status, before = request.get("status") or {}, old.get("status") or {}
    if found := _outcomes(status.get("conditions") or ()):
        return found
    if _outcome(before):
        text = "immutable after PodCertificateRequest is issued, denied, or failed"
        return _refused(text) if differs(status, before) else []
    outcome = _outcome(status)
    if outcome == ISSUED:
        return _issued(request, old)
    if outcome:
        text = "non-condition status fields must be empty when denying or failing the PodCertificateRequest"
        return (
            _refused(text)
            if any(status.get(field) for field in status.keys() - {"conditions"})
            else []
        )
    text = 'status is immutable unless transitioning to "Issued", "Denied", or "Failed"'
    return _refused(text) if differs(status, before) else []


def differs(status: Object, old: Object) -> bool:
    """Empty and absent are the same."""
    return any((status.get(field) or None) != (old.get(field) or None) for field in status | old)


def _refused(text: str) -> checks.Errors:
    return [FieldError.invalid(_STATUS, OMITTED, text)]


def _outcome(status: Object) -> str:
    return next((each.get("type", "") for each in status.get("conditions") or ()), "")


def _outcomes(listed: Sequence[Object]) -> checks.Errors:
    """At most one that is known, and it is true."""
    found: checks.Errors = []
    known = 0
    for position, condition in enumerate(listed):
        kind, where = condition.get("type") or "", _CONDITIONS.child(f"[{position}]")
        if kind not in _OUTCOMES:
            found.append(FieldError.not_supported(where.child("type"), kind, _OUTCOMES))
            continue
        known += 1
        if known > 1:
            text = 'There may be at most one condition with type "Issued", "Denied", or "Failed"'
            found.append(FieldError.invalid(where.child("type"), kind, text))
        found += checks.supported(condition.get("status") or "", where.child("status"), ("True",))
    return found + conditions.check(listed, _CONDITIONS)


def _issued(request: Object, old: Object) -> checks.Errors:
    status, spec = request["status"], old["spec"]
    chain = status.get("certificateChain") or ""
    if checks.size(chain) > _MAX_CHAIN:
        return [FieldError.too_long(_CHAIN, "", _MAX_CHAIN)]
    blocks = pem.blocks(chain.encode("utf-8", "surrogatepass"))
    try:
        leaf = _leaf(blocks)
    except PKIError as error:
        return [FieldError.invalid(_CHAIN, chain, str(error))]
    found = _names(leaf)
    try:
        wanted = _wanted_key(spec)
    except PKIError as error:
        where = Path(
            "spec", "stubPKCS10Request" if spec.get("stubPKCS10Request") else "pkixPublicKey"
        )
        return [*found, FieldError.invalid(where, OMITTED, str(error))]
    if der.is_known(wanted) and der.key_of(leaf) != wanted:
        text = "leaf certificate was not issued to the requested public key"
        return [*found, FieldError.invalid(_CHAIN, chain, text)]
    found += [
        FieldError.required(_STATUS.child(field), text)
        for field, text in _TIMES.items()
        if status.get(field) is None
    ]
    return found or _period(status, spec, leaf) or _rest(chain, blocks)


def _leaf(blocks: Iterator[pem.Block]) -> x509.Certificate:
    first = next(blocks, None)
    if first is None:
        raise PKIError("issued certificate chain must contain at least one certificate")
    if first.type != "CERTIFICATE":
        raise PKIError("issued certificate chain must consist entirely of CERTIFICATE PEM blocks")
    try:
        return der.read_certificate(first.content)
    except PKIError as error:
        raise PKIError("leaf certificate does not parse as valid X.509") from error


def _names(leaf: x509.Certificate) -> checks.Errors:
    hosts, mailboxes = der.alternative_names(leaf)
    found: checks.Errors = []
    for host in hosts:
        texts = []
        if not host:
            texts.append("leaf certificate should not contain empty DNSName")
        if ".." in host:
            texts.append("leaf certificate's DNSName should not contain '..'")
        if host.startswith(".") or host.endswith("."):
            texts.append("leaf certificate's DNSName should not start or end with '.'")
        found += checks.invalid(_CHAIN, host, texts)
    for mailbox in mailboxes:
        if not _is_mailbox(mailbox):
            text = "leaf certificate should not contain invalid EmailAddress"
            found.append(FieldError.invalid(_CHAIN, mailbox, text))
    return found


def _wanted_key(spec: Object) -> object:
    if stub := spec.get("stubPKCS10Request"):
        try:
            return der.key_of(der.read_request(b64decode(stub)))
        except PKIError as error:
            raise PKIError("must be a valid PKCS#10 CSR") from error
    try:
        return der.read_key(b64decode(spec.get("pkixPublicKey") or ""))
    except PKIError as error:
        raise PKIError("must be a valid PKIX-serialized public key") from error


def _period(status: Object, spec: Object, leaf: x509.Certificate) -> checks.Errors:
    """The first thing that is wrong with the times."""
    begin, refresh, end = (
        datetime.fromisoformat(status[field])
        for field in ("notBefore", "beginRefreshAt", "notAfter")
    )
    first, last = der.period(leaf)
    lifetime = last - first
    longest = spec["maxExpirationSeconds"]
    text = f"leaf certificate lifetime must be <= spec.maxExpirationSeconds ({longest})"
    now = datetime.fromtimestamp(clock.now(), UTC)
    wrong = (
        (
            begin != first,
            "notBefore",
            "must be set to the NotBefore time encoded in the leaf certificate",
        ),
        (
            not now - _NEAR < begin < now + _NEAR,
            "notBefore",
            "must be set to within 5 minutes of kube-apiserver's current time",
        ),
        (
            end != last,
            "notAfter",
            "must be set to the NotAfter time encoded in the leaf certificate",
        ),
        (lifetime < _SHORTEST, "", "leaf certificate lifetime must be >= 1 hour"),
        (lifetime > timedelta(seconds=longest), "", text),
        (
            refresh < begin + _MARGIN,
            "beginRefreshAt",
            "must be at least 10 minutes after status.notBefore",
        ),
        (
            refresh > end - _MARGIN,
            "beginRefreshAt",
            "must be at least 10 minutes before status.notAfter",
        ),
    )
    for is_wrong, field, why in wrong:
        if is_wrong and field:
            return [FieldError.invalid(_STATUS.child(field), status[field], why)]
        if is_wrong:
            nanoseconds = lifetime // timedelta(microseconds=1) * 1000
            return [FieldError.invalid(_CHAIN, nanoseconds, why)]
    return []


def _rest(chain: str, blocks: Iterable[pem.Block]) -> checks.Errors:
    for block in blocks:
        if block.type != "CERTIFICATE":
            # The word is spelled like this upstream.
            text = "issued certificate chain must consist entirely of CERTFICATE PEM blocks"
            return [FieldError.invalid(_CHAIN, chain, text)]
        try:
            der.read_certificate(block.content)
        except PKIError:
            text = "intermediate certificate does not parse as valid X.509"
            return [FieldError.invalid(_CHAIN, chain, text)]
    return []
