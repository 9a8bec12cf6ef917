"""The order in which a request passes the filters, and the wires around them."""
# upstream: apiserver pkg/server/config.go DefaultBuildHandlerChain

from collections.abc import Sequence
from types import ModuleType

from pykube_cp.api import respond, router
from pykube_cp.api.filters import (
    audit,
    authentication,
    authorization,
    deadline,
    fairness,
    impersonation,
    request_info,
)
from pykube_cp.api.request import Handler, WireHandler
from pykube_cp.api.services import Services

FILTERS = (
    audit,
    request_info,
    deadline,
    authentication,
    impersonation,
    fairness,
    authorization,
)
LOCAL_FILTERS = (authorization,)
"""For local clients, which say themselves who asks for what, and are neither counted nor hurried."""


def build(services: Services, filters: Sequence[ModuleType] = FILTERS) -> Handler:
    """Filters around the router; answers are objects, failures ``StatusError``."""
    handler = router.build(services)
    for page in reversed(filters):
        handler = page.build(services, handler)
    return handler


def build_wire(services: Services) -> WireHandler:
    """The pipeline for the edge: answers and failures as bytes."""
    return respond.build(build(services), services.caches.messages, services.media)
