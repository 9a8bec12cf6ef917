"""Columns of certificates.k8s.io."""
# upstream: pkg/printers/internalversion/printers.go

from pykube_cp.machinery.objects import Object
from pykube_cp.registry import table
from pykube_cp.registry.resource import Column
from pykube_cp.resources.shared import cells

_STATES = frozenset({"Issued", "Denied", "Failed"})


def _requested_duration(csr: Object) -> str:
    seconds = (csr.get("spec") or {}).get("expirationSeconds")
    return cells.NONE if seconds is None else table.human_duration(seconds)


def _condition(csr: Object) -> str:
    # upstream: extractCSRStatus
    found = {condition.get("type") for condition in cells.conditions(csr)}
    status = "Denied" if "Denied" in found else "Approved" if "Approved" in found else "Pending"
    if "Failed" in found:
        status += ",Failed"
    return f"{status},Issued" if (csr.get("status") or {}).get("certificate") else status


CERTIFICATE_SIGNING_REQUEST = (
    table.NAME,
    table.AGE,
    Column("SignerName", cells.filled("spec", "signerName")),
    Column("Requestor", cells.at("spec", "username")),
    Column(
        "RequestedDuration",
        _requested_duration,
        described_by="certificates.v1.CertificateSigningRequestSpec.expirationSeconds",
    ),
    Column("Condition", _condition),
)

CLUSTER_TRUST_BUNDLE = (
    table.NAME,
    Column(
        "SignerName",
        cells.filled("spec", "signerName"),
        described_by="certificates.v1.ClusterTrustBundleSpec.signerName",
    ),
)


def _state(request: Object) -> str:
    found = [condition.get("type", "") for condition in cells.conditions(request)]
    return next((kind for kind in reversed(found) if kind in _STATES), "Pending")


POD_CERTIFICATE_REQUEST = (
    table.NAME,
    Column(
        "PodName",
        cells.at("spec", "podName"),
        described_by="certificates.v1.PodCertificateRequestSpec.podName",
    ),
    Column(
        "ServiceAccountName",
        cells.at("spec", "serviceAccountName"),
        described_by="certificates.v1.PodCertificateRequestSpec.serviceAccountName",
    ),
    Column(
        "NodeName",
        cells.at("spec", "nodeName"),
        described_by="certificates.v1.PodCertificateRequestSpec.nodeName",
    ),
    Column(
        "SignerName",
        cells.at("spec", "signerName"),
        described_by="certificates.v1.PodCertificateRequestSpec.signerName",
    ),
    Column("State", _state, description="Is the request Pending, Issued, Denied, or Failed?"),
    Column(
        "UnverifiedUserAnnotations",
        cells.labels_at("spec", "unverifiedUserAnnotations"),
        described_by="certificates.v1.PodCertificateRequestSpec.unverifiedUserAnnotations",
    ),
)
