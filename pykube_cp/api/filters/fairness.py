"""Bound how many requests run at once; those over the bound are told to come again."""
# upstream: apiserver pkg/server/filters/maxinflight.go WithMaxInFlightLimit

from pykube_cp.api import routes
from pykube_cp.api.filters.deadline import is_long_running
from pykube_cp.api.request import Handler, Outcome, Request
from pykube_cp.api.request_metrics import REQUESTS
from pykube_cp.api.services import Services
from pykube_cp.machinery import errors
from pykube_cp.machinery.metrics import Gauge

INFLIGHT = Gauge(
    "apiserver_current_inflight_requests",
    "[STABLE] Maximal number of currently used inflight request limit of this apiserver per request "
    "kind in last second.",
    ("request_kind",),
)
_KINDS = {True: "readOnly", False: "mutating"}
_READ_ONLY = frozenset({"get", "list", "watch"})


def build(services: Services, following: Handler) -> Handler:
    """A filter; see the package. Long-running requests are not counted."""
    room = {
        True: services.config.max_requests_inflight,
        False: services.config.max_mutating_requests_inflight,
    }

    async def handle(request: Request) -> Outcome:
        if is_long_running(request.info):
            return await following(request)
        read_only = request.info.verb in _READ_ONLY
        if room[read_only] <= 0 and "system:masters" not in request.user.groups:
            _note(services, request)
            raise errors.too_many_requests("Too many requests, please try again later.", 1)
        room[read_only] -= 1
        INFLIGHT.add(_KINDS[read_only])
        try:
            return await following(request)
        finally:
            room[read_only] += 1
            INFLIGHT.add(_KINDS[read_only], amount=-1)

    return handle


def _note(services: Services, request: Request) -> None:
    """The request goes no further, so whether what it asks for is there is looked at here."""
    info = request.info
    is_known = not info.is_resource or routes.find(services.catalog, info) is not None
    REQUESTS.note_dropped(request, is_known=is_known)
