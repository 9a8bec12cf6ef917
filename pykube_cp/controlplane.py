"""The composition root: builds everything and starts it in order. The only file that sees all layers."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pykube_cp import pki
from pykube_cp.admission import catalog as admission_catalog
from pykube_cp.admission.chain import AdmissionChain
from pykube_cp.admission.interface import Services as AdmissionServices
from pykube_cp.api import checks, pipeline
from pykube_cp.api.bootstrap import Bootstrap
from pykube_cp.api.edge.server import EdgeServer
from pykube_cp.api.edge.tls import server_context
from pykube_cp.api.flow_schemas import FlowSchemaConditions
from pykube_cp.api.local import LocalPipeline
from pykube_cp.api.request import Handler, Outcome, Request
from pykube_cp.api.services import Services
from pykube_cp.authn.anonymous import Anonymous
from pykube_cp.authn.bootstrap_token import BootstrapToken
from pykube_cp.authn.chain import AuthenticationChain
from pykube_cp.authn.interface import Authenticator
from pykube_cp.authn.request_header import RequestHeader
from pykube_cp.authn.service_account import ServiceAccount
from pykube_cp.authn.tokens import TokenSigner, TokenVerifier
from pykube_cp.authn.x509 import X509
from pykube_cp.authz.chain import AuthorizationChain
from pykube_cp.authz.node import NodeAuthorizer
from pykube_cp.authz.node_graph import Graph
from pykube_cp.authz.rbac import Rbac
from pykube_cp.client import work_queue
from pykube_cp.client.informer import Informers
from pykube_cp.client.local import LocalClient
from pykube_cp.config import ApiServerConfig, ControllerManagerConfig, SchedulerConfig
from pykube_cp.machinery.codec.catalog import WITH_CBOR, Media
from pykube_cp.machinery.user import API_SERVER, UserInfo
from pykube_cp.registry import feature_gates
from pykube_cp.resources import rules_catalog
from pykube_cp.resources.catalog import builtin
from pykube_cp.storage.compaction import Compactor
from pykube_cp.storage.expiry import Expiry
from pykube_cp.storage.interface import Storage
from pykube_cp.storage.object_store import ObjectStore
from pykube_cp.storage.sqlite import SqliteStorage
from pykube_cp.storage.watch_cache import WatchCache

_log = logging.getLogger(__name__)
MASTERS = ("system:masters", "system:authenticated")


@dataclass(slots=True)
class ApiServer:
    """A running API server, and how to reach it from inside."""

    config: ApiServerConfig
    services: Services
    edge: EdgeServer
    bootstrap: Bootstrap
    local: LocalPipeline
    storage: Storage
    informers: Informers
    tasks: "Tasks"

    def client(self, user: UserInfo, user_agent: str = "pykube-cp") -> LocalClient:
        return LocalClient(self.local, user, user_agent)

    def client_for(self, identity: str) -> LocalClient:
        """A client that acts as a service account of kube-system."""
        namespace = "kube-system"
        groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}")
        user = UserInfo(
            f"system:serviceaccount:{namespace}:{identity}",
            groups=(*groups, "system:authenticated"),
        )
        return LocalClient(self.local, user, f"kube-controller-manager/{identity}")

    async def stop(self) -> None:
        self.tasks.stopping = True
        await self.edge.stop()
        await self.tasks.stop()
        await self.storage.close()


@dataclass(slots=True)
class Tasks:
    """Background tasks with one owner; one that fails is reported and ends the process's run."""

    running: set["asyncio.Task[None]"] = field(default_factory=set)
    failed: "asyncio.Future[None] | None" = None
    stopping: bool = False

    def start(self, coroutine: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.get_running_loop().create_task(coroutine, name=name)
        self.running.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self.running.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:
            _log.error("%s failed", task.get_name(), exc_info=error)
            if self.failed is not None and not self.failed.done():
                self.failed.set_exception(error)

    async def stop(self) -> None:
        for task in list(self.running):
            task.cancel()
        await asyncio.gather(*self.running, return_exceptions=True)


class _Late:
    """A handler that is known only after those who call it have been built."""

    def __init__(self) -> None:
        self.handler: Handler | None = None

    async def __call__(self, request: Request) -> Outcome:
        assert self.handler is not None
        return await self.handler(request)


def make_storage(data_dir: Path) -> Storage:
    """The embedded database."""
    return SqliteStorage(data_dir / "db" / "state.db")


async def start_api_server(
    config: ApiServerConfig, keys: pki.ClusterPki, storage: Storage
) -> ApiServer:
    """Start, from the storage up to the socket; it is ready when this returns."""
    rules_catalog.install()
    tasks = Tasks(failed=asyncio.get_running_loop().create_future())
    await storage.start()
    late = _Late()
    local = LocalPipeline(late)
    client = LocalClient(local, API_SERVER, "kube-apiserver")
    informers = Informers(client)
    services = _services(config, keys, storage, client, informers)
    bootstrap = Bootstrap(client, config, _authorities(keys))
    checks.install(services, storage, informers, bootstrap, lambda: tasks.stopping)
    late.handler = pipeline.build(services, pipeline.LOCAL_FILTERS)
    edge = _edge(config, keys, pipeline.build_wire(services))
    tasks.start(informers.run(), "api server informers")
    await _start_allocators(services)
    await bootstrap.create()
    await informers.wait_synced()
    await edge.start()
    tasks.start(bootstrap.run(), "kubernetes service")
    tasks.start(FlowSchemaConditions(client, informers).run(), "conditions of flow schemas")
    tasks.start(Compactor(storage, config.compaction_seconds).run(), "compaction")
    tasks.start(Expiry(storage).run(), "expiry")
    return ApiServer(
        replace(config, port=edge.port), services, edge, bootstrap, local, storage, informers, tasks
    )


def _services(
    config: ApiServerConfig,
    keys: pki.ClusterPki,
    storage: Storage,
    client: LocalClient,
    informers: Informers,
) -> Services:
    rbac = Rbac(informers)
    catalog = builtin(config.runtime_config)
    graph = Graph(informers, lambda gvr: catalog.resource(gvr) is not None)
    authorization = AuthorizationChain((NodeAuthorizer(graph), rbac))
    admission = AdmissionChain(admission_catalog.build(config.disabled_admission_plugins))
    admission.start(AdmissionServices(client=client, authorizer=authorization))
    issuer = config.service_account_issuer
    signer = TokenSigner(keys.service_account_key, issuer, (issuer,))
    return Services(
        config=config,
        catalog=catalog,
        objects=ObjectStore(storage),
        caches=WatchCache(storage),
        authentication=AuthenticationChain(_authenticators(config, keys, client)),
        authorization=authorization,
        admission=admission,
        client=client,
        strategy_services={"rbac": rbac, "authorizer": authorization, "catalog": catalog},
        token_signer=signer,
        media=WITH_CBOR if config.feature_gates.get(feature_gates.CBOR) else Media(),
    )


def _authenticators(
    config: ApiServerConfig, keys: pki.ClusterPki, client: LocalClient
) -> tuple[Authenticator, ...]:
    issuer = config.service_account_issuer
    verifier = TokenVerifier([keys.service_account_public_key])
    found: list[Authenticator] = [
        RequestHeader(keys.front_proxy_ca.certificate, ("front-proxy-client",)),
        X509(keys.ca.certificate),
        ServiceAccount(verifier, (issuer,), (issuer,), client),
        BootstrapToken(client),
    ]
    if config.anonymous_auth:
        found.append(Anonymous())
    return tuple(found)


def _authorities(keys: pki.ClusterPki) -> dict[str, str]:
    return {
        "client-ca-file": keys.ca.certificate.decode(),
        "requestheader-client-ca-file": keys.front_proxy_ca.certificate.decode(),
    }


def _edge(config: ApiServerConfig, keys: pki.ClusterPki, handler: Any) -> EdgeServer:
    folder = keys.directory
    context = server_context(folder / "apiserver.crt", folder / "apiserver.key", folder / "ca.crt")
    return EdgeServer(handler, config.bind_address, config.port, context)


async def _start_allocators(services: Services) -> None:
    from pykube_cp.resources.shared.service_allocators import load  # noqa: PLC0415 - once

    config = services.config
    services.strategy_services.update(
        await load(services.client, config.service_cidrs, config.node_port_range)
    )


async def start_controllers(server: ApiServer, config: ControllerManagerConfig, host: str) -> None:
    """Run the controllers as local clients."""
    from pykube_cp.controllers.catalog import CONTROLLERS  # noqa: PLC0415 - after the API is up
    from pykube_cp.controllers.manager import ControllerManager  # noqa: PLC0415 - as above

    user = UserInfo("system:kube-controller-manager", groups=("system:authenticated",))
    manager = ControllerManager(
        server.client(user, "kube-controller-manager"),
        server.client_for,
        config,
        CONTROLLERS,
        host=host,
    )
    server.services.metric_sources.append(lambda: work_queue.families(manager.queues()))
    server.tasks.start(manager.run(), "controllers")


async def start_scheduler(server: ApiServer, config: SchedulerConfig, host: str) -> None:
    """Run the scheduler as a local client."""
    from pykube_cp.client.recorder import Recorder  # noqa: PLC0415 - after the API is up
    from pykube_cp.scheduler.scheduler import Scheduler  # noqa: PLC0415 - as above

    user = UserInfo("system:kube-scheduler", groups=("system:authenticated",))
    client = server.client(user, "kube-scheduler")
    informers = Informers(client)
    recorder = Recorder(client, "default-scheduler", host)
    scheduler = Scheduler(client, informers, recorder, config)
    server.tasks.start(recorder.run(), "scheduler events")
    server.tasks.start(informers.run(), "scheduler informers")
    server.tasks.start(scheduler.run(), "scheduler")


async def run_until(stopped: asyncio.Event, server: ApiServer, on_stop: Callable[[], None]) -> None:
    """Wait for the signal to stop, or for a part to fail."""
    waiting: asyncio.Future[Any] = asyncio.ensure_future(stopped.wait())
    failed: asyncio.Future[Any] | None = server.tasks.failed
    assert failed is not None
    try:
        await asyncio.wait({waiting, failed}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
        on_stop()
        with contextlib.suppress(Exception):
            await server.stop()
    if failed.done():
        failed.result()
