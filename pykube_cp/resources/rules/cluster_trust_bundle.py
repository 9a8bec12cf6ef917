"""Bundles of certificates to trust."""

from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.pki import PKIError, der, pem
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.resources.shared import checks, signer_names

_MAX_SIZE = 1 << 20
_HIDDEN = "<value omitted>"


def _validate(spec: Object, path: Path, ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/certificates/validation/validation.go ValidateClusterTrustBundle
    found: checks.Errors = []
    if signer := spec.get("signerName"):
        found += signer_names.check(signer, path.child("signerName"))
    bundle = spec.get("trustBundle") or ""
    if ctx.old is None or bundle != (ctx.old["spec"].get("trustBundle") or ""):
        found += _anchors(bundle, path.child("trustBundle"))
    return found


def _anchors(bundle: str, path: Path) -> checks.Errors:
    # upstream: pkg/apis/certificates/validation/validation.go validateTrustBundle
    if checks.size(bundle) > _MAX_SIZE:
        return [FieldError.too_long(path, "", _MAX_SIZE)]
    texts, seen = [], dict[bytes, list[int]]()
    for position, block in enumerate(pem.blocks(bundle.encode("utf-8", "surrogatepass"))):
        if why := _why_no_anchor(block):
            texts.append(f"entry {position} {why}")
        else:
            seen.setdefault(block.content, []).append(position)
    if not texts and not seen:
        texts.append("at least one trust anchor must be provided")
    elif not texts:
        for places in seen.values():
            if len(places) > 1:
                shown = " ".join(map(str, places))
                texts.append(f"duplicate trust anchor (indices [{shown}])")
    return checks.invalid(path, _HIDDEN, texts)


def _why_no_anchor(block: pem.Block) -> str:
    if block.type != "CERTIFICATE":
        return f"has bad block type: {block.type}"
    if block.headers:
        return "has PEM block headers"
    try:
        certificate = der.read_certificate(block.content)
    except PKIError:
        return "does not parse as X.509"
    return "" if der.is_authority(certificate) else "does not have the CA bit set"


RULES = (TypeRule(type="io.k8s.api.certificates.v1.ClusterTrustBundleSpec", validate=_validate),)
