"""Rows of coordination.k8s.io."""

from pykube_cp.machinery.gvk import GVR
from pykube_cp.registry.resource import Resource
from pykube_cp.resources.columns import coordination as columns
from pykube_cp.resources.conversions import versions
from pykube_cp.resources.strategies import cluster

LEASE = Resource(
    group="coordination.k8s.io",
    version="v1",
    kind="Lease",
    plural="leases",
    singular="lease",
    columns=columns.LEASE,
    strategy=cluster.LeaseStrategy(),
    storage_version_hash="gqkMMb/YqFM=",
)

LEASE_CANDIDATE_V1ALPHA2 = Resource(
    group="coordination.k8s.io",
    version="v1alpha2",
    kind="LeaseCandidate",
    plural="leasecandidates",
    singular="leasecandidate",
    columns=columns.LEASE_CANDIDATE,
    strategy=cluster.LeaseCandidateStrategy(),
    storage_version_hash="lvME0iHWE20=",
    stored_as=GVR("coordination.k8s.io", "v1beta1", "leasecandidates"),
    conversion=versions.between("coordination.k8s.io/v1beta1", "coordination.k8s.io/v1alpha2"),
    served_by_default=False,
)

LEASE_CANDIDATE_V1BETA1 = Resource(
    group="coordination.k8s.io",
    version="v1beta1",
    kind="LeaseCandidate",
    plural="leasecandidates",
    singular="leasecandidate",
    columns=columns.LEASE_CANDIDATE,
    strategy=cluster.LeaseCandidateStrategy(),
    storage_version_hash="lvME0iHWE20=",
    served_by_default=False,
)

RESOURCES = (
    LEASE,
    LEASE_CANDIDATE_V1ALPHA2,
    LEASE_CANDIDATE_V1BETA1,
)
