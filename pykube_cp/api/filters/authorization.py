"""Refuse what the user may not do."""

from pykube_cp.api.endpoints import NO_SNIFFING
from pykube_cp.api.request import Handler, Outcome, Request
from pykube_cp.api.services import Services
from pykube_cp.authz import refusal
from pykube_cp.authz.interface import Attributes, Decision
from pykube_cp.machinery import clock, errors
from pykube_cp.machinery.metrics import POWERS_OF_TWO, Counter, Histogram

ATTEMPTS = Counter(
    "authorization_attempts_total",
    "[ALPHA] Counter of authorization attempts broken down by result. It can be either 'allowed', "
    "'denied', 'no-opinion' or 'error'.",
    ("result",),
)
SECONDS = Histogram(
    "authorization_duration_seconds",
    "[ALPHA] Authorization duration in seconds broken out by result.",
    POWERS_OF_TWO,
    ("result",),
)
METRICS = (ATTEMPTS, SECONDS)
_RESULTS = {
    Decision.ALLOW: "allowed",
    Decision.DENY: "denied",
    Decision.NO_OPINION: "no-opinion",
}


def build(services: Services, following: Handler) -> Handler:
    """A filter; see the package."""
    authorize = services.authorization.authorize

    async def handle(request: Request) -> Outcome:
        attributes = attributes_of(request)
        begin = clock.monotonic()
        decision, reason = await authorize(attributes)
        ATTEMPTS.add(_RESULTS[decision])
        SECONDS.observe(clock.monotonic() - begin, _RESULTS[decision])
        if decision is not Decision.ALLOW:
            raise forbidden(attributes, reason)
        return await following(request)

    return handle


def attributes_of(request: Request) -> Attributes:
    """What the request asks for, as authorizers see it."""
    info = request.info
    return Attributes(
        user=request.user,
        verb=info.verb,
        group=info.group,
        version=info.version,
        resource=info.resource,
        subresource=info.subresource,
        namespace=info.namespace,
        name=info.name,
        path=info.path,
        is_resource=info.is_resource,
        field_selector=info.field_selector,
        label_selector=info.label_selector,
    )


def forbidden(attributes: Attributes, reason: str) -> errors.StatusError:
    """403 in upstream's words, of which no browser shall make something else."""
    # upstream: apiserver pkg/endpoints/handlers/responsewriters/errors.go Forbidden
    error = refusal.forbidden(attributes, reason)
    error.headers.update([NO_SNIFFING])
    return error
