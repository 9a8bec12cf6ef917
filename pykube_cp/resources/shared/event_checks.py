"""Judging events: loosely through the core group, strictly through ``events.k8s.io``."""
# upstream: pkg/apis/core/validation/events.go

from pykube_cp.machinery import names, objects
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.validation import validate_immutable
from pykube_cp.resources.shared import checks

_STRICT = "events.k8s.io/v1"
_LIMITS = {"reportingInstance": 128, "action": 128, "reason": 128, "message": 1024}
_IMMUTABLE = (
    ("involvedObject", "involvedObject"),
    ("reason", "reason"),
    ("message", "message"),
    ("source", "source"),
    ("firstTimestamp", "firstTimestamp"),
    ("lastTimestamp", "lastTimestamp"),
    ("count", "count"),
    ("type", "type"),
    ("eventTime", "eventTime"),
    ("action", "action"),
    ("related", "related"),
    ("reportingComponent", "reportingController"),
    ("reportingInstance", "reportingInstance"),
)

_EMPTY = dict.fromkeys(
    ("reason", "message", "type", "action", "reportingComponent", "reportingInstance"), ""
)
"""How texts show what is not set."""


def validate(event: Object, api_version: str) -> list[FieldError]:
    """What is wrong with a new event; ``api_version`` is what the client speaks."""
    found = _loosely(event, api_version)
    if api_version != _STRICT:
        return found
    name, where = objects.name(event), Path("metadata", "name")
    if not name:
        found.append(FieldError.required(where, "name or generateName is required"))
    else:
        found += checks.subdomain(name, where)
    found += _series(event)
    if not event.get("eventTime"):
        found.append(FieldError.required(Path("eventTime")))
    kind = event.get("type") or ""
    if kind not in {"Normal", "Warning"}:
        found.append(FieldError.invalid(Path("type"), "", f"has invalid value: {kind}"))
    for field in ("firstTimestamp", "lastTimestamp", "count"):
        if event.get(field):
            found.append(FieldError.invalid(Path(field), "", "needs to be unset"))
    source = event.get("source") or {}
    if source.get("component") or source.get("host"):
        found.append(FieldError.invalid(Path("source"), "", "needs to be unset"))
    return found


def validate_update(event: Object, old: Object, api_version: str) -> list[FieldError]:
    """What is wrong with a changed event."""
    found = _loosely(event, api_version)
    if api_version != _STRICT:
        return found
    if event.get("series") != old.get("series"):
        found += _series(event)
    for field, shown in _IMMUTABLE:
        now, before = (one.get(field) or _EMPTY.get(field) for one in (event, old))
        found += validate_immutable(now, before, Path(shown))
    return found


def _series(event: Object) -> list[FieldError]:
    series = event.get("series")
    if series is None:
        return []
    found = []
    if (series.get("count") or 0) < 2:
        found.append(FieldError.invalid(Path("series.count"), "", "should be at least 2"))
    if not series.get("lastObservedTime"):
        found.append(FieldError.required(Path("series.lastObservedTime")))
    return found


def _loosely(event: Object, api_version: str) -> list[FieldError]:
    """Events with an ``eventTime`` are of the newer kind and have more to say."""
    # upstream: legacyValidateEvent
    about = (event.get("involvedObject") or {}).get("namespace") or ""
    namespace = objects.namespace(event)
    if event.get("eventTime"):
        mismatch = not about and namespace not in {"default", "kube-system"}
    elif about:
        mismatch = namespace != about
    else:
        mismatch = namespace not in {"", "default"}
    found = []
    if mismatch:
        where = Path("involvedObject", "namespace")
        found.append(FieldError.invalid(where, about, "does not match event.namespace"))
    return found + _reporter(event, api_version) if event.get("eventTime") else found


def _reporter(event: Object, api_version: str) -> list[FieldError]:
    where = Path("reportingComponent" if api_version == "v1" else "reportingController")
    controller = event.get("reportingComponent") or ""
    found = [] if controller else [FieldError.required(where)]
    for text in names.is_qualified_name(controller):
        found.append(FieldError.invalid(where, controller, text))
    for field, limit in _LIMITS.items():
        value = event.get(field) or ""
        if not value and field != "message":
            found.append(FieldError.required(Path(field)))
        if len(value.encode()) > limit:
            text = f"can have at most {limit} characters"
            found.append(FieldError.invalid(Path(field), "", text))
    return found
