"""End requests that take too long, except those that are meant to last."""
# upstream: apiserver pkg/endpoints/filters/request_deadline.go, pkg/server/filters/timeout.go

import asyncio

from pykube_cp.api.request import Handler, Outcome, Request, RequestInfo
from pykube_cp.api.services import Services
from pykube_cp.machinery import errors
from pykube_cp.machinery.codec.interface import DecodeError
from pykube_cp.machinery.leaves import parse_duration

_LONG_VERBS = frozenset({"watch", "proxy"})
_LONG_SUBRESOURCES = frozenset({"attach", "exec", "proxy", "log", "portforward"})


def build(services: Services, following: Handler) -> Handler:
    """A filter; see the package."""
    maximum = services.config.request_timeout_seconds

    async def handle(request: Request) -> Outcome:
        if is_long_running(request.info):
            return await following(request)
        seconds = _seconds(request, maximum)
        try:
            async with asyncio.timeout(seconds):
                return await following(request)
        except TimeoutError:
            raise errors.timeout_error(
                "request did not complete within the allotted timeout", 0
            ) from None

    return handle


def is_long_running(info: RequestInfo) -> bool:
    """Whether a request may last as long as its client likes."""
    return info.verb in _LONG_VERBS or (info.is_resource and info.subresource in _LONG_SUBRESOURCES)


def _seconds(request: Request, maximum: float) -> float:
    text = request.query.get("timeout")
    if not text:
        return maximum
    try:
        asked = parse_duration(text) / 1e9
    except (ValueError, DecodeError):
        raise errors.bad_request("invalid timeout specified in the request URL") from None
    return min(asked, maximum) if asked > 0 else maximum
