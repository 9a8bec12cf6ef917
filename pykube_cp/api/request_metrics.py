"""Requests by what they were and how they ended, how long they took and how much they answered."""
# upstream: apiserver pkg/endpoints/metrics/metrics.go MonitorRequest

import re
from collections.abc import Awaitable, Callable, Iterator

from pykube_cp.api.request import Push, Request, RequestInfo, Response, Sink, Stream, Wire
from pykube_cp.machinery import clock
from pykube_cp.machinery.gvk import GVR
from pykube_cp.machinery.metrics import (
    REQUEST_SECONDS,
    Counter,
    Gauge,
    Histogram,
    Metric,
    Read,
    Series,
)

_WHAT = ("component", "group", "resource", "scope", "subresource", "verb", "version")
_OWN_SECONDS = REQUEST_SECONDS[2:]
_REMOVED = re.compile(r"unavailable in v([0-9.]+)\+")
_UNKNOWN = ("apiserver", "", "", "", "", "other", "")
"""Of what nobody serves."""
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

        self.own_seconds = _OwnSeconds(self.seconds)
        self.bodies = Histogram(
            "apiserver_request_body_size_bytes",
            "[ALPHA] Apiserver request body size in bytes broken out by resource and verb.",
            range(50_000, 3_050_001, 100_000),
            ("group", "resource", "verb"),
        )
        self.ended = Counter(
            "apiserver_request_terminations_total",
            "[ALPHA] Number of requests which apiserver terminated in self-defense.",
            ("code", *_WHAT),
        )
        self.deprecated = Gauge(
            "apiserver_requested_deprecated_apis",
            "[STABLE] Gauge of deprecated APIs that have been requested, broken out by API group, "
            "version, resource, subresource, and removed_release.",
            ("group", "removed_release", "resource", "subresource", "version"),
        )
        self._add_watches()

    def _add_watches(self) -> None:
        self.event_sizes = Histogram(
            "apiserver_watch_events_sizes",
            "[BETA] Watch event size distribution in bytes",
            [1024 << power for power in range(8)],
            ("group", "resource", "version"),
        )
        self.events = Read(
            "counter",
            "apiserver_watch_events_total",
            "[BETA] Number of events sent in watch clients",
            self.event_sizes.counted,
            self.event_sizes.labels,
        )
        self.initial_events = Histogram(
            "apiserver_watch_list_duration_seconds",
            "[BETA] Response latency distribution in seconds for watch list requests broken by group, "
            "version, resource and scope.",
            (*_OWN_SECONDS, 90, 120, 180, 300),
            ("group", "resource", "scope", "version"),
        )

    def all(self) -> list[Metric]:
        return [
            *(self.total, self.seconds, self.own_seconds, self.sizes, self.bodies),
            *(self.lasting, self.ended, self.deprecated),
            *(self.events, self.event_sizes, self.initial_events),
        ]

    def note_body(self, info: RequestInfo, size: int) -> None:
        """Note the size of a body that has been read."""
        # upstream: apiserver pkg/endpoints/handlers/metrics/metrics.go
        verb = "delete_collection" if info.verb == "deletecollection" else info.verb
        self.bodies.observe(size, info.group, info.resource, verb)

    def note_deprecated(self, info: RequestInfo, warning: str) -> None:
        """Note that someone asks for what will go; ``warning`` says in which release."""
        removed = _REMOVED.search(warning)
        release = removed[1] if removed else ""
        self.deprecated.set(
            info.group, release, info.resource, info.subresource, info.version, to=1
        )

    def note_dropped(self, request: Request, *, is_known: bool) -> None:
        """Note a request that found no room; ``is_known``: somebody serves what it asks for."""
        # upstream: as at the top, RecordDroppedRequest
        component, *rest = _what(request) if is_known else _UNKNOWN
        self.total.add("429", component, _dry_run(request), *rest)
        self.ended.add("429", component, *rest)

    def note_late(self, request: Request) -> None:
        """Note a request that had not come to its end in time."""
        # upstream: as at the top, RecordRequestTermination
        self.ended.add("504", *(_what(request) if request.is_served else _UNKNOWN))

    def of_events(self, gvr: GVR) -> Series:
        """Where the sizes of watch events of a resource go; their number follows."""
        return self.event_sizes.of(gvr.group, gvr.resource, gvr.version)

    def note_initial_events(self, request: Request) -> None:
        """Note that a watch has sent all that was there."""
        info, seconds = request.info, clock.monotonic() - request.received_at
        scope = _scope(request)
        self.initial_events.observe(seconds, info.group, info.resource, scope, info.version)

    def observe(self, request: Request, wire: Wire, seconds: float) -> None:
        """Note an answer. What nobody serves is not noted: its names are the client's to choose."""
        if not request.is_served:
            return
        what = _what(request)
        component, *rest = what
        dry_run = _dry_run(request)
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


class _OwnSeconds(Histogram):
    """Durations of requests once more, for others to judge by.

    Nothing waits for webhooks or in queues here, so they are ``seconds`` without dry runs, and are made
    of them when someone looks.
    """

    def __init__(self, seconds: Histogram) -> None:
        super().__init__(
            "apiserver_request_sli_duration_seconds",
            "[ALPHA] Response latency distribution (not counting webhook duration and "
            "priority & fairness queue wait times) in seconds for each verb, group, version, resource, "
            "subresource, scope and component.",
            _OWN_SECONDS,
            _WHAT,
        )
        self._seconds = seconds

    def lines(self) -> Iterator[str]:
        finer = len(self._seconds.bounds) - len(self.bounds)
        for (component, dry_run, *rest), series in self._seconds.series.items():
            if not dry_run:
                made = self.of(component, *rest)
                first, more = series.counts[: finer + 1], series.counts[finer + 1 :]
                made.counts, made.sum = [sum(first), *more], series.sum
        return super().lines()


def _dry_run(request: Request) -> str:
    """``All`` is all that it can be; what else is there is the client's to choose."""
    # upstream: as at the top, cleanDryRun
    asked = request.query.all("dryRun")
    if not asked:
        return ""
    return "All" if all(value == "All" for value in asked) else "invalid"


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
