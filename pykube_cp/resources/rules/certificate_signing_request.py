"""Certificate signing requests."""

from base64 import b64decode

from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.pki import PKIError, parse_csr
from pykube_cp.pki.requests import check_csr_signature
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.resources.shared import checks, signer_names

_USAGES = (
    "any",
    "cert sign",
    "client auth",
    "code signing",
    "content commitment",
    "crl sign",
    "data encipherment",
    "decipher only",
    "digital signature",
    "email protection",
    "encipher only",
    "ipsec end system",
    "ipsec tunnel",
    "ipsec user",
    "key agreement",
    "key encipherment",
    "microsoft sgc",
    "netscape sgc",
    "ocsp signing",
    "s/mime",
    "server auth",
    "signing",
    "timestamping",
)
_LEGACY = "kubernetes.io/legacy-unknown"
_MIN_SECONDS = 600
_DECISIONS = ("Approved", "Denied")
_ONLY_TRUE = (*_DECISIONS, "Failed")


def _validate_spec(spec: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    # upstream: certificates validation.go validateCertificateSigningRequest
    found = _request(spec.get("request") or "", path.child("request"))
    usages, where = spec.get("usages") or [], path.child("usages")
    found += checks.required(spec, path, "usages")
    for position, usage in enumerate(usages):
        found += checks.supported(usage, where.index(position), _USAGES)
        if usage in usages[:position]:
            found.append(FieldError.duplicate(where.index(position), usage))
    signer, where = spec.get("signerName") or "", path.child("signerName")
    if signer == _LEGACY:
        text = "the legacy signerName is not allowed via this API version"
        found.append(FieldError.invalid(where, signer, text))
    else:
        found += signer_names.check(signer, where)
    seconds = spec.get("expirationSeconds")
    if seconds is not None and seconds < _MIN_SECONDS:
        text = "may not specify a duration less than 600 seconds (10 minutes)"
        found.append(FieldError.invalid(path.child("expirationSeconds"), seconds, text))
    return found


def _request(encoded: str, path: Path) -> checks.Errors:
    try:
        check_csr_signature(parse_csr(b64decode(encoded)))
    except PKIError as error:
        return [FieldError.invalid(path, encoded, str(error))]
    return []


def _validate_status(status: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    conditions, where = status.get("conditions") or [], path.child("conditions")
    kinds = [condition.get("type") or "" for condition in conditions]
    found = []
    for position, condition in enumerate(conditions):
        found += _condition(condition, where.index(position))
        kind, before = kinds[position], kinds[:position]
        if kind in _DECISIONS and any(other in before for other in _DECISIONS if other != kind):
            text = "Approved and Denied conditions are mutually exclusive"
            error = FieldError.invalid(where, kind, text)
            found.append(error.by_declaration("zeroOrOneOf"))
        if kind in before:
            found.append(FieldError.duplicate(where.index(position).child("type"), kind))
    return found


def _condition(condition: Object, path: Path) -> checks.Errors:
    found = checks.required(condition, path, "type")
    only_true = condition.get("type") in _ONLY_TRUE
    allowed = ("True",) if only_true else ("False", "True", "Unknown")
    return found + checks.chosen(condition, path, "status", allowed)


RULES = (
    TypeRule(
        type="io.k8s.api.certificates.v1.CertificateSigningRequestSpec", validate=_validate_spec
    ),
    TypeRule(
        type="io.k8s.api.certificates.v1.CertificateSigningRequestStatus", validate=_validate_status
    ),
)
