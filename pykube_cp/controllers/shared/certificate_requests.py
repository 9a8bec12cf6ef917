"""What CertificateSigningRequests say, and which of them kubernetes.io signers accept."""
# upstream: pkg/apis/certificates/helpers.go

import base64
from collections.abc import Iterable

from pykube_cp.controllers.shared.conditions import is_true
from pykube_cp.machinery import objects
from pykube_cp.machinery.objects import Object
from pykube_cp.pki import CertificateRequest, parse_csr

CLIENT_SIGNER = "kubernetes.io/kube-apiserver-client"
KUBELET_CLIENT_SIGNER = "kubernetes.io/kube-apiserver-client-kubelet"
KUBELET_SERVING_SIGNER = "kubernetes.io/kubelet-serving"
LEGACY_UNKNOWN_SIGNER = "kubernetes.io/legacy-unknown"

_KEY_ENCIPHERMENT = "key encipherment"
_CLIENT_USAGES = frozenset({"digital signature", "client auth"})
_SERVING_USAGES = frozenset({"digital signature", "server auth"})
_NODE_USER_PREFIX = "system:node:"


class UnacceptableRequestError(ValueError):
    """A request that its signer must not sign; the text says why."""


def conditions(csr: Object) -> list[Object]:
    found: list[Object] = objects.nested(csr, "status", "conditions", default=[])
    return found


def is_approved(csr: Object) -> bool:
    """Approved and not denied."""
    # upstream: pkg/controller/certificates/certificate_controller_utils.go
    types = {item["type"] for item in conditions(csr)}
    return "Approved" in types and "Denied" not in types


def is_decided(csr: Object) -> bool:
    return any(item["type"] in {"Approved", "Denied"} for item in conditions(csr))


def has_failed(csr: Object) -> bool:
    return is_true(conditions(csr), "Failed")


def is_issued(csr: Object) -> bool:
    return bool(objects.nested(csr, "status", "certificate"))


def usages(csr: Object) -> list[str]:
    found: list[str] = csr["spec"].get("usages") or []
    return found


def parse(csr: Object) -> CertificateRequest:
    """The request inside; ``PKIError`` where there is none."""
    return parse_csr(base64.b64decode(csr["spec"].get("request") or ""))


def check(request: CertificateRequest, wanted: Iterable[str], signer: str) -> None:
    """Raise ``UnacceptableRequestError`` unless the signer may sign this."""
    # upstream: pkg/controller/certificates/signer/signer.go getCSRVerificationFuncForSignerName
    if signer == KUBELET_SERVING_SIGNER:
        check_kubelet_serving(request, wanted)
    elif signer == KUBELET_CLIENT_SIGNER:
        check_kubelet_client(request, wanted)
    elif signer == CLIENT_SIGNER:
        _check_client_usages(wanted)


def check_kubelet_client(request: CertificateRequest, wanted: Iterable[str]) -> None:
    """The request must be one for a kubelet's client certificate."""
    _check_organization(request)
    for names, text in (
        (request.dns_names, "DNS"),
        (request.emails, "Email"),
        (request.ips, "IP"),
        (request.uris, "URI"),
    ):
        if names:
            raise UnacceptableRequestError(f"{text} subjectAltNames are not allowed")
    _check_common_name(request)
    _check_usages(wanted, _CLIENT_USAGES)


def check_kubelet_serving(request: CertificateRequest, wanted: Iterable[str]) -> None:
    """The request must be one for a kubelet's serving certificate."""
    _check_organization(request)
    if not request.dns_names and not request.ips:
        raise UnacceptableRequestError("DNS or IP subjectAltName is required")
    if request.emails:
        raise UnacceptableRequestError("Email subjectAltNames are not allowed")
    if request.uris:
        raise UnacceptableRequestError("URI subjectAltNames are not allowed")
    _check_usages(wanted, _SERVING_USAGES)
    _check_common_name(request)


def is_kubelet_client(request: CertificateRequest, wanted: Iterable[str]) -> bool:
    try:
        check_kubelet_client(request, wanted)
    except UnacceptableRequestError:
        return False
    return True


def _check_organization(request: CertificateRequest) -> None:
    if request.organizations != ("system:nodes",):
        raise UnacceptableRequestError("subject organization is not system:nodes")


def _check_common_name(request: CertificateRequest) -> None:
    if not request.common_name.startswith(_NODE_USER_PREFIX):
        raise UnacceptableRequestError("subject common name does not begin with system:node:")


def _check_usages(wanted: Iterable[str], required: frozenset[str]) -> None:
    # Keys other than RSA have no use for key encipherment.
    if set(wanted) - {_KEY_ENCIPHERMENT} != required:
        names = " ".join(sorted({*required, _KEY_ENCIPHERMENT}))
        raise UnacceptableRequestError(f"usages did not match [{names}]")


def _check_client_usages(wanted: Iterable[str]) -> None:
    # upstream: pkg/controller/certificates/signer/signer.go validAPIServerClientUsages
    names = list(wanted)
    for name in names:
        if name not in {*_CLIENT_USAGES, _KEY_ENCIPHERMENT}:
            raise UnacceptableRequestError(f"invalid usage for client certificate: {name}")
    if "client auth" not in names:
        raise UnacceptableRequestError("missing required usage for client certificate: client auth")
