"""Rows of certificates.k8s.io."""

from pykube_cp.machinery.gvk import GVR
from pykube_cp.registry.resource import STATUS_VERBS, Resource, Subresource, status
from pykube_cp.resources.columns import certificates as columns
from pykube_cp.resources.conversions import pod_certificates, versions
from pykube_cp.resources.shared import selectable
from pykube_cp.resources.strategies import certificates

CERTIFICATE_SIGNING_REQUEST = Resource(
    group="certificates.k8s.io",
    version="v1",
    kind="CertificateSigningRequest",
    plural="certificatesigningrequests",
    singular="certificatesigningrequest",
    namespaced=False,
    short_names=("csr",),
    subresources=(
        Subresource(
            name="approval",
            verbs=STATUS_VERBS,
            strategy=certificates.CertificateApprovalStrategy(),
            has_table=False,
        ),
        status(certificates.CertificateStatusStrategy()),
    ),
    columns=columns.CERTIFICATE_SIGNING_REQUEST,
    selectable_fields=selectable.SIGNER,
    strategy=certificates.CertificateSigningRequestStrategy(),
    storage_version_hash="95fRKMXA+00=",
)

CLUSTER_TRUST_BUNDLE_V1 = Resource(
    group="certificates.k8s.io",
    version="v1",
    kind="ClusterTrustBundle",
    plural="clustertrustbundles",
    singular="clustertrustbundle",
    namespaced=False,
    columns=columns.CLUSTER_TRUST_BUNDLE,
    selectable_fields=selectable.SIGNER,
    strategy=certificates.ClusterTrustBundleStrategy(),
    storage_version_hash="v5yhuVertL4=",
)

POD_CERTIFICATE_REQUEST_V1 = Resource(
    group="certificates.k8s.io",
    version="v1",
    kind="PodCertificateRequest",
    plural="podcertificaterequests",
    singular="podcertificaterequest",
    subresources=(status(certificates.PodCertificateStatusStrategy()),),
    columns=columns.POD_CERTIFICATE_REQUEST,
    selectable_fields=selectable.POD_CERTIFICATE_REQUEST,
    selects_namespace=False,
    strategy=certificates.PodCertificateRequestStrategy(),
    storage_version_hash="wYA9yXQH8fg=",
    stored_as=GVR("certificates.k8s.io", "v1beta1", "podcertificaterequests"),
    conversion=pod_certificates.V1,
)

CLUSTER_TRUST_BUNDLE_V1BETA1 = Resource(
    group="certificates.k8s.io",
    version="v1beta1",
    kind="ClusterTrustBundle",
    plural="clustertrustbundles",
    singular="clustertrustbundle",
    namespaced=False,
    columns=columns.CLUSTER_TRUST_BUNDLE,
    selectable_fields=selectable.SIGNER,
    strategy=certificates.ClusterTrustBundleStrategy(),
    storage_version_hash="v5yhuVertL4=",
    stored_as=GVR("certificates.k8s.io", "v1", "clustertrustbundles"),
    conversion=versions.between("certificates.k8s.io/v1", "certificates.k8s.io/v1beta1"),
    served_by_default=False,
)

POD_CERTIFICATE_REQUEST_V1BETA1 = Resource(
    group="certificates.k8s.io",
    version="v1beta1",
    kind="PodCertificateRequest",
    plural="podcertificaterequests",
    singular="podcertificaterequest",
    subresources=(status(certificates.PodCertificateStatusStrategy()),),
    columns=columns.POD_CERTIFICATE_REQUEST,
    selectable_fields=selectable.POD_CERTIFICATE_REQUEST,
    selects_namespace=False,
    strategy=certificates.PodCertificateRequestStrategy(),
    storage_version_hash="wYA9yXQH8fg=",
    served_by_default=False,
)

RESOURCES = (
    CERTIFICATE_SIGNING_REQUEST,
    CLUSTER_TRUST_BUNDLE_V1,
    POD_CERTIFICATE_REQUEST_V1,
    CLUSTER_TRUST_BUNDLE_V1BETA1,
    POD_CERTIFICATE_REQUEST_V1BETA1,
)
