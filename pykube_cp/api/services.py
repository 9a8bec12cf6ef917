"""What the API server is made of, as filters and verbs see it. The composition root fills it in."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from pykube_cp.admission.chain import AdmissionChain
from pykube_cp.api.threads import LargeBodies
from pykube_cp.authn.chain import AuthenticationChain
from pykube_cp.authz.chain import AuthorizationChain
from pykube_cp.client.interface import Client
from pykube_cp.config import ApiServerConfig
from pykube_cp.machinery.codec.catalog import Media
from pykube_cp.machinery.gvk import GVR
from pykube_cp.machinery.metrics import Metric
from pykube_cp.registry.catalog import Catalog
from pykube_cp.registry.resource import Resource
from pykube_cp.registry.store import Store
from pykube_cp.storage.object_store import ObjectStore
from pykube_cp.storage.watch_cache import WatchCache

HealthCheck = Callable[[], Awaitable[str]]
"""Why something is not well, empty when it is."""


@dataclass(slots=True, kw_only=True)
class Services:
    """The parts of one API server.

    Attributes:
        client: the server's own client, as administrator.
        strategy_services: handed to hooks by name (allocators).
        token_signer: makes service-account tokens, see ``authn``.
        health_checks: by name, of ``/healthz``, ``/livez`` and ``/readyz``.
        ready_checks: of ``/readyz`` besides.
        media: how objects are sent and read.
        large_bodies: reads those of all users, in turns.
        metric_sources: what others in this process measure, for ``/metrics``.
    """

    config: ApiServerConfig
    catalog: Catalog
    objects: ObjectStore
    caches: WatchCache
    authentication: AuthenticationChain
    authorization: AuthorizationChain
    admission: AdmissionChain
    client: Client
    strategy_services: dict[str, Any] = field(default_factory=dict)
    token_signer: Any = None
    health_checks: dict[str, HealthCheck] = field(default_factory=dict)
    ready_checks: dict[str, HealthCheck] = field(default_factory=dict)
    metric_sources: list[Callable[[], Iterable[Metric]]] = field(default_factory=list)
    stores: dict[GVR, Store] = field(default_factory=dict)
    cached: dict[str, Any] = field(default_factory=dict)
    media: Media = field(default_factory=Media)
    large_bodies: LargeBodies = field(default_factory=LargeBodies)

    def store(self, resource: Resource) -> Store:
        """The store of a row; rows that are views on another row share its store."""
        gvr = resource.storage_gvr
        found = self.stores.get(gvr)
        if found is None:
            row = self.catalog.storage_row(resource)
            found = self.stores[gvr] = Store(row, self.objects, self.caches)
        return found
