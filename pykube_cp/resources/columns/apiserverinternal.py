"""Columns of internal.apiserver.k8s.io."""
# upstream: pkg/printers/internalversion/printers.go printStorageVersion

from pykube_cp.machinery.objects import Object
from pykube_cp.registry import table
from pykube_cp.registry.resource import Column
from pykube_cp.resources.shared import cells

_STATUS = "apiserverinternal.v1alpha1.StorageVersionStatus"


def _storage_versions(obj: Object) -> str:
    return cells.some(
        [
            f"{found.get('apiServerID') or ''}={found.get('encodingVersion') or ''}"
            for found in cells.items(obj, "status", "storageVersions")
        ]
    )


STORAGE_VERSION = (
    table.NAME,
    Column(
        "CommonEncodingVersion",
        cells.at("status", "commonEncodingVersion", default=cells.UNSET),
        described_by=f"{_STATUS}.commonEncodingVersion",
    ),
    Column("StorageVersions", _storage_versions, described_by=f"{_STATUS}.storageVersions"),
    table.AGE,
)
