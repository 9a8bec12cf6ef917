"""Whether the server lives and is ready, which version it is, and its metrics."""
# upstream: apiserver pkg/server/healthz/healthz.go

import platform
from collections.abc import Awaitable, Callable

import orjson

from pykube_cp import KUBERNETES_VERSION
from pykube_cp.api import metrics
from pykube_cp.api.request import Outcome, Request, Response
from pykube_cp.api.services import Services

Route = Callable[[Request], Awaitable[Outcome]]
Check = Callable[[], bool]
_PLAIN = "text/plain; charset=utf-8"


def routes(services: Services) -> dict[str, Route]:
    """``/healthz``, ``/livez``, ``/readyz`` with single checks below them, ``/version``, ``/metrics``."""

    async def version(request: Request) -> Outcome:
        del request
        return Response(200, orjson.dumps(_version(), option=orjson.OPT_INDENT_2))

    async def show_metrics(request: Request) -> Outcome:
        del request
        return Response(200, metrics.render(services), "text/plain; version=0.0.4; charset=utf-8")

    def checks(request: Request) -> Outcome:
        found = {"ping": lambda: True, "log": lambda: True}
        if not request.path.startswith("/livez"):
            found.update(services.ready_checks)
        return _report(request, found)

    async def health(request: Request) -> Outcome:
        return checks(request)

    return {
        "/healthz": health,
        "/livez": health,
        "/readyz": health,
        "/version": version,
        "/metrics": show_metrics,
    }


def _version() -> dict[str, str]:
    major, minor = KUBERNETES_VERSION[1:].split(".")[:2]
    return {
        "major": major,
        "minor": minor,
        "emulationMajor": major,
        "emulationMinor": minor,
        "minCompatibilityMajor": major,
        "minCompatibilityMinor": str(int(minor) - 1),
        "gitVersion": KUBERNETES_VERSION,
        "gitCommit": "0000000000000000000000000000000000000000",
        "gitTreeState": "clean",
        "buildDate": "2026-11-01T00:00:00Z",
        "goVersion": f"python{platform.python_version()}",
        "compiler": platform.python_implementation().lower(),
        "platform": "linux/amd64" if platform.machine() == "x86_64" else "linux/arm64",
    }


def _report(request: Request, checks: dict[str, Check]) -> Response:
    root, _, single = request.path.strip("/").partition("/")
    if single:
        check = checks.get(single)
        if check is None:
            return Response(404, b"404 page not found\n", _PLAIN)
        checks = {single: check}
    excluded = set(request.query.all("exclude"))
    lines, failed = [], []
    for name, check in checks.items():
        if name in excluded:
            lines.append(f"[+]{name} excluded: ok")
        elif check():
            lines.append(f"[+]{name} ok")
        else:
            lines.append(f"[-]{name} failed: reason withheld")
            failed.append(name)
    unknown = excluded - checks.keys()
    if unknown:
        names = ", ".join(f'"{name}"' for name in sorted(unknown))
        lines.append(f"warn: some health checks cannot be excluded: no matches for {names}")
    text = "\n".join(lines)
    if failed:
        return Response(500, f"{text}\n{root} check failed\n".encode(), _PLAIN)
    if "verbose" not in request.query:
        return Response(200, b"ok", _PLAIN)
    return Response(200, f"{text}\n{root} check passed\n".encode(), _PLAIN)
