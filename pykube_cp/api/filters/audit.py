"""Give every request an audit id, and log what it came to when asked to."""

import logging
import uuid

from pykube_cp.api.request import Handler, Outcome, Request
from pykube_cp.api.services import Services

_log = logging.getLogger("pykube_cp.audit")


def build(services: Services, following: Handler) -> Handler:
    """A filter; see the package."""
    del services

    async def handle(request: Request) -> Outcome:
        request.audit_id = request.header("audit-id") or str(uuid.uuid4())
        if not _log.isEnabledFor(logging.INFO):
            return await following(request)
        try:
            outcome = await following(request)
        except Exception as error:
            _log.info("%s %s %s: %s", request.user.name, request.method, request.path, error)
            raise
        _log.info("%s %s %s", request.user.name, request.method, request.path)
        return outcome

    return handle
