"""CSI drivers."""

from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule

_SPEC = {
    "attachRequired": True,
    "podInfoOnMount": False,
    "storageCapacity": False,
    "fsGroupPolicy": "ReadWriteOnceWithFSType",
    "requiresRepublish": False,
    "seLinuxMount": False,
    "preventPodSchedulingIfMissing": False,
}


def _default_spec(spec: Object, _ctx: RuleContext) -> None:
    # upstream: pkg/apis/storage/v1/defaults.go SetDefaults_CSIDriver
    for field, value in _SPEC.items():
        if spec.get(field) is None:
            spec[field] = value
    if not spec.get("volumeLifecycleModes"):
        spec["volumeLifecycleModes"] = ["Persistent"]


RULES = (TypeRule(type="io.k8s.api.storage.v1.CSIDriverSpec", default=_default_spec),)
