"""Names of the resources that have to do with nodes, networks, certificates and storage."""

from pykube_cp.machinery.gvk import GVR

ENDPOINTS = GVR("", "v1", "endpoints")
NODES = GVR("", "v1", "nodes")
PERSISTENT_VOLUMES = GVR("", "v1", "persistentvolumes")
SERVICES = GVR("", "v1", "services")

CERTIFICATE_REQUESTS = GVR("certificates.k8s.io", "v1", "certificatesigningrequests")
CLUSTER_TRUST_BUNDLES = GVR("certificates.k8s.io", "v1", "clustertrustbundles")
POD_CERTIFICATE_REQUESTS = GVR("certificates.k8s.io", "v1", "podcertificaterequests")
LEASES = GVR("coordination.k8s.io", "v1", "leases")
ENDPOINT_SLICES = GVR("discovery.k8s.io", "v1", "endpointslices")
IP_ADDRESSES = GVR("networking.k8s.io", "v1", "ipaddresses")
SERVICE_CIDRS = GVR("networking.k8s.io", "v1", "servicecidrs")
SUBJECT_ACCESS_REVIEWS = GVR("authorization.k8s.io", "v1", "subjectaccessreviews")

CSI_DRIVERS = GVR("storage.k8s.io", "v1", "csidrivers")
CSI_NODES = GVR("storage.k8s.io", "v1", "csinodes")
STORAGE_CLASSES = GVR("storage.k8s.io", "v1", "storageclasses")
VOLUME_ATTACHMENTS = GVR("storage.k8s.io", "v1", "volumeattachments")
VOLUME_ATTRIBUTES_CLASSES = GVR("storage.k8s.io", "v1", "volumeattributesclasses")

RESOURCE_CLAIMS = GVR("resource.k8s.io", "v1", "resourceclaims")
RESOURCE_CLAIM_TEMPLATES = GVR("resource.k8s.io", "v1", "resourceclaimtemplates")
RESOURCE_SLICES = GVR("resource.k8s.io", "v1", "resourceslices")

VALIDATING_ADMISSION_POLICIES = GVR(
    "admissionregistration.k8s.io", "v1", "validatingadmissionpolicies"
)
