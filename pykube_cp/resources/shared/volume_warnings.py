"""What nobody should do with persistent volumes any more."""
# upstream: pkg/api/persistentvolume/util.go GetWarningsForPersistentVolume

from pykube_cp.machinery import objects
from pykube_cp.machinery.field_errors import Path
from pykube_cp.machinery.objects import Object
from pykube_cp.resources.shared import node_labels

_ANNOTATIONS = {
    "volume.beta.kubernetes.io/storage-class": (
        'deprecated since v1.8; use "storageClassName" attribute instead'
    ),
    "volume.beta.kubernetes.io/mount-options": (
        'deprecated since v1.31; use "mountOptions" attribute instead'
    ),
}
_RECYCLE = (
    "The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use "
    "dynamic provisioning."
)
_PLUGINS = {
    "cephfs": ("cephfs", "deprecated in v1.28, non-functional in v1.31+"),
    "photonPersistentDisk": (
        "photonPersistentDisk",
        "deprecated in v1.11, non-functional in v1.16+",
    ),
    "scaleIO": ("scaleIO", "deprecated in v1.16, non-functional in v1.22+"),
    "storageos": ("storageOS", "deprecated in v1.22, non-functional in v1.25+"),
    "glusterfs": ("glusterfs", "deprecated in v1.25, non-functional in v1.26+"),
    "rbd": ("rbd", "deprecated in v1.28, non-functional in v1.31+"),
}


def warnings(volume: Object) -> list[str]:
    annotations, spec = objects.annotations(volume), volume.get("spec") or {}
    where = Path("metadata", "annotations")
    found = [f"{where.key(k)}: {text}" for k, text in _ANNOTATIONS.items() if k in annotations]
    if spec.get("persistentVolumeReclaimPolicy") == "Recycle":
        found.append(f"{Path('spec', 'persistentVolumeReclaimPolicy')}: {_RECYCLE}")
    terms = objects.nested(spec, "nodeAffinity", "required", "nodeSelectorTerms", default=())
    path = Path("spec", "nodeAffinity", "required", "nodeSelectorTerms")
    for position, term in enumerate(terms or ()):
        found += node_labels.warnings_for_term(term, path.index(position), check_values=False)
    for field, (shown, text) in _PLUGINS.items():
        if spec.get(field) is not None:
            found.append(f"{Path('spec', shown)}: {text}")
    return found
