"""Requests by what they were and how they ended, how long they took and how much they answered."""
# upstream: apiserver pkg/endpoints/metrics/metrics.go MonitorRequest

from collections.abc import Awaitable, Callable

from pykube_cp.api.request import Push, Request, Response, Sink, Stream, Wire
from pykube_cp.machinery.metrics import REQUEST_SECONDS, Counter, Gauge, Histogram, Metric

_WHAT = ("component", "group", "resource", "scope", "subresource", "verb", "version")
_VERBS = {
    "get": "GET",
    "list": "LIST",
    "watch": "WATCH",
    "create": "POST",
    "update": "PUT",
    "patch": "PATCH",
    "delete": "DELETE",
    "deletecollection": "DELETECOLLECTION",
}
_CONNECTING = frozenset({"attach", "exec", "portforward", "proxy"})
_HEALTH = frozenset({"/healthz", "/livez", "/readyz"})
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class RequestMetrics:
    """What is known of all requests that reached something."""

    def __init__(self) -> None:
        self.total = Counter(
            "apiserver_request_total",
            "[STABLE] Counter of apiserver requests broken out for each verb, dry run value, group, "
            "version, resource, scope, component, and HTTP response code.",
            ("code", "component", "dry_run", *_WHAT[1:]),
        )
        self.seconds = Histogram(
            "apiserver_request_duration_seconds",
            "[STABLE] Response latency distribution in seconds for each verb, dry run value, group, "
            "version, resource, subresource, scope and component.",
            REQUEST_SECONDS,
            ("component", "dry_run", *_WHAT[1:]),
        )
        self.sizes = Histogram(
            "apiserver_response_sizes",
            "[STABLE] Response size distribution in bytes for each group, version, verb, resource, "
            "subresource, scope and component.",
            [1000.0 * 10**power for power in range(7)],
            _WHAT,
        )
        self.lasting = Gauge(
            "apiserver_longrunning_requests",
            "[STABLE] Gauge of all active long-running apiserver requests broken out by verb, group, "
            "version, resource, scope and component. Not all requests are tracked this way.",
            _WHAT,
        )

    def all(self) -> list[Metric]:
        return [self.total, self.seconds, self.sizes, self.lasting]

    def observe(self, request: Request, wire: Wire, seconds: float) -> None:
        """Note an answer. What nobody serves is not noted: its names are the client's to choose."""
        if not request.is_served:
            return
        what = _what(request)
        component, *rest = what
        dry_run = ",".join(sorted(set(request.query.all("dryRun"))))
        code = str(getattr(wire, "status", 101))
        self.total.add(code, component, dry_run, *rest)
        if isinstance(wire, Push):
            wire.run = self._counted(what, wire.run)
        elif isinstance(wire, Response | Stream):
            self.seconds.observe(seconds, component, dry_run, *rest)
        size = _size(wire)
        if size is not None and what[5] in {"GET", "LIST"}:
            self.sizes.observe(size, *what)

    def _counted(
        self, what: tuple[str, ...], run: Callable[[Sink], Awaitable[None]]
    ) -> Callable[[Sink], Awaitable[None]]:
        async def counted(sink: Sink) -> None:
            self.lasting.add(*what)
            try:
                await run(sink)
            finally:
                self.lasting.add(*what, amount=-1)

        return counted


def _size(wire: Wire) -> int | None:
    """Bytes of an answer, if that is known before it has been sent."""
    if isinstance(wire, Response):
        return len(wire.body)
    headers = dict(wire.headers) if isinstance(wire, Stream) else {}
    return int(headers["Content-Length"]) if "Content-Length" in headers else None


def _what(request: Request) -> tuple[str, ...]:
    """Component, group, resource, scope, subresource, verb, version."""
    info = request.info
    if not info.is_resource:
        is_health = info.path in _HEALTH
        verb = request.method if request.method in _METHODS else "other"
        return (
            "" if is_health else "apiserver",
            "",
            "",
            "",
            info.path if is_health else "",
            verb,
            "",
        )
    return (
        "apiserver",
        info.group,
        info.resource,
        _scope(request),
        info.subresource,
        _verb(request),
        info.version,
    )


def _scope(request: Request) -> str:
    # upstream: as above, CleanScope
    if request.info.name or request.info.verb == "create":
        return "resource"
    return "namespace" if request.info.namespace else "cluster"


def _verb(request: Request) -> str:
    # upstream: as above, CleanVerb
    if request.info.subresource in _CONNECTING:
        return "CONNECT"
    if request.info.verb == "patch" and "apply-patch" in request.header("content-type"):
        return "APPLY"
    return _VERBS.get(request.info.verb, "other")


REQUESTS = RequestMetrics()
