"""Names of those who sign certificates."""

from pykube_cp.machinery import names
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.go_text import quote
from pykube_cp.resources.shared import checks

_MAX_DOMAIN = 253
_MAX_PATH = 253 + 63 + 1
_MAX_NAME = _MAX_DOMAIN + _MAX_PATH + 1


def is_kubernetes(signer: str) -> bool:
    # upstream: pkg/apis/core/validation/names.go IsKubernetesSignerName
    domain = signer.partition("/")[0]
    return domain == "kubernetes.io" or domain.endswith(".kubernetes.io")


def check(signer: str, path: Path) -> checks.Errors:
    # upstream: pkg/apis/core/validation/names.go ValidateSignerName
    if not signer:
        return [FieldError.required(path)]
    domain, _, rest = signer.partition("/")
    if signer.count("/") != 1:
        text = "must be a fully qualified domain and path of the form 'example.com/signer-name'"
        return [FieldError.invalid(path, signer, text)]
    found = []
    if len(domain) > _MAX_DOMAIN:
        found.append(FieldError.too_long(path, "", _MAX_DOMAIN))
    found += _parts(domain, path, is_path=False)
    if "." not in domain:
        text = "should be a domain with at least two segments separated by dots"
        found.append(FieldError.invalid(path, domain, text))
    found += _parts(rest, path, is_path=True)
    if len(signer) > _MAX_NAME:
        found.append(FieldError.too_long(path, "", _MAX_NAME))
    return found


def _parts(text: str, path: Path, *, is_path: bool) -> checks.Errors:
    """The first part that is wrong is enough."""
    judge = names.is_dns1123_subdomain if is_path else names.is_dns1123_label
    for part in text.split("."):
        if wrong := judge(part):
            texts = [f"validating label {quote(part)}: {reason}" for reason in wrong]
            return checks.invalid(path, text, texts)
    return []


def check_bundle(name: str, signer: str | None = None, *, prefix: bool = False) -> list[str]:
    """The name of a ClusterTrustBundle: of ``signer``, or of the one that the name says."""
    # upstream: pkg/apis/core/validation/names.go ValidateClusterTrustBundleName
    if signer is None:
        before, colon, _ = name.rpartition(":")
        signer = before.replace(":", "/") if colon else ""
    if not signer:
        if ":" in name:
            return ['ClusterTrustBundle without signer name must not have ":" in its name']
        return names.is_dns1123_subdomain(name, prefix=prefix)
    start = signer.replace("/", ":") + ":"
    if not name.startswith(start):
        return [f"ClusterTrustBundle for signerName {signer} must be named with prefix {start}"]
    return names.is_dns1123_subdomain(name.removeprefix(start), prefix=prefix)
