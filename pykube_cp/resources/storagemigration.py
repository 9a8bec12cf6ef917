"""Rows of storagemigration.k8s.io."""

from pykube_cp.machinery.gvk import GVR
from pykube_cp.registry.resource import Resource, status
from pykube_cp.resources.columns import storagemigration as columns
from pykube_cp.resources.conversions import versions
from pykube_cp.resources.strategies import storage

STORAGE_VERSION_MIGRATION_V1 = Resource(
    group="storagemigration.k8s.io",
    version="v1",
    kind="StorageVersionMigration",
    plural="storageversionmigrations",
    singular="storageversionmigration",
    namespaced=False,
    subresources=(status(storage.MigrationStatusStrategy()),),
    columns=columns.STORAGE_VERSION_MIGRATION,
    strategy=storage.StorageVersionMigrationStrategy(),
    storage_version_hash="pCjmmKOkLy4=",
)

STORAGE_VERSION_MIGRATION_V1BETA1 = Resource(
    group="storagemigration.k8s.io",
    version="v1beta1",
    kind="StorageVersionMigration",
    plural="storageversionmigrations",
    singular="storageversionmigration",
    namespaced=False,
    subresources=(status(storage.MigrationStatusStrategy()),),
    columns=columns.STORAGE_VERSION_MIGRATION,
    strategy=storage.StorageVersionMigrationStrategy(),
    storage_version_hash="pCjmmKOkLy4=",
    stored_as=GVR("storagemigration.k8s.io", "v1", "storageversionmigrations"),
    conversion=versions.between("storagemigration.k8s.io/v1", "storagemigration.k8s.io/v1beta1"),
    served_by_default=False,
)

RESOURCES = (
    STORAGE_VERSION_MIGRATION_V1,
    STORAGE_VERSION_MIGRATION_V1BETA1,
)
