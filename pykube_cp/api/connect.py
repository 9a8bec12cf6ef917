"""Subresources that connect through to somewhere: logs, exec, attach, port-forward, proxy."""
# upstream: pkg/registry/core/pod/rest/subresources.go, log.go; apimachinery pkg/util/proxy

from collections.abc import AsyncIterator, Iterator
from urllib.parse import quote, urlencode

from pykube_cp.admission.interface import Operation
from pykube_cp.api import kubelets, rewriting, websockets
from pykube_cp.api.edge import outbound
from pykube_cp.api.edge.outbound import OutboundError, Target
from pykube_cp.api.log_options import query_of_log
from pykube_cp.api.request import Outcome, RawConnection, Request, Response, Stream, Upgrade
from pykube_cp.api.scope import Options, Scope
from pykube_cp.machinery import errors
from pykube_cp.machinery.gvk import GVR
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.resource import Resource

_PODS = GVR("", "v1", "pods")
_SERVED = {
    ("pods", "log"),
    ("pods", "exec"),
    ("pods", "attach"),
    ("pods", "portforward"),
    ("pods", "proxy"),
    ("services", "proxy"),
    ("nodes", "proxy"),
}
_HOP_HEADERS = {
    "connection",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "content-length",
    "expect",
}
_SECRET_HEADERS = {"authorization"}
_STREAM_PARAMETERS = (("stdin", "input"), ("stdout", "output"), ("stderr", "error"), ("tty", "tty"))


def serves(resource: Resource, subresource: str) -> bool:
    return not resource.group and (resource.plural, subresource) in _SERVED


async def handle(scope: Scope) -> Outcome:
    """Find out where to, ask admission, connect."""
    sub = scope.request.info.subresource
    if sub == "log":
        return await _log(scope)
    await _admit(scope)
    if sub == "proxy":
        return await _proxy(scope)
    target = await _stream_target(scope, sub)
    if not _wants_upgrade(scope.request):
        raise errors.bad_request("Upgrade request required")
    return _upgrade(scope.request, target)


async def _admit(scope: Scope) -> None:
    options = {
        "kind": scope.kind.kind,
        "apiVersion": scope.kind.api_version,
        **{
            name: scope.request.query.get(name)
            for name in ("container",)
            if scope.request.query.get(name)
        },
    }
    attributes = scope.attributes(Operation.CONNECT, options, None, Options())
    await scope.services.admission.admit(attributes)
    await scope.services.admission.validate(attributes)


async def _log(scope: Scope) -> Outcome:
    pod = await kubelets.read(scope, _PODS, scope.namespace, scope.name)
    query = query_of_log(scope.request.query)
    container = _container(pod, scope.request.query.get("container"))
    node = pod["spec"].get("nodeName")
    if not node:
        return Response(200, b"", "text/plain")
    path = f"/containerLogs/{scope.namespace}/{scope.name}/{container}"
    target = await kubelets.kubelet(scope, node, f"{path}?{urlencode(query)}" if query else path)
    answer = await _send(target, "GET", [], _nothing(), has_body=False)
    if answer.status != 200:
        text = b"".join([chunk async for chunk in answer.chunks]).decode("utf-8", "replace")
        raise _kubelet_error(scope, answer.status, text)
    if websockets.is_websocket(scope.request):
        return websockets.stream(scope.request, answer.chunks)
    return Stream(200, answer.chunks, [("Content-Type", "text/plain")])


def _kubelet_error(scope: Scope, status: int, text: str) -> errors.StatusError:
    # upstream: client-go/apimachinery pkg/registry/generic/rest/response_checker.go
    if status in {400, 404}:
        if status == 404:
            return errors.StatusError(
                404,
                "NotFound",
                f"the server could not find the requested resource "
                f"( pods/log {scope.name}): {text}".rstrip(": "),
            )
        return errors.bad_request(text.strip())
    return errors.internal_error(text.strip())


async def _stream_target(scope: Scope, sub: str) -> Target:
    pod = await kubelets.read(scope, _PODS, scope.namespace, scope.name)
    node = pod["spec"].get("nodeName")
    if not node:
        raise errors.bad_request(f"pod {scope.name} does not have a host assigned")
    query = scope.request.query
    if sub == "portforward":
        pairs = [("port", port) for port in query.all("ports")]
        path = f"/portForward/{scope.namespace}/{scope.name}"
        return await kubelets.kubelet(scope, node, f"{path}?{urlencode(pairs)}" if pairs else path)
    container = _container(pod, query.get("container"))
    pairs = [(short, "1") for name, short in _STREAM_PARAMETERS if query.flag(name)]
    pairs += [("command", part) for part in query.all("command")]
    if sub == "exec" and not query.all("command"):
        raise errors.bad_request("you must specify at least 1 command for the container")
    if not {"input", "output", "error"} & {name for name, _ in pairs}:
        raise errors.bad_request("you must specify at least 1 of stdin, stdout, stderr")
    path = f"/{sub}/{scope.namespace}/{scope.name}/{container}?{urlencode(_by_name(pairs))}"
    return await kubelets.kubelet(scope, node, path)


