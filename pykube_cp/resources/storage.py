"""Rows of storage.k8s.io."""

from pykube_cp.registry.resource import Resource, status
from pykube_cp.resources.columns import storage as columns
from pykube_cp.resources.shared.spec_and_status import KeptMetaStatusStrategy
from pykube_cp.resources.strategies import storage

CSI_DRIVER = Resource(
    group="storage.k8s.io",
    version="v1",
    kind="CSIDriver",
    plural="csidrivers",
    singular="csidriver",
    namespaced=False,
    columns=columns.CSI_DRIVER,
    strategy=storage.CSIDriverStrategy(),
    storage_version_hash="hL6j/rwBV5w=",
)

CSI_NODE = Resource(
    group="storage.k8s.io",
    version="v1",
    kind="CSINode",
    plural="csinodes",
    singular="csinode",
    namespaced=False,
    subresources=(status(storage.CSINodeStatusStrategy()),),
    columns=columns.CSI_NODE,
    strategy=storage.CSINodeStrategy(),
    storage_version_hash="Pe62DkZtjuo=",
)

CSI_STORAGE_CAPACITY = Resource(
    group="storage.k8s.io",
    version="v1",
    kind="CSIStorageCapacity",
    plural="csistoragecapacities",
    singular="csistoragecapacity",
    strategy=storage.CSIStorageCapacityStrategy(),
    storage_version_hash="xeVl+2Ly1kE=",
)

STORAGE_CLASS = Resource(
    group="storage.k8s.io",
    version="v1",
    kind="StorageClass",
    plural="storageclasses",
    singular="storageclass",
    namespaced=False,
    short_names=("sc",),
    columns=columns.STORAGE_CLASS,
    finish_rows=columns.mark_default_class,
    strategy=storage.StorageClassStrategy(),
    storage_version_hash="K+m6uJwbjGY=",
)

VOLUME_ATTACHMENT = Resource(
    group="storage.k8s.io",
    version="v1",
    kind="VolumeAttachment",
    plural="volumeattachments",
    singular="volumeattachment",
    namespaced=False,
    subresources=(status(KeptMetaStatusStrategy()),),
    columns=columns.VOLUME_ATTACHMENT,
    strategy=storage.VolumeAttachmentStrategy(),
    storage_version_hash="tJx/ezt6UDU=",
)

VOLUME_ATTRIBUTES_CLASS = Resource(
    group="storage.k8s.io",
    version="v1",
    kind="VolumeAttributesClass",
    plural="volumeattributesclasses",
    singular="volumeattributesclass",
    namespaced=False,
    short_names=("vac",),
    columns=columns.VOLUME_ATTRIBUTES_CLASS,
    strategy=storage.VolumeAttributesClassStrategy(),
    storage_version_hash="tIjydgKBC5w=",
)

RESOURCES = (
    CSI_DRIVER,
    CSI_NODE,
    CSI_STORAGE_CAPACITY,
    STORAGE_CLASS,
    VOLUME_ATTACHMENT,
    VOLUME_ATTRIBUTES_CLASS,
)
