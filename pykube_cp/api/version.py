"""``/version``: which release this is."""
# upstream: apimachinery pkg/version/types.go Info, apiserver pkg/server/routes/version.go

import platform
from functools import cache

import orjson

from pykube_cp import KUBERNETES_VERSION
from pykube_cp.api.endpoints import Endpoint
from pykube_cp.api.request import Outcome, Request, Response


def endpoints() -> dict[str, Endpoint]:
    return {"/version": Endpoint(_handle, produces=("application/json",))}


async def _handle(request: Request) -> Outcome:
    del request
    return Response(200, orjson.dumps(info(), option=orjson.OPT_INDENT_2))


@cache
def info() -> dict[str, str]:
    """Upstream's words; what names the build names ours."""
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
