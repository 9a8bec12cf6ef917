"""PodCertificateRequests: the beta has keys besides requests, as v1 has not."""
# upstream: pkg/apis/certificates/v1/conversion.go

from pykube_cp.machinery.objects import Object
from pykube_cp.registry.resource import Conversion
from pykube_cp.resources.conversions.versions import renamed

_OF_BETA = ("pkixPublicKey", "proofOfPossession")


def _to_storage(obj: Object) -> Object:
    spec = obj.get("spec") or {}
    made: Object = {}
    for field, value in spec.items():
        if field == "stubPKCS10Request":
            made |= dict.fromkeys(_OF_BETA)
        made[field] = value
    return _rename_stored({**obj, "spec": made})


def _from_storage(obj: Object) -> Object:
    spec = {field: value for field, value in obj["spec"].items() if field not in _OF_BETA}
    return _rename_served({**obj, "spec": spec})


_rename_stored = renamed("certificates.k8s.io/v1beta1")
_rename_served = renamed("certificates.k8s.io/v1")
V1 = Conversion(to_storage=_to_storage, from_storage=_from_storage)
