"""Requests for certificates of pods."""

from base64 import b64decode

from pykube_cp.machinery import names
from pykube_cp.machinery.field_errors import OMITTED, FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.pki import PKIError, der
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.resources.shared import checks, defaults, signer_names, user_annotations

_GROUP = "io.k8s.api.certificates."
_MAX_UID = 128
_MAX_BLOB = 10 << 10
_MIN_SECONDS, _MAX_SECONDS, _MAX_OWN_SECONDS = 3600, 7862400, 86400
_OWNERS = ("pod", "serviceAccount", "node")
_EITHER = "exactly one of (stubPKCS10Request) or (pkixPublicKey, proofOfPossession) must be set"
_KINDS = "unknown public key type; supported types are Ed25519, ECDSA, and RSA"
_MODULUS = "RSA keys must have modulus size 3072 or 4096"


def _validate(spec: Object, path: Path, ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/certificates/validation/validation.go ValidatePodCertificateRequestCreate
    if ctx.old is not None:
        return []
    signer = spec.get("signerName") or ""
    found = signer_names.check(signer, path.child("signerName"))
    where = path.child("unverifiedUserAnnotations")
    found += user_annotations.check(spec.get("unverifiedUserAnnotations"), where)
    for owner in _OWNERS:
        found += _owner(spec, owner, path)
    seconds, where = spec["maxExpirationSeconds"], path.child("maxExpirationSeconds")
    limit = _MAX_OWN_SECONDS if signer_names.is_kubernetes(signer) else _MAX_SECONDS
    if not _MIN_SECONDS <= seconds <= limit:
        text = f"must be in the range [{_MIN_SECONDS}, {limit}]"
        found.append(FieldError.invalid(where, seconds, text))
    return found + _key(spec, path)


def _owner(spec: Object, owner: str, path: Path) -> checks.Errors:
    name, uid = spec.get(f"{owner}Name") or "", spec.get(f"{owner}UID") or ""
    found = checks.invalid(path.child(f"{owner}Name"), name, names.is_dns1123_subdomain(name))
    where = path.child(f"{owner}UID")
    if not uid:
        found.append(FieldError.invalid(where, uid, "must not be empty"))
    elif checks.size(uid) > _MAX_UID:
        found.append(FieldError.too_long(where, uid, _MAX_UID))
    return found


def _key(spec: Object, path: Path) -> checks.Errors:
    stub, key, proof = (
        b64decode(spec.get(field) or "")
        for field in ("stubPKCS10Request", "pkixPublicKey", "proofOfPossession")
    )
    if stub and not key and not proof:
        return _stub(stub, path.child("stubPKCS10Request"))
    if key and proof and not stub:
        return _public_key(spec, key, proof, path)
    return [FieldError.invalid(path, OMITTED, _EITHER)]


def _public_key(spec: Object, key: bytes, proof: bytes, path: Path) -> checks.Errors:
    # upstream: pkg/apis/certificates/validation/validation.go validateDeprecatedPKIXPublicKey
    where = path.child("pkixPublicKey")
    if len(key) > _MAX_BLOB:
        return [FieldError.too_long(where, "", _MAX_BLOB)]
    if len(proof) > _MAX_BLOB:
        return [FieldError.too_long(path.child("proofOfPossession"), "", _MAX_BLOB)]
    try:
        public = der.read_key(key)
    except PKIError:
        text = "must be a valid PKIX-serialized public key"
        return [FieldError.invalid(where, spec["pkixPublicKey"], text)]
    if not der.is_known(public):
        return [FieldError.invalid(where, spec["pkixPublicKey"], _KINDS)]
    if found := _weak(public, where, "P256 or P384"):
        return found
    if not der.proves(public, (spec.get("podUID") or "").encode(), proof):
        text = "could not verify proof-of-possession signature"
        return [FieldError.invalid(path.child("proofOfPossession"), OMITTED, text)]
    return []


def _stub(stub: bytes, path: Path) -> checks.Errors:
    # upstream: pkg/apis/certificates/validation/validation.go validateStubPKCS10Request
    if len(stub) > _MAX_BLOB:
        return [FieldError.too_long(path, "", _MAX_BLOB)]
    try:
        request = der.read_request(stub)
    except PKIError:
        return [FieldError.invalid(path, OMITTED, "must be a valid PKCS#10 CSR")]
    public = der.key_of(request)
    if not der.is_known(public):
        return [FieldError.invalid(path, OMITTED, _KINDS)]
    if found := _weak(public, path, "P256, P384, or P521"):
        return found
    if not der.is_signed(request):
        return [FieldError.invalid(path, OMITTED, "invalid signature")]
    return []


def _weak(public: object, path: Path, curves: str) -> checks.Errors:
    if curve := der.weak_curve(public):
        text = f"elliptic public keys must use curve {curves}"
        return [FieldError.invalid(path, f"curve {curve}", text)]
    if bits := der.odd_modulus(public):
        return [FieldError.invalid(path, f"{bits}-bit modulus", _MODULUS)]
    return []


RULES = (
    # upstream: pkg/apis/certificates/v1/zz_generated.defaults.go
    TypeRule(
        type=f"{_GROUP}v1.PodCertificateRequestSpec",
        default=defaults.missing(maxExpirationSeconds=_MAX_OWN_SECONDS),
    ),
    TypeRule(
        type=f"{_GROUP}v1beta1.PodCertificateRequestSpec",
        default=defaults.missing(maxExpirationSeconds=_MAX_OWN_SECONDS),
        validate=_validate,
    ),
)
