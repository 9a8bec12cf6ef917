"""End requests that take too long, except those that are meant to last."""
# upstream: apiserver pkg/endpoints/filters/request_deadline.go, pkg/server/filters/timeout.go

import asyncio

import orjson

from pykube_cp.api.request import Handler, Outcome, Request, RequestInfo, Response
from pykube_cp.api.request_metrics import REQUESTS
from pykube_cp.api.services import Services
from pykube_cp.machinery import clock, errors
from pykube_cp.machinery.codec.interface import DecodeError
from pykube_cp.machinery.leaves import parse_duration

_TEXT = "request did not complete within the allotted timeout"
_PROFILES = "/debug/pprof/"
_LONG_VERBS = frozenset({"watch", "proxy"})
_LONG_SUBRESOURCES = frozenset({"attach", "exec", "proxy", "log", "portforward"})


def build(services: Services, following: Handler) -> Handler:
    """A filter; see the package."""
    maximum = services.config.request_timeout_seconds

    async def handle(request: Request) -> Outcome:
        if is_long_running(request.info):
            return await following(request)
        left = request.received_at + _seconds(request, maximum) - clock.monotonic()
        if left <= 0:
            return _too_late(request)
        try:
            async with asyncio.timeout(left):
                return await following(request)
        except TimeoutError:
            return _too_late(request)

    return handle


def _too_late(request: Request) -> Response:
    """A Status that says neither its kind nor its media type: it is written past all encoders."""
    # upstream: apiserver pkg/server/filters/timeout.go baseTimeoutWriter.timeout
    REQUESTS.note_late(request)
    status = errors.timeout_error(_TEXT, 0).status()
    del status["kind"], status["apiVersion"]
    return Response(504, orjson.dumps(status) + b"\n", "text/plain; charset=utf-8")


def is_long_running(info: RequestInfo) -> bool:
    """Whether a request may last as long as its client likes."""
    if info.is_resource and info.subresource in _LONG_SUBRESOURCES:
        return True
    return info.verb in _LONG_VERBS or (not info.is_resource and info.path.startswith(_PROFILES))


def _seconds(request: Request, maximum: float) -> float:
    text = request.query.get("timeout")
    if not text:
        return maximum
    try:
        asked = parse_duration(text) / 1e9
    except DecodeError as error:
        text = f"invalid timeout specified in the request URL - {error}"
        raise errors.bad_request(text) from None
    return min(asked, maximum) if asked > 0 else maximum
