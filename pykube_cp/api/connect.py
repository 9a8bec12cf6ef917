"""Subresources that connect through to somewhere: exec, attach, port-forward, proxy."""
# upstream: apiserver pkg/endpoints/handlers/rest.go ConnectResource;
# upstream: pkg/registry/core/pod/rest/subresources.go; apimachinery pkg/util/proxy/upgradeaware.go

from collections.abc import Iterator
from urllib.parse import urlencode

from msgspec.structs import replace

from pykube_cp.admission.interface import Operation
from pykube_cp.api import kubelets, pod_logs, rewriting
from pykube_cp.api.edge import outbound
from pykube_cp.api.edge.outbound import OutboundError, Target
from pykube_cp.api.filters.authorization import attributes_of
from pykube_cp.api.request import Outcome, RawConnection, Request, Response, Upgrade
from pykube_cp.api.scope import Options, Scope
from pykube_cp.authz.interface import Decision
from pykube_cp.machinery import errors
from pykube_cp.machinery.go_numbers import parse_uint
from pykube_cp.machinery.go_url import escape_path
from pykube_cp.registry.resource import Resource

_SERVED = {
    ("pods", "log"),
    ("pods", "exec"),
    ("pods", "attach"),
    ("pods", "portforward"),
    ("pods", "proxy"),
    ("services", "proxy"),
    ("nodes", "proxy"),
}
_NOT_PASSED_ON = {
    "authorization",
    "connection",
    "content-length",
    "expect",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}
_STREAMS = (("stderr", "error"), ("stdin", "input"), ("stdout", "output"), ("tty", "tty"))
_PORT_BITS = 16


def serves(resource: Resource, subresource: str) -> bool:
    return not resource.group and (resource.plural, subresource) in _SERVED


async def handle(scope: Scope) -> Outcome:
    """Find out where to, ask admission, connect."""
    sub = scope.request.info.subresource
    if sub == "log":
        return await pod_logs.handle(scope)
    if "dryRun" in scope.request.query:
        raise errors.bad_request("dryRun is not supported")
    if sub == "proxy":
        await _admit(scope, {"path": _rest(scope.request)})
        return await _proxy(scope)
    query = _stream_query(scope, sub)
    await _admit(scope, {"container": scope.request.query.get("container")})
    await _may_create(scope)
    target = await _stream_target(scope, sub, query)
    if not _wants_upgrade(scope.request):
        raise errors.bad_request("Upgrade request required")
    return await _upgrade(scope.request, target)


async def _admit(scope: Scope, options: dict[str, str]) -> None:
    obj = {"kind": scope.kind.kind, "apiVersion": scope.kind.api_version}
    obj |= {name: value for name, value in options.items() if value}
    attributes = scope.attributes(Operation.CONNECT, obj, None, Options())
    await scope.services.admission.admit(attributes)
    await scope.services.admission.validate(attributes)


async def _may_create(scope: Scope) -> None:
    """Who connects with GET, as browsers do, must still be allowed to create."""
    # upstream: pkg/registry/core/pod/rest/authorize.go ensureAuthorizedForVerb
    asked = attributes_of(scope.request)
    if asked.verb == "create":
        return
    decision, reason = await scope.services.authorization.authorize(replace(asked, verb="create"))
    if decision is not Decision.ALLOW:
        raise errors.forbidden(scope.resource.group_resource, scope.name, reason)


# Streams of a pod.


def _stream_query(scope: Scope, sub: str) -> list[tuple[str, str]]:
    """The kubelet's query, in the order of Go's ``url.Values``."""
    # upstream: pkg/registry/core/pod/strategy.go streamParams
    query = scope.request.query
    if sub == "portforward":
        ports = _ports(query.all("ports"))
        return [("port", ",".join(str(port) for port in ports))] if ports else []
    pairs = [("command", part) for part in query.all("command")] if sub == "exec" else []
    return pairs + [(short, "1") for name, short in _STREAMS if query.flag(name)]


def _ports(texts: list[str]) -> list[int]:
    # upstream: apimachinery pkg/apis/meta/v1/conversion.go Convert_Slice_string_To_Slice_int32
    try:
        return [parse_uint(part, _PORT_BITS) for text in texts for part in text.split(",")]
    except ValueError as error:
        raise errors.bad_request(f"cannot convert to []int32: {error}") from None


async def _stream_target(scope: Scope, sub: str, query: list[tuple[str, str]]) -> Target:
    pod = await kubelets.pod(scope, scope.name)
    path = f"/{sub}/{scope.namespace}/{scope.name}"
    if sub == "portforward":
        path = f"/portForward/{scope.namespace}/{scope.name}"
    else:
        path += f"/{kubelets.container(pod, scope.request.query.get('container'))}"
    node = pod["spec"].get("nodeName")
    if not node:
        raise errors.bad_request(f"pod {scope.name} does not have a host assigned")
    kubelet = await kubelets.kubelet(scope, node)
    return kubelet.target(scope, f"{path}?{urlencode(query)}" if query else path)


