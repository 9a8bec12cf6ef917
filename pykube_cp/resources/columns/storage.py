"""Columns of storage.k8s.io; storage capacities have none of their own."""
# upstream: pkg/printers/internalversion/printers.go

from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.volumes import default_class
from pykube_cp.registry import table
from pykube_cp.registry.resource import Column, TableRow
from pykube_cp.resources.shared import cells


def mark_default_class(rows: list[TableRow]) -> list[TableRow]:
    """Say which class claims get that ask for none: the youngest of those so annotated."""
    # upstream: printStorageClassList getEffectiveDefaultStorageClass
    chosen = default_class(row.obj for row in rows)
    for row in rows:
        if row.obj is chosen:
            row.cells[0] += " (default)"
    return rows


STORAGE_CLASS = (
    table.NAME,
    Column(
        "Provisioner", cells.at("provisioner"), described_by="storage.v1.StorageClass.provisioner"
    ),
    Column(
        "ReclaimPolicy",
        cells.at("reclaimPolicy", default="Delete"),
        described_by="storage.v1.StorageClass.reclaimPolicy",
    ),
    Column(
        "VolumeBindingMode",
        cells.at("volumeBindingMode", default="Immediate"),
        described_by="storage.v1.StorageClass.volumeBindingMode",
    ),
    Column(
        "AllowVolumeExpansion",
        cells.flag("allowVolumeExpansion"),
        described_by="storage.v1.StorageClass.allowVolumeExpansion",
    ),
    table.AGE,
)

VOLUME_ATTRIBUTES_CLASS = (
    table.NAME,
    Column(
        "DriverName",
        cells.at("driverName"),
        described_by="storage.v1.VolumeAttributesClass.driverName",
    ),
    table.AGE,
)

VOLUME_ATTACHMENT = (
    table.NAME,
    Column(
        "Attacher",
        cells.at("spec", "attacher"),
        format="name",
        described_by="storage.v1.VolumeAttachmentSpec.attacher",
    ),
    Column(
        "PV",
        cells.at("spec", "source", "persistentVolumeName"),
        described_by="storage.v1.VolumeAttachmentSource.persistentVolumeName",
    ),
    Column(
        "Node",
        cells.at("spec", "nodeName"),
        described_by="storage.v1.VolumeAttachmentSpec.nodeName",
    ),
    Column(
        "Attached",
        cells.flag("status", "attached"),
        type="boolean",
        described_by="storage.v1.VolumeAttachmentStatus.attached",
    ),
    table.AGE,
)

CSI_NODE = (
    table.NAME,
    Column(
        "Drivers",
        cells.count("spec", "drivers"),
        type="integer",
        description="Drivers indicates the number of CSI drivers registered on the node",
    ),
    table.AGE,
)


def _token_requests(driver: Object) -> str:
    found = cells.items(driver, "spec", "tokenRequests")
    return ",".join(request.get("audience") or "" for request in found) if found else cells.UNSET


CSI_DRIVER = (
    table.NAME,
    Column(
        "AttachRequired",
        cells.at("spec", "attachRequired", default=True),
        type="boolean",
        described_by="storage.v1.CSIDriverSpec.attachRequired",
    ),
    Column(
        "PodInfoOnMount",
        cells.flag("spec", "podInfoOnMount"),
        type="boolean",
        described_by="storage.v1.CSIDriverSpec.podInfoOnMount",
    ),
    Column(
        "StorageCapacity",
        cells.flag("spec", "storageCapacity"),
        type="boolean",
        described_by="storage.v1.CSIDriverSpec.storageCapacity",
    ),
    Column("TokenRequests", _token_requests, described_by="storage.v1.CSIDriverSpec.tokenRequests"),
    Column(
        "RequiresRepublish",
        cells.flag("spec", "requiresRepublish"),
        type="boolean",
        described_by="storage.v1.CSIDriverSpec.requiresRepublish",
    ),
    Column(
        "Modes",
        cells.joined("spec", "volumeLifecycleModes", default=cells.NONE),
        described_by="storage.v1.CSIDriverSpec.volumeLifecycleModes",
    ),
    table.AGE,
)
