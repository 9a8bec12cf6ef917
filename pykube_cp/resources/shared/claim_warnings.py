"""Warnings about claims for volumes."""
# upstream: pkg/api/persistentvolumeclaim/util.go GetWarningsForPersistentVolumeClaimSpec

from pykube_cp.machinery.field_errors import Path
from pykube_cp.machinery.go_text import quote
from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.quantity import Quantity


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
