"""Counters of the API server, in Prometheus' text form under upstream's names."""
# upstream: apiserver pkg/endpoints/metrics/metrics.go

import resource
from bisect import bisect_left
from collections import defaultdict

from pykube_cp.api.endpoints import Endpoint
from pykube_cp.api.request import Outcome, Request, Response
from pykube_cp.api.services import Services
from pykube_cp.machinery import clock

_BUCKETS = (
    0.005,
    0.025,
    0.05,
    0.1,
    0.2,
    0.4,
    0.6,
    0.8,
    1.0,
    1.25,
    1.5,
    2,
    3,
    4,
    5,
    6,
    8,
    10,
    15,
    20,
    30,
    45,
    60,
)
Labels = tuple[tuple[str, str], ...]


class RequestMetrics:
    """Requests by what they were and how they ended, and how long they took."""

    def __init__(self) -> None:
        self.total: dict[tuple[str, ...], int] = defaultdict(int)
        self.durations: dict[tuple[str, ...], list[float]] = {}

    def observe(self, what: tuple[str, str, str, str, str, str], code: int, seconds: float) -> None:
        """``what`` is verb, group, version, resource, subresource, scope."""
        self.total[(*what, str(code))] += 1
        found = self.durations.get(what)
        if found is None:
            found = self.durations[what] = [0.0] * (len(_BUCKETS) + 2)
        found[bisect_left(_BUCKETS, seconds)] += 1
        found[-1] += seconds


REQUESTS = RequestMetrics()
_STARTED = clock.now()
_NAMES = ("verb", "group", "version", "resource", "subresource", "scope")


def endpoints(services: Services) -> dict[str, Endpoint]:
    async def handle(request: Request) -> Outcome:
        del request
        return Response(200, render(services), "text/plain; version=0.0.4; charset=utf-8")

    return {"/metrics": Endpoint(handle)}


def render(services: Services) -> bytes:
    """All metrics of this process."""
    lines = [*_requests(), *_durations(), *_objects(services), *_process()]
    return ("\n".join(lines) + "\n").encode()


def _labels(names: tuple[str, ...], values: tuple[str, ...]) -> str:
    return ",".join(f'{name}="{value}"' for name, value in zip(names, values, strict=True))


def _requests() -> list[str]:
    lines = [
        "# HELP apiserver_request_total [STABLE] Counter of apiserver requests.",
        "# TYPE apiserver_request_total counter",
    ]
    names = (*_NAMES, "code")
    for values, count in REQUESTS.total.items():
        lines.append(f"apiserver_request_total{{{_labels(names, values)}}} {count}")
    return lines


def _durations() -> list[str]:
    name = "apiserver_request_duration_seconds"
    lines = [
        f"# HELP {name} [STABLE] Response latency distribution in seconds.",
        f"# TYPE {name} histogram",
    ]
    for values, counts in REQUESTS.durations.items():
        labels, running = _labels(_NAMES, values), 0.0
        for bound, count in zip((*map(str, _BUCKETS), "+Inf"), counts[:-1], strict=True):
            running += count
            lines.append(f'{name}_bucket{{{labels},le="{bound}"}} {int(running)}')
        lines.append(f"{name}_sum{{{labels}}} {counts[-1]:.6f}")
        lines.append(f"{name}_count{{{labels}}} {int(running)}")
    return lines


def _objects(services: Services) -> list[str]:
    lines = [
        "# HELP apiserver_resource_objects Number of stored objects by kind.",
        "# TYPE apiserver_resource_objects gauge",
    ]
    watchers = [
        "# HELP apiserver_longrunning_requests Gauge of active watches by resource.",
        "# TYPE apiserver_longrunning_requests gauge",
    ]
    for prefix, (objects, watching) in services.caches.sizes().items():
        group, plural = prefix.strip("/").split("/")[1:3]
        labels = _labels(("group", "resource"), ("" if group == "core" else group, plural))
        lines.append(f"apiserver_resource_objects{{{labels}}} {objects}")
        watchers.append(f'apiserver_longrunning_requests{{{labels},verb="WATCH"}} {watching}')
    return [*lines, *watchers]


def _process() -> list[str]:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    seconds = usage.ru_utime + usage.ru_stime
    return [
        "# TYPE process_cpu_seconds_total counter",
        f"process_cpu_seconds_total {seconds:.2f}",
        "# TYPE process_max_resident_memory_bytes gauge",
        f"process_max_resident_memory_bytes {usage.ru_maxrss * 1024}",
        "# TYPE process_start_time_seconds gauge",
        f"process_start_time_seconds {_STARTED:.2f}",
    ]
