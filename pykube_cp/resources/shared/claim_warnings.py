"""Warnings about claims for volumes."""
# upstream: pkg/api/persistentvolumeclaim/util.go GetWarningsForPersistentVolumeClaimSpec

from pykube_cp.machinery import objects
from pykube_cp.machinery.field_errors import Path
from pykube_cp.machinery.go_text import quote
from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.quantity import Quantity
from pykube_cp.machinery.volumes import CLASS_ANNOTATION


def of_claim(claim: Object) -> list[str]:
    # upstream: pkg/api/persistentvolumeclaim/util.go GetWarningsForPersistentVolumeClaim
    found = []
    if CLASS_ANNOTATION in objects.annotations(claim):
        where = Path("metadata", "annotations").key(CLASS_ANNOTATION)
        text = 'deprecated since v1.8; use "storageClassName" attribute instead'
        found.append(f"{where}: {text}")
    return found + warnings(claim["spec"], Path("spec"))


def warnings(spec: Object, path: Path) -> list[str]:
    """About a claim's spec, which is at ``path``."""
    resources, found = spec.get("resources") or {}, []
    for field in ("requests", "limits"):
        amount = (resources.get(field) or {}).get("storage")
        if amount is not None and Quantity.parse(str(amount)).milli_value() % 1000:
            where = path.child("resources", field).key("storage")
            text = "is invalid, must be an integer"
            found.append(f"{where}: fractional byte value {quote(str(amount))} {text}")
    return found