def _by_name(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """In the order of Go's ``url.Values``; several of one name stay as they come."""
    return sorted(pairs, key=lambda pair: pair[0])


def _container(pod: Object, wanted: str) -> str:
    # upstream: pkg/registry/core/pod/strategy.go podHasContainerWithName, validateContainer
    spec, name = pod["spec"], pod["metadata"]["name"]
    containers = [each["name"] for each in spec.get("containers") or []]
    init = [each["name"] for each in spec.get("initContainers") or []]
    ephemeral = [each["name"] for each in spec.get("ephemeralContainers") or []]
    if wanted:
        if wanted not in containers + init + ephemeral:
            raise errors.bad_request(f"container {wanted} is not valid for pod {name}")
        return wanted
    if len(containers) == 1:
        return str(containers[0])
    text = f"a container name must be specified for pod {name}, choose one of: [{' '.join(containers)}]"
    if init:
        text += f" or one of the init containers: [{' '.join(init)}]"
    raise errors.bad_request(text)


async def _proxy(scope: Scope) -> Outcome:
    request = scope.request
    rest = "/".join(request.info.parts[3:])
    path = f"/{quote(rest, safe=_SAFE)}" if rest else ""
    if request.path.endswith("/") and not path.endswith("/"):
        path += "/"
    if not path and request.method in {"GET", "HEAD"} and not _wants_upgrade(request):
        query = f"?{request.query.raw}" if request.query.raw else ""
        return Response(301, headers=[("Location", f"{request.raw_path}/{query}")])
    full = path or "/"
    full = f"{full}?{request.query.raw}" if request.query.raw else full
    target = await _proxy_target(scope, full)
    if _wants_upgrade(request):
        return _upgrade(request, target)
    return await _pass(request, target, path)


_SAFE = "/:@!$&'()*+,;=~-._"


async def _proxy_target(scope: Scope, path: str) -> Target:
    kind = scope.resource.plural
    if kind == "pods":
        return await kubelets.pod_target(scope, path)
    if kind == "services":
        return await kubelets.service_target(scope, path)
    scheme, name, port = kubelets.split_scheme_name_port(scope.name)
    target = await kubelets.kubelet(scope, name, path)
    if not port or port == str(target.port):
        return target
    number = int(port) if port.isdigit() else 0
    if not number:
        raise errors.bad_request(f'invalid port "{port}"')
    tls = kubelets.insecure_tls(scope) if scheme == "https" else None
    return Target(target.host, number, path, tls)


async def _pass(request: Request, target: Target, path: str) -> Outcome:
    """Pass an ordinary request on, and its answer back."""
    headers = [
        (name, value)
        for name, value in _passed_on(request)
        if name not in _HOP_HEADERS | _SECRET_HEADERS
    ]
    headers.append(("X-Forwarded-For", request.remote_address))
    headers.append(("X-Forwarded-Uri", request.raw_path))
    if request.header("host"):
        headers.append(("X-Forwarded-Host", request.header("host")))
    has_body = request.method in {"POST", "PUT", "PATCH"} or bool(
        int(request.header("content-length", "0") or 0)
    )
    answer = await _send(target, request.method, headers, request.body.chunks(), has_body=has_body)
    prefix = request.path.removesuffix(path.rstrip("/") or path) if path else request.path
    return await rewriting.rewritten(answer, prefix.rstrip("/"), target)


def _upgrade(request: Request, target: Target) -> Upgrade:
    headers = [
        (name, value)
        for name, value in _passed_on(request)
        if name not in _SECRET_HEADERS | {"host", "sec-websocket-protocol"}
    ]
    protocols = [
        each.strip()
        for each in request.header("sec-websocket-protocol").split(",")
        if each.strip() and not each.strip().startswith("base64url.bearer.")
    ]
    if protocols:
        headers.append(("Sec-WebSocket-Protocol", ", ".join(protocols)))

    async def run(connection: RawConnection) -> None:
        try:
            await outbound.splice(target, request.method, headers, connection)
        except OutboundError as error:
            text = f"error dialing backend: {error}\n".encode()
            head = (
                b"HTTP/1.1 500 Internal Server Error\r\nContent-Type: text/plain\r\n"
                b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(text)
            )
            await connection.write(head + text)

    return Upgrade(run)


async def _send(
    target: Target,
    method: str,
    headers: list[tuple[str, str]],
    body: AsyncIterator[bytes],
    *,
    has_body: bool,
) -> outbound.OutboundResponse:
    try:
        return await outbound.send(target, method, headers, body, has_body=has_body)
    except OutboundError as error:
        raise errors.service_unavailable(f"error trying to reach service: {error}") from None


def _passed_on(request: Request) -> Iterator[tuple[str, str]]:
    """The headers but for those that say in whose name it is asked."""
    # upstream: apiserver pkg/endpoints/filters/authentication.go ClearAuthenticationHeaders
    for name, value in request.header_lines():
        if not name.startswith(("impersonate-", "x-remote-")):
            yield name, value


def _wants_upgrade(request: Request) -> bool:
    return "upgrade" in request.header("connection").lower()


async def _nothing() -> AsyncIterator[bytes]:
    none: tuple[bytes, ...] = ()
    for chunk in none:
        yield chunk