# Proxies of pods, services and nodes.


def _rest(request: Request) -> str:
    """The path behind the proxy."""
    # upstream: apiserver pkg/endpoints/handlers/get.go getRequestOptions
    rest = "/".join(request.info.parts[3:])
    path = f"/{rest}" if rest else ""
    if request.path.endswith("/") and not path.endswith("/"):
        path += "/"
    joined = rewriting.joined(path)
    return f"{joined}/" if path.endswith("/") and not joined.endswith("/") else joined


async def _proxy(scope: Scope) -> Outcome:
    request, path = scope.request, _rest(scope.request)
    target = await _proxy_target(scope, escape_path(path) or "/")
    if _wants_upgrade(request):
        return await _upgrade(request, target)
    query = f"?{request.query.raw}" if request.query.raw else ""
    if not path and request.method in {"GET", "HEAD"}:
        place = ("Location", f"{request.path}/{query}")
        return Response(301, content_type="", headers=[place])
    asked = Target(target.host, target.port, target.path + query, target.tls)
    return await _pass(request, asked, path)


async def _proxy_target(scope: Scope, path: str) -> Target:
    kind = scope.resource.plural
    if kind == "pods":
        return await kubelets.pod_target(scope, path)
    if kind == "services":
        return await kubelets.service_target(scope, path)
    return await kubelets.node_target(scope, path)


async def _pass(request: Request, target: Target, path: str) -> Outcome:
    """Pass an ordinary request on, and its answer back."""
    headers = [
        (name, value)
        for name, value in _passed_on(request)
        if name not in _NOT_PASSED_ON | {"x-forwarded-for", "x-forwarded-uri"}
    ]
    if "trailers" in request.header("te"):
        headers.append(("Te", "trailers"))
    if not request.header("user-agent"):
        headers.append(("User-Agent", ""))  # none, rather than the usual one
    prefix = request.path.removesuffix(path)
    uri = rewriting.joined(prefix, escape_path(path))
    headers.append(_forwarded_for(request))
    ends = not path or path.endswith("/")
    headers.append(("X-Forwarded-Uri", f"{uri.rstrip('/')}/" if ends else uri))
    try:
        answer = await outbound.send(
            target, request.method, headers, request.body.chunks(), has_body=_has_body(request)
        )
    except OutboundError as error:
        raise errors.service_unavailable(f"error trying to reach service: {error}") from None
    hosts = (target.authority, request.header("host"))
    takes_gzip = bool(request.header("accept-encoding"))
    return await rewriting.rewritten(answer, prefix, hosts, takes_gzip=takes_gzip)


def _has_body(request: Request) -> bool:
    size = request.header("content-length", "0")
    return bool(request.header("transfer-encoding")) or (size.isdigit() and int(size) > 0)


def _forwarded_for(request: Request) -> tuple[str, str]:
    before = request.header("x-forwarded-for")
    client = request.remote_address
    return "X-Forwarded-For", f"{before}, {client}" if before else client


# Upgrades of either.


async def _upgrade(request: Request, target: Target) -> Outcome:
    """Ask for the upgrade first: while the other side says nothing, an error can be told."""
    # upstream: apimachinery pkg/util/proxy/upgradeaware.go UpgradeAwareHandler.tryUpgrade
    headers = [
        (name, value)
        for name, value in _passed_on(request)
        if name not in {"authorization", "x-forwarded-for"}
    ]
    headers.append(_forwarded_for(request))
    try:
        upgraded = await outbound.upgrade(target, request.method, headers)
    except OutboundError as error:
        raise errors.StatusError(500, "", str(error)) from None
    if upgraded.status != 101 and upgraded.status < 400:
        upgraded.close()
        text = f"invalid upgrade response: status code {upgraded.status}"
        raise errors.StatusError(500, "", text)

    async def run(connection: RawConnection) -> None:
        if upgraded.status == 101:
            await outbound.splice(upgraded, connection)
        else:
            await outbound.refuse(upgraded, connection)

    return Upgrade(run)


def _passed_on(request: Request) -> Iterator[tuple[str, str]]:
    """The headers but for those that say in whose name it is asked."""
    # upstream: apiserver pkg/endpoints/filters/authentication.go ClearAuthenticationHeaders
    for name, value in request.header_lines():
        if not name.startswith(("impersonate-", "x-remote-")):
            yield name, value


def _wants_upgrade(request: Request) -> bool:
    # upstream: streaming pkg/httpstream/httpstream.go IsUpgradeRequest
    return "upgrade" in request.header("connection").lower()
