"""``events.k8s.io/v1`` Event, stored as the core group's."""
# upstream: pkg/apis/events/v1/conversion.go Convert_v1_Event_To_core_Event

from pykube_cp.machinery.objects import Object
from pykube_cp.registry.resource import Conversion

_STORED_AS = {
    "regarding": "involvedObject",
    "note": "message",
    "reportingController": "reportingComponent",
    "deprecatedSource": "source",
    "deprecatedFirstTimestamp": "firstTimestamp",
    "deprecatedLastTimestamp": "lastTimestamp",
    "deprecatedCount": "count",
}
_SERVED_AS = {stored: served for served, stored in _STORED_AS.items()}

# What Go writes even when it is empty.
_ALWAYS_STORED: Object = {
    "involvedObject": {},
    "source": {},
    "firstTimestamp": None,
    "lastTimestamp": None,
    "eventTime": None,
    "reportingComponent": "",
    "reportingInstance": "",
}
_STRUCTS_SERVED = ("regarding", "deprecatedSource")
_TIMES_SERVED = ("deprecatedFirstTimestamp", "deprecatedLastTimestamp", "eventTime")


def _to_storage(obj: Object) -> Object:
    stored = {_STORED_AS.get(key, key): value for key, value in obj.items()}
    stored["apiVersion"] = "v1"
    for key, empty in _ALWAYS_STORED.items():
        if key not in stored:
            stored[key] = dict(empty) if isinstance(empty, dict) else empty
    return stored


def _from_storage(obj: Object) -> Object:
    served = {_SERVED_AS.get(key, key): value for key, value in obj.items()}
    served["apiVersion"] = "events.k8s.io/v1"
    for key in ("reportingController", "reportingInstance"):
        if not served.get(key):
            served.pop(key, None)
    for key in _STRUCTS_SERVED:
        served.setdefault(key, {})
    for key in _TIMES_SERVED:
        served.setdefault(key, None)
    return served


EVENT = Conversion(to_storage=_to_storage, from_storage=_from_storage, more_defaults=True)
