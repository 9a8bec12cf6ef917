"""Columns of internal.apiserver.k8s.io."""
# upstream: pkg/printers/internalversion/printers.go printStorageVersion

from pykube_cp.machinery.objects import Object
from pykube_cp.registry import table
from pykube_cp.registry.resource import Column
from pykube_cp.resources.shared import cells


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
        "CommonEncodingVersion", cells.at("status", "commonEncodingVersion", default=cells.UNSET)
    ),
    Column("StorageVersions", _storage_versions),
    table.AGE,
)
