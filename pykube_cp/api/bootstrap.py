"""What a cluster has from its first start on: namespaces, roles, classes, its own service.

All of it is created through the API as its administrator, and only where it is missing; roles that
lack a rule of upstream's get it back, as long as nobody has switched that off by annotation.
"""
# upstream: pkg/registry/rbac/rest/storage_rbac.go PostStartHook, pkg/controlplane

import asyncio
import ipaddress
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from pykube_cp.authz import bootstrap as policy
from pykube_cp.client.interface import Client
from pykube_cp.config import ApiServerConfig
from pykube_cp.machinery import clock, errors
from pykube_cp.machinery.gvk import GVK, GVR
from pykube_cp.machinery.objects import Object, deep_copy

NAMESPACES = GVR("", "v1", "namespaces")
SERVICES = GVR("", "v1", "services")
ENDPOINTS = GVR("", "v1", "endpoints")
SLICES = GVR("discovery.k8s.io", "v1", "endpointslices")
SERVICE_CIDRS = GVR("networking.k8s.io", "v1", "servicecidrs")
CONFIG_MAPS = GVR("", "v1", "configmaps")
REASSERT_SECONDS = 10.0
_AUTOUPDATE = "rbac.authorization.kubernetes.io/autoupdate"
_PLURALS = {
    "ClusterRole": "clusterroles",
    "ClusterRoleBinding": "clusterrolebindings",
    "Role": "roles",
    "RoleBinding": "rolebindings",
    "PriorityClass": "priorityclasses",
    "PriorityLevelConfiguration": "prioritylevelconfigurations",
    "FlowSchema": "flowschemas",
}
HOOKS = (
    "start-system-namespaces-controller",
    "rbac/bootstrap-roles",
    "scheduling/bootstrap-system-priority-classes",
    "priority-and-fairness-config-producer",
    "start-kubernetes-service-cidr-controller",
    "start-cluster-authentication-info-controller",
    "start-legacy-token-tracking-controller",
    "bootstrap-controller",
)
"""Upstream's names of what happens here."""
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Bootstrap:
    """Creates what is missing, then keeps the API server's own service in shape.

    Attributes:
        done: what has been there once, by the names that upstream gives to those who see to it.
        authorities: PEMs that aggregated servers need: client CA, front proxy CA.
    """

    client: Client
    config: ApiServerConfig
    authorities: dict[str, str] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)

    async def create(self) -> None:
        """Create all that is missing."""
        steps: tuple[tuple[Callable[[], Awaitable[None]], str], ...] = (
            (self._namespaces, "start-system-namespaces-controller"),
            (self._policy, "rbac/bootstrap-roles"),
            (self._service_cidrs, "start-kubernetes-service-cidr-controller"),
            (self._authentication, "start-cluster-authentication-info-controller"),
            (self._legacy_tokens, "start-legacy-token-tracking-controller"),
            (self.assert_service, "bootstrap-controller"),
        )
        for step, hook in steps:
            await step()
            self.done.add(hook)

    async def run(self) -> None:
        """Assert the service again and again: someone may have deleted it."""
        while True:
            await asyncio.sleep(REASSERT_SECONDS)
            try:
                await self.assert_service()
            except errors.StatusError:
                _log.exception("the kubernetes service could not be kept up")

    async def _namespaces(self) -> None:
        for name in ("kube-system", "kube-public", "kube-node-lease", "default"):
            await self._ensure(NAMESPACES, {"metadata": {"name": name}, "kind": "Namespace"})

    async def _policy(self) -> None:
        existing: dict[GVR, dict[tuple[str, str], Object]] = {}
        for obj in policy.objects():
            gvk = GVK.of(obj)
            gvr = GVR(gvk.group, gvk.version, _PLURALS[gvk.kind])
            if gvr not in existing:
                found = await self.client.list(gvr)
                existing[gvr] = {_key(each): each for each in found.items}
            present = existing[gvr].get(_key(obj))
            if present is None:
                await self._ensure(gvr, obj)
            elif gvk.kind.endswith("Role"):
                await self._reconcile_role(gvr, present, obj)
        self.done |= {
            "scheduling/bootstrap-system-priority-classes",
            "priority-and-fairness-config-producer",
        }

    async def _reconcile_role(self, gvr: GVR, present: Object, wanted: Object) -> None:
        annotations = present["metadata"].get("annotations") or {}
        if annotations.get(_AUTOUPDATE) == "false" or "aggregationRule" in wanted:
            return
        rules = present.get("rules") or []
        missing = [rule for rule in wanted.get("rules") or [] if rule not in rules]
        if missing:
            fixed: Object = deep_copy(present)
            fixed["rules"] = [*rules, *missing]
            await self.client.update(gvr, fixed)

    async def _service_cidrs(self) -> None:
        cidr = {
            "kind": "ServiceCIDR",
            "apiVersion": "networking.k8s.io/v1",
            "metadata": {"name": "kubernetes"},
            "spec": {"cidrs": list(self.config.service_cidrs)},
        }
        await self._ensure(SERVICE_CIDRS, cidr)

    async def _authentication(self) -> None:
        data = dict(self.authorities)
        if "requestheader-client-ca-file" in data:
            data["requestheader-allowed-names"] = '["front-proxy-client"]'
            data["requestheader-username-headers"] = '["X-Remote-User"]'
            data["requestheader-uid-headers"] = '["X-Remote-Uid"]'
            data["requestheader-group-headers"] = '["X-Remote-Group"]'
            data["requestheader-extra-headers-prefix"] = '["X-Remote-Extra-"]'
        name = "extension-apiserver-authentication"
        meta = {"name": name, "namespace": "kube-system"}
        await self._ensure(CONFIG_MAPS, {"kind": "ConfigMap", "metadata": meta, "data": data})

    async def _legacy_tokens(self) -> None:
        """Since when the use of tokens kept in Secrets is being watched."""
        # upstream: pkg/controlplane/controller/legacytokentracking/controller.go
        name = "kube-apiserver-legacy-service-account-token-tracking"
        meta = {"name": name, "namespace": "kube-system"}
        since = {"since": clock.timestamp().partition("T")[0]}
        await self._ensure(CONFIG_MAPS, {"kind": "ConfigMap", "metadata": meta, "data": since})

    async def assert_service(self) -> None:
        """The service ``kubernetes``, its endpoints and its slice, as they should be."""
        # upstream: pkg/controlplane/controller/kubernetesservice/controller.go
        await self._ensure(SERVICES, self._service())
        if not self._is_reachable():
            return
        labels = {"endpointslice.kubernetes.io/skip-mirror": "true"}
        meta: Object = {"name": "kubernetes", "namespace": "default", "labels": labels}
        address = self.config.advertise_address
        ports = [{"name": "https", "port": self.config.port, "protocol": "TCP"}]
        endpoints = {
            "kind": "Endpoints",
            "apiVersion": "v1",
            "metadata": meta,
            "subsets": [{"addresses": [{"ip": address}], "ports": ports}],
        }
        await self._assert(ENDPOINTS, endpoints, ("subsets",))
        piece = {
            "kind": "EndpointSlice",
            "apiVersion": "discovery.k8s.io/v1",
            "metadata": {**meta, "labels": {"kubernetes.io/service-name": "kubernetes"}},
            "addressType": "IPv6" if ":" in address else "IPv4",
            "endpoints": [{"addresses": [address], "conditions": {"ready": True}}],
            "ports": ports,
        }
        await self._assert(SLICES, piece, ("endpoints", "ports"))

    def _is_reachable(self) -> bool:
        """Whether others could come to the advertised address; loopback is no endpoint."""
        address = ipaddress.ip_address(self.config.advertise_address)
        return bool(self.config.port) and not address.is_loopback

    def _service(self) -> Object:
        network = ipaddress.ip_network(self.config.service_cidrs[0])
        return {
            "kind": "Service",
            "apiVersion": "v1",
            "metadata": {
                "name": "kubernetes",
                "namespace": "default",
                "labels": {"provider": "kubernetes", "component": "apiserver"},
            },
            "spec": {
                "type": "ClusterIP",
                "clusterIP": str(network[1]),
                "ports": [
                    {
                        "name": "https",
                        "port": 443,
                        "protocol": "TCP",
                        "targetPort": self.config.port,
                    }
                ],
                "sessionAffinity": "None",
            },
        }

    async def _assert(self, gvr: GVR, wanted: Object, fields: tuple[str, ...]) -> None:
        meta = wanted["metadata"]
        try:
            present = await self.client.get(gvr, meta["name"], meta["namespace"])
        except errors.StatusError as error:
            if not errors.is_not_found(error):
                raise
            await self._ensure(gvr, wanted)
            return
        if any(present.get(name) != wanted[name] for name in fields):
            fixed: Object = deep_copy(present)
            fixed.update({name: wanted[name] for name in fields})
            await self.client.update(gvr, fixed)

    async def _ensure(self, gvr: GVR, obj: Object) -> None:
        """Look first: an attempt to create a service twice would ask for its address again."""
        obj.setdefault("apiVersion", gvr.api_version)
        meta = obj["metadata"]
        try:
            await self.client.get(gvr, meta["name"], meta.get("namespace", ""))
        except errors.StatusError as error:
            if not errors.is_not_found(error):
                raise
        else:
            return
        try:
            await self.client.create(gvr, obj, meta.get("namespace", ""))
        except errors.StatusError as error:
            if not errors.is_already_exists(error):
                raise


def _key(obj: Object) -> tuple[str, str]:
    meta = obj["metadata"]
    return meta.get("namespace", ""), meta["name"]
