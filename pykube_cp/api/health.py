"""Whether the server lives and is ready: ``/healthz``, ``/livez``, ``/readyz``, and each check."""
# upstream: apiserver pkg/server/healthz/healthz.go, pkg/server/healthz.go

import logging
from collections.abc import Iterable

from pykube_cp.api.endpoints import NO_SNIFFING, PLAIN, Endpoint, Route
from pykube_cp.api.request import Outcome, Request, Response
from pykube_cp.api.services import HealthCheck, Services
from pykube_cp.machinery.go_text import quote
from pykube_cp.machinery.metrics import Counter, Gauge

RESULT = Gauge(
    "kubernetes_healthcheck",
    "[STABLE] This metric records the result of a single healthcheck.",
    ("name", "type"),
)
RESULTS = Counter(
    "kubernetes_healthchecks_total",
    "[STABLE] This metric records the results of all healthcheck.",
    ("name", "status", "type"),
)
_log = logging.getLogger(__name__)
_ORDER = (
    "ping",
    "log",
    "etcd",
    "etcd-readiness",
    "informer-sync",
    "poststarthook/start-apiserver-admission-initializer",
    "poststarthook/generic-apiserver-start-informers",
    "poststarthook/start-system-namespaces-controller",
    "poststarthook/start-cluster-authentication-info-controller",
    "poststarthook/storage-readiness",
    "poststarthook/start-legacy-token-tracking-controller",
    "poststarthook/rbac/bootstrap-roles",
    "poststarthook/scheduling/bootstrap-system-priority-classes",
    "poststarthook/priority-and-fairness-config-producer",
    "poststarthook/bootstrap-controller",
    "poststarthook/start-kubernetes-service-cidr-controller",
    "shutdown",
)
"""Upstream's order; a check that is not named comes last."""


async def _holds() -> str:
    return ""


def endpoints(services: Services) -> dict[str, Endpoint]:
    """The three reports, and each of their checks below them."""
    always: dict[str, HealthCheck] = {"ping": _holds, "log": _holds}
    alive = _in_order({**always, **services.health_checks})
    ready = _in_order({**alive, **services.ready_checks})
    found: dict[str, Endpoint] = {}
    for name, checks in (("healthz", alive), ("livez", alive), ("readyz", ready)):
        found[f"/{name}"] = Endpoint(_report(name, checks))
        for check in checks:
            found[f"/{name}/{check}"] = Endpoint(_single(checks[check]))
    return found


def _in_order(checks: dict[str, HealthCheck]) -> dict[str, HealthCheck]:
    def place(name: str) -> int:
        return _ORDER.index(name) if name in _ORDER else len(_ORDER)

    return {name: checks[name] for name in sorted(checks, key=place)}


def _single(check: HealthCheck) -> Route:
    """One check; unlike the reports it says why it fails."""
    # upstream: .../healthz/healthz.go adaptCheckToHandler

    async def handle(request: Request) -> Outcome:
        del request
        reason = await check()
        return _error(f"internal server error: {reason}") if reason else Response(200, b"ok", PLAIN)

    return handle


def _report(name: str, checks: dict[str, HealthCheck]) -> Route:
    async def handle(request: Request) -> Outcome:
        text, failed = await run(name, checks, request.query.all("exclude"))
        if failed:
            _log.info("%s check failed: %s", ",".join(failed), name)
            return _error(f"{text}{name} check failed")
        if "verbose" not in request.query:
            text = "ok"
        else:
            text += f"{name} check passed\n"
        return Response(200, text.encode(), PLAIN, [NO_SNIFFING])

    return handle


async def run(
    report: str, checks: dict[str, HealthCheck], exclude: Iterable[str]
) -> tuple[str, list[str]]:
    """A line for each check, and the names of those that failed."""
    excluded = set(exclude)
    lines: list[str] = []
    failed: list[str] = []
    for name, check in checks.items():
        if name in excluded:
            lines.append(f"[+]{name} excluded: ok\n")
            continue
        reason = await check()
        RESULT.set(name, report, to=0 if reason else 1)
        RESULTS.add(name, "error" if reason else "success", report)
        if reason:
            lines.append(f"[-]{name} failed: reason withheld\n")
            failed.append(name)
        else:
            lines.append(f"[+]{name} ok\n")
    if unknown := sorted(excluded - checks.keys()):
        names = ",".join(quote(name) for name in unknown)
        lines.append(f"warn: some health checks cannot be excluded: no matches for {names}\n")
    return "".join(lines), failed


def _error(text: str) -> Response:
    # upstream: net/http server.go Error
    return Response(500, f"{text}\n".encode(), PLAIN, [NO_SNIFFING])
