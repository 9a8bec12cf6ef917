"""Rows of events.k8s.io."""

from pykube_cp.machinery.gvk import GVR
from pykube_cp.registry.resource import Resource
from pykube_cp.resources.columns import events as columns
from pykube_cp.resources.conversions import events as events_conversion
from pykube_cp.resources.shared import selectable
from pykube_cp.resources.shared.limits import EVENT_TTL_SECONDS
from pykube_cp.resources.strategies import core

EVENT = Resource(
    group="events.k8s.io",
    version="v1",
    kind="Event",
    plural="events",
    singular="event",
    short_names=("ev",),
    columns=columns.EVENT,
    selectable_fields=selectable.EVENTS_EVENT,
    strategy=core.EventStrategy(),
    storage_version_hash="r2yiGXH7wu8=",
    ttl_seconds=EVENT_TTL_SECONDS,
    stored_as=GVR("", "v1", "events"),
    conversion=events_conversion.EVENT,
)

RESOURCES = (EVENT,)
