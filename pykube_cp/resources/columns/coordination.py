"""Columns of coordination.k8s.io."""
# upstream: pkg/printers/internalversion/printers.go

from pykube_cp.registry import table
from pykube_cp.registry.resource import Column
from pykube_cp.resources.shared import cells

LEASE = (
    table.NAME,
    Column(
        "Holder",
        cells.at("spec", "holderIdentity"),
        described_by="coordination.v1.LeaseSpec.holderIdentity",
    ),
    table.AGE,
)

LEASE_CANDIDATE = (
    table.NAME,
    Column(
        "LeaseName",
        cells.at("spec", "leaseName"),
        described_by="coordination.v1alpha2.LeaseCandidateSpec.leaseName",
    ),
    Column("BinaryVersion", cells.at("spec", "binaryVersion")),
    Column("EmulationVersion", cells.at("spec", "emulationVersion")),
    table.AGE,
)
