"""``/metrics`` and ``/metrics/slis``: what this process measures, under upstream's names."""
# upstream: apiserver pkg/server/routes/metrics.go, component-base metrics

import gzip
import os
import re
import resource
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from pykube_cp.admission import chain
from pykube_cp.api import health, version
from pykube_cp.api.edge import http1
from pykube_cp.api.endpoints import Endpoint
from pykube_cp.api.filters import authentication, authorization, fairness
from pykube_cp.api.request import Outcome, Request, Response
from pykube_cp.api.request_metrics import REQUESTS
from pykube_cp.api.services import Services
from pykube_cp.authn import service_account
from pykube_cp.machinery import clock
from pykube_cp.machinery.metrics import TEXT, Metric, Read, Values, exposition
from pykube_cp.registry import feature_gates
from pykube_cp.storage import object_store

_STARTED = clock.now()
_START_TEXT = "Start time of the process since unix epoch in seconds."
_PAGE = resource.getpagesize()
_LEVEL = 1
"""Others wait while it is squeezed."""
_QUALITY = re.compile(r"q=([01](?:\.\d*)?)")


def endpoints(services: Services) -> dict[str, Endpoint]:
    """All that is measured, and the outcomes of health checks alone."""
    own = families(services)
    slis = [health.RESULT, health.RESULTS, _start_time(f"[ALPHA] {_START_TEXT}")]

    async def everything(request: Request) -> Outcome:
        found = [metric for source in services.metric_sources for metric in source()]
        return _text(request, [*own, *found])

    async def outcomes(request: Request) -> Outcome:
        return _text(request, slis)

    return {"/metrics": Endpoint(everything), "/metrics/slis": Endpoint(outcomes)}


def _text(request: Request, metrics: Iterable[Metric]) -> Response:
    body = exposition(metrics).encode()
    headers = [("Process-Start-Time-Unix", str(int(_STARTED)))]
    if _prefers_gzip(request.header("accept-encoding")):
        body = gzip.compress(body, _LEVEL)
        headers.append(("Content-Encoding", "gzip"))
    return Response(200, body, TEXT, headers)


def _prefers_gzip(accept: str) -> bool:
    """Whether gzip is wanted more than nothing at all."""
    # upstream: github.com/prometheus/client_golang promhttp/http.go negotiateEncodingWriter
    qualities = {"identity": -1.0, "gzip": -1.0}
    for part in accept.split(","):
        name, semicolon, text = map(str.strip, part.partition(";"))
        found = _QUALITY.fullmatch(text if semicolon else "q=1")
        for coding in qualities if name == "*" else qualities.keys() & {name}:
            if found is not None:
                qualities[coding] = max(qualities[coding], float(found[1]))
    return qualities["gzip"] > max(qualities["identity"], 0)


def families(services: Services) -> list[Metric]:
    """What the API server measures, and the process."""
    return [
        *REQUESTS.all(),
        *authentication.METRICS,
        *authorization.METRICS,
        fairness.INFLIGHT,
        http1.HANDSHAKE_ERRORS,
        *chain.METRICS,
        *service_account.METRICS,
        *object_store.METRICS,
        *_objects(services),
        *_storage(services),
        _features(services),
        *_build(),
        *_process(),
    ]


def _objects(services: Services) -> list[Metric]:
    def objects() -> Mapping[Values, float]:
        sizes = services.caches.sizes()
        return {_group_resource(prefix): count for prefix, (count, _) in sizes.items()}

    text = (
        "[ALPHA] Number of stored objects at the time of last check split by kind. In case of a "
        "fetching error, the value will be -1."
    )
    return [Read("gauge", "apiserver_resource_objects", text, objects, ("group", "resource"))]


def _storage(services: Services) -> list[Metric]:
    # upstream: apiserver pkg/storage/etcd3/metrics/metrics.go
    caches = services.caches

    def received() -> Mapping[Values, float]:
        return {_group_resource(prefix): count for prefix, count in caches.received().items()}

    return [
        Read(
            "counter",
            "apiserver_storage_events_received_total",
            "[BETA] Number of etcd events received split by kind.",
            received,
            ("group", "resource"),
        ),
        Read(
            "gauge",
            "apiserver_storage_size_bytes",
            "[STABLE] Size of the storage database file physically allocated in bytes.",
            lambda: {("etcd-0",): caches.storage.size},
            ("storage_cluster_id",),
        ),
    ]


def _features(services: Services) -> Metric:
    """Those that can be switched here."""

    # upstream: component-base metrics/prometheus/feature/metrics.go
    def enabled() -> Mapping[Values, float]:
        switched = services.config.feature_gates
        return {
            (name, stage): switched.get(name, feature_gates.GATES[name])
            for name, stage in feature_gates.STAGES.items()
        }

    text = "[BETA] This metric records the data about the stage and enablement of a k8s feature."
    return Read("gauge", "kubernetes_feature_enabled", text, enabled, ("name", "stage"))


def _group_resource(prefix: str) -> Values:
    group, plural = prefix.strip("/").split("/")[1:3]
    return "" if group == "core" else group, plural


def _build() -> list[Metric]:
    info = version.info()
    labels = {
        "build_date": info["buildDate"],
        "compiler": info["compiler"],
        "git_commit": info["gitCommit"],
        "git_tree_state": info["gitTreeState"],
        "git_version": info["gitVersion"],
        "go_version": info["goVersion"],
        "major": info["major"],
        "minor": info["minor"],
        "platform": info["platform"],
    }
    text = (
        "[BETA] A metric with a constant '1' value labeled by major, minor, git version, git commit, "
        "git tree state, build date, Go version, and compiler from which Kubernetes was built, and "
        "platform on which it is running."
    )
    values = tuple(labels.values())
    return [Read("gauge", "kubernetes_build_info", text, lambda: {values: 1}, tuple(labels))]


def _process() -> list[Metric]:
    # upstream: prometheus client_golang process_collector_procfsenabled.go
    def plain(kind: str, name: str, text: str, read: Callable[[], float]) -> Metric:
        return Read(kind, f"process_{name}", text, lambda: {(): read()})

    return [
        plain(
            "counter", "cpu_seconds_total", "Total user and system CPU time spent in seconds.", _cpu
        ),
        plain("gauge", "max_fds", "Maximum number of open file descriptors.", _max_files),
        plain("gauge", "open_fds", "Number of open file descriptors.", _open_files),
        plain("gauge", "resident_memory_bytes", "Resident memory size in bytes.", _resident),
        _start_time(_START_TEXT),
        plain("gauge", "virtual_memory_bytes", "Virtual memory size in bytes.", _virtual),
        plain(
            "gauge",
            "virtual_memory_max_bytes",
            "Maximum amount of virtual memory available in bytes.",
            _virtual_max,
        ),
    ]


def _start_time(text: str) -> Metric:
    return Read("gauge", "process_start_time_seconds", text, lambda: {(): _STARTED})


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return round(usage.ru_utime + usage.ru_stime, 2)


def _max_files() -> float:
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def _open_files() -> float:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - the count is all that is wanted


def _resident() -> float:
    return _pages(1)


def _virtual() -> float:
    return _pages(0)


def _pages(field: int) -> float:
    return int(Path("/proc/self/statm").read_text().split()[field]) * _PAGE


def _virtual_max() -> float:
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    return float(2**64 if limit == resource.RLIM_INFINITY else limit)
