"""``resource.k8s.io/v1beta1``, in which requests and devices had another form, stored as ``v1``."""
# upstream: pkg/apis/resource/v1beta1/conversion.go

from collections.abc import Callable

from pykube_cp.machinery.objects import Object
from pykube_cp.registry.resource import Conversion
from pykube_cp.resources.conversions import versions

_STORED, _SERVED = "resource.k8s.io/v1", "resource.k8s.io/v1beta1"
_OF_REQUEST = frozenset({"name", "firstAvailable"})
"""What a request keeps to itself; the rest is about the one way in which it is met."""
_UNSET = ("", None)


def _requests(claim: Object, change: Callable[[Object], Object]) -> None:
    devices = claim.get("devices") or {}
    if devices.get("requests"):
        devices["requests"] = [change(request) for request in devices["requests"]]


def _nested_request(request: Object) -> Object:
    own = {key: value for key, value in request.items() if key in _OF_REQUEST}
    exactly = {
        key: value
        for key, value in request.items()
        if key not in _OF_REQUEST and value not in _UNSET
    }
    return own | {"exactly": {"deviceClassName": ""} | exactly} if exactly else own


def _flat_request(request: Object) -> Object:
    own = {key: value for key, value in request.items() if key != "exactly"}
    return {"deviceClassName": ""} | own | (request.get("exactly") or {})


def _nested_device(device: Object) -> Object:
    rest = {key: value for key, value in device.items() if key != "name"}
    return {"name": device.get("name", ""), "basic": rest}


def _flat_device(device: Object) -> Object:
    return {"name": device.get("name", ""), **(device.get("basic") or {})}


def _slice_to_storage(obj: Object) -> Object:
    spec = obj.get("spec") or {}
    if spec.get("devices"):
        spec["devices"] = [_flat_device(device) for device in spec["devices"]]
    return obj


def _slice_from_storage(obj: Object) -> Object:
    spec = obj.get("spec") or {}
    if spec.get("devices"):
        spec["devices"] = [_nested_device(device) for device in spec["devices"]]
    for field in ("nodeName", "allNodes"):
        if not spec.get(field):
            spec.pop(field, None)
    return obj


def _claims(*path: str) -> Conversion:
    """Of a kind that has the spec of a claim at ``path``."""

    def at(obj: Object) -> Object:
        for name in path:
            obj = obj.get(name) or {}
        return obj

    def to_storage(obj: Object) -> Object:
        _requests(at(obj), _nested_request)
        return rename_to_stored(obj)

    def from_storage(obj: Object) -> Object:
        _requests(at(obj), _flat_request)
        return rename_to_served(obj)

    return Conversion(to_storage=to_storage, from_storage=from_storage)


rename_to_stored = versions.renamed(_STORED)
rename_to_served = versions.renamed(_SERVED)

CLAIM = _claims("spec")
CLAIM_TEMPLATE = _claims("spec", "spec")
SLICE = Conversion(
    to_storage=lambda obj: rename_to_stored(_slice_to_storage(obj)),
    from_storage=lambda obj: rename_to_served(_slice_from_storage(obj)),
)
