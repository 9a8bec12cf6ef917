"""What the API server looks at to say how it is, under upstream's names where we have the thing."""
# upstream: apiserver pkg/server/healthz/healthz.go, pkg/server/hooks.go, pkg/registry/generic

import asyncio
from collections.abc import Callable

from pykube_cp.api.bootstrap import HOOKS, Bootstrap
from pykube_cp.api.services import HealthCheck, Services
from pykube_cp.client.informer import Informers
from pykube_cp.storage.interface import Closed, Storage, StorageFailure

STORAGE_SECONDS = 2.0
_HOOK = "poststarthook/"


def install(
    services: Services,
    storage: Storage,
    informers: Informers,
    bootstrap: Bootstrap,
    is_stopping: Callable[[], bool],
) -> None:
    """Hand the checks to ``health``."""
    reachable = _storage(storage)
    services.health_checks |= {
        "etcd": reachable,
        **{_HOOK + name: _hook(bootstrap, name) for name in HOOKS},
        _HOOK + "start-apiserver-admission-initializer": _nothing,
        _HOOK + "generic-apiserver-start-informers": _nothing,
        _HOOK + "storage-readiness": reachable,
    }
    services.ready_checks |= {
        "etcd-readiness": reachable,
        "informer-sync": _informers(informers),
        "shutdown": _shutdown(is_stopping),
    }


async def _nothing() -> str:
    """Of what has happened before anybody can ask."""
    return ""


def _hook(bootstrap: Bootstrap, name: str) -> HealthCheck:
    # upstream: apiserver pkg/server/hooks.go postStartHookHealthz.Check

    async def check() -> str:
        return "" if name in bootstrap.done else "not finished"

    return check


def _storage(storage: Storage) -> HealthCheck:
    # upstream: apiserver pkg/storage/storagebackend/factory/etcd3.go newETCD3Check

    async def check() -> str:
        try:
            async with asyncio.timeout(STORAGE_SECONDS):
                await storage.get("/registry/health")
        except TimeoutError:
            return "context deadline exceeded"
        except (StorageFailure, Closed) as error:
            return str(error) or "storage is closed"
        return ""

    return check


def _informers(informers: Informers) -> HealthCheck:
    async def check() -> str:
        waiting = [gvr.resource for gvr in informers.unsynced()]
        return f"{len(waiting)} informers not started yet: [{' '.join(waiting)}]" if waiting else ""

    return check


def _shutdown(is_stopping: Callable[[], bool]) -> HealthCheck:
    async def check() -> str:
        return "process is shutting down" if is_stopping() else ""

    return check
