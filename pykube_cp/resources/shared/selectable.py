"""Fields that ``fieldSelector`` may name, per kind.

Each function reads the stored object. A row that is served by a conversion has its fields in the
order of the stored row's, because the cache keeps their values by position.
"""
# upstream: pkg/apis/core/v1/conversion.go addConversionFuncs

from collections.abc import Callable, Mapping
from typing import TypeAlias

from pykube_cp.machinery.objects import Object

Fields: TypeAlias = Mapping[str, Callable[[Object], str]]


def _text(first: str, second: str) -> Callable[[Object], str]:
    def read(obj: Object) -> str:
        value = (obj.get(first) or {}).get(second)
        return "" if value is None else str(value)

    return read


def _truth(first: str, second: str) -> Callable[[Object], str]:
    def read(obj: Object) -> str:
        return "true" if (obj.get(first) or {}).get(second) else "false"

    return read


def _count(first: str, second: str) -> Callable[[Object], str]:
    def read(obj: Object) -> str:
        return str((obj.get(first) or {}).get(second) or 0)

    return read


def _top(name: str) -> Callable[[Object], str]:
    def read(obj: Object) -> str:
        return str(obj.get(name) or "")

    return read


def _never(_obj: Object) -> str:
    return ""


def _event_source(obj: Object) -> str:
    source = (obj.get("source") or {}).get("component")
    return str(source or obj.get("reportingComponent") or "")


def _pool_name(obj: Object) -> str:
    return str((obj["spec"].get("pool") or {}).get("name") or "")


POD: Fields = {
    "spec.nodeName": _text("spec", "nodeName"),
    "spec.restartPolicy": _text("spec", "restartPolicy"),
    "spec.schedulerName": _text("spec", "schedulerName"),
    "spec.serviceAccountName": _text("spec", "serviceAccountName"),
    "spec.hostNetwork": _truth("spec", "hostNetwork"),
    "status.phase": _text("status", "phase"),
    "status.podIP": _text("status", "podIP"),
    "status.nominatedNodeName": _text("status", "nominatedNodeName"),
    "spec.host": _text("spec", "nodeName"),
    "status.podIPs": _never,
}
NODE: Fields = {"spec.unschedulable": _truth("spec", "unschedulable")}
REPLICAS: Fields = {"status.replicas": _count("status", "replicas")}
NAMESPACE: Fields = {"status.phase": _text("status", "phase")}
SECRET: Fields = {"type": _top("type")}
SERVICE: Fields = {"spec.clusterIP": _text("spec", "clusterIP"), "spec.type": _text("spec", "type")}
JOB: Fields = {"status.successful": _count("status", "succeeded")}
SIGNER: Fields = {"spec.signerName": _text("spec", "signerName")}
POD_CERTIFICATE_REQUEST: Fields = {
    "spec.signerName": _text("spec", "signerName"),
    "spec.podName": _text("spec", "podName"),
    "spec.nodeName": _text("spec", "nodeName"),
}
RESOURCE_SLICE: Fields = {
    "spec.nodeName": _text("spec", "nodeName"),
    "spec.driver": _text("spec", "driver"),
    "spec.pool.name": _pool_name,
}

_REGARDING = ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")

EVENT: Fields = {
    **{f"involvedObject.{part}": _text("involvedObject", part) for part in _REGARDING},
    "reason": _top("reason"),
    "reportingComponent": _top("reportingComponent"),
    "type": _top("type"),
    "source": _event_source,
}
EVENTS_EVENT: Fields = {
    **{f"regarding.{part}": _text("involvedObject", part) for part in _REGARDING},
    "reason": _top("reason"),
    "reportingController": _top("reportingComponent"),
    "type": _top("type"),
}
