"""The order in which a request passes the filters, and the wires around them."""
# upstream: apiserver pkg/server/config.go DefaultBuildHandlerChain

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
    request_info,
    deadline,
    authentication,
    audit,
    impersonation,
    fairness,
    authorization,
)


def build(services: Services) -> Handler:
    """Filters around the router; answers are objects, failures ``StatusError``."""
    handler = router.build(services)
    for page in reversed(FILTERS):
        handler = page.build(services, handler)
    return handler


def build_wire(services: Services, handler: Handler) -> WireHandler:
    """The pipeline for the edge: answers and failures as bytes."""
    return respond.build(handler, services.caches.messages)
