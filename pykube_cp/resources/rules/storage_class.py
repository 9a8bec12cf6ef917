"""Storage classes."""

from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule


def _default(storage_class: Object, _ctx: RuleContext) -> None:
    # upstream: pkg/apis/storage/v1/defaults.go SetDefaults_StorageClass
    if storage_class.get("reclaimPolicy") is None:
        storage_class["reclaimPolicy"] = "Delete"
    if storage_class.get("volumeBindingMode") is None:
        storage_class["volumeBindingMode"] = "Immediate"


RULES = (TypeRule(type="io.k8s.api.storage.v1.StorageClass", default=_default),)
