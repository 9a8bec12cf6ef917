"""Logs of a container, as its kubelet tells them."""
# upstream: pkg/registry/core/pod/rest/log.go LogREST; apiserver pkg/registry/generic/rest/streamer.go

from collections.abc import AsyncIterator
from urllib.parse import urlencode

from pykube_cp.api import kubelets, log_options, websockets
from pykube_cp.api.edge import outbound
from pykube_cp.api.edge.outbound import OutboundError, OutboundResponse, Target
from pykube_cp.api.request import NoBody, Outcome, Response, Stream
from pykube_cp.api.scope import Scope
from pykube_cp.machinery import errors
from pykube_cp.machinery.go_text import quote

_READ_LIMIT = 50_000
_REDIRECTS = {301, 302, 303, 307, 308}


async def handle(scope: Scope) -> Outcome:
    """A stream of text; nothing for a pod that has no node yet.

    The client must still take the form that objects and errors are told in.
    """
    options = log_options.read(scope.request.query, scope.name)
    pod = await kubelets.pod(scope, scope.name)
    container = kubelets.container(pod, options.container)
    node = pod["spec"].get("nodeName")
    if not node:
        return Response(204)
    path = f"/containerLogs/{scope.namespace}/{scope.name}/{container}"
    path += f"?{urlencode(options.query)}" if options.query else ""
    kubelet = await kubelets.kubelet(scope, node)
    verify = not options.skip_verification
    answer = await _ask(kubelet.target(scope, path, verify=verify))
    if not 200 <= answer.status <= 206:
        raise await _refusal(scope, answer)
    chunks = _as_far_as_it_goes(answer)
    if websockets.is_websocket(scope.request):
        return websockets.stream(scope.request, chunks)
    return Stream(200, chunks, [("Content-Type", "text/plain")])


async def _ask(target: Target) -> OutboundResponse:
    try:
        answer = await outbound.send(target, "GET", [], NoBody().chunks(), has_body=False)
    except OutboundError as error:
        raise errors.StatusError(500, "", f"Get {quote(target.url)}: {error}") from None
    place = answer.header("location")
    if answer.status in _REDIRECTS and place:
        raise errors.StatusError(500, "", f"Get {quote(place)}: redirects forbidden")
    return answer


async def _refusal(scope: Scope, answer: OutboundResponse) -> errors.StatusError:
    # upstream: apiserver pkg/registry/generic/rest/response_checker.go
    body = b""
    async for chunk in _as_far_as_it_goes(answer):
        body += chunk
        if len(body) > _READ_LIMIT:
            break
    text = body[:_READ_LIMIT].decode("utf-8", "replace")
    if answer.status == 500:
        return errors.internal_error(text)
    if answer.status == 400:
        return errors.bad_request(text)
    return errors.generic_server_response(
        answer.status, "", ("", "pods/log"), scope.name, text, 0, is_unexpected=False
    )


async def _as_far_as_it_goes(answer: OutboundResponse) -> AsyncIterator[bytes]:
    """A log that breaks off ends there."""
    try:
        async for chunk in answer.chunks:
            yield chunk
    except OutboundError:
        return
