"""Where a node's kubelet and a pod's or service's port is."""
# upstream: pkg/kubelet/client/kubelet_client.go, pkg/registry/core/pod/strategy.go

import random
import ssl

from pykube_cp.api.edge.outbound import Target
from pykube_cp.api.scope import Scope
from pykube_cp.machinery import errors
from pykube_cp.machinery.gvk import GVR
from pykube_cp.machinery.objects import Object

NODES = GVR("", "v1", "nodes")
SERVICES = GVR("", "v1", "services")
SLICES = GVR("discovery.k8s.io", "v1", "endpointslices")
KUBELET_PORT = 10250


async def read(scope: Scope, gvr: GVR, namespace: str, name: str) -> Object:
    """Any object, from the cache."""
    row = scope.services.catalog.resource(gvr)
    assert row is not None
    return (await scope.services.store(row).get(namespace, name)).object()


async def kubelet(scope: Scope, node_name: str, path: str) -> Target:
    """The kubelet of a node."""
    node = await read(scope, NODES, "", node_name)
    status = node.get("status") or {}
    endpoint = (status.get("daemonEndpoints") or {}).get("kubeletEndpoint") or {}
    port = endpoint.get("Port") or KUBELET_PORT
    return Target(_address(scope, node), port, path, kubelet_tls(scope))


def kubelet_tls(scope: Scope) -> ssl.SSLContext:
    """How to talk to kubelets: the server's client certificate, the cluster's CA."""
    config = scope.services.config
    context: ssl.SSLContext | None = scope.services.cached.get("kubelet_tls")
    if context is None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if config.kubelet_ca_file:
            context.load_verify_locations(config.kubelet_ca_file)
        else:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if config.kubelet_client_certificate:
            context.load_cert_chain(config.kubelet_client_certificate, config.kubelet_client_key)
        scope.services.cached["kubelet_tls"] = context
    return context


def insecure_tls(scope: Scope) -> ssl.SSLContext:
    """For pods and services, whose certificates nobody here can judge."""
    context: ssl.SSLContext | None = scope.services.cached.get("insecure_tls")
    if context is None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        scope.services.cached["insecure_tls"] = context
    return context


def _address(scope: Scope, node: Object) -> str:
    addresses = (node.get("status") or {}).get("addresses") or []
    for wanted in scope.services.config.kubelet_preferred_address_types:
        for address in addresses:
            if address["type"] == wanted:
                found: str = address["address"]
                return found
    preferred = ",".join(scope.services.config.kubelet_preferred_address_types)
    raise errors.internal_error(f"no preferred addresses found; known addresses: [] ({preferred})")


def split_scheme_name_port(text: str) -> tuple[str, str, str]:
    """``https:name:port`` and its shorter forms; 400 when it is none of them."""
    # upstream: apimachinery pkg/util/net/port_split.go SplitSchemeNamePort
    parts = text.split(":")
    if len(parts) == 1:
        return "", parts[0], ""
    if len(parts) == 2:
        return "", parts[0], parts[1]
    if len(parts) == 3 and parts[0] in {"", "http", "https"}:
        return parts[0], parts[1], parts[2]
    raise errors.bad_request(f'invalid request "{text}"')


async def pod_target(scope: Scope, path: str) -> Target:
    """A port of a pod, its first container's when none is named."""
    scheme, name, port = split_scheme_name_port(scope.name)
    pod = await read(scope, GVR("", "v1", "pods"), scope.namespace, name)
    status = pod.get("status") or {}
    address = next((ip["ip"] for ip in status.get("podIPs") or []), status.get("podIP", ""))
    if not port:
        port = _first_port(pod)
    number = _pod_port(pod, port)
    if not address:
        raise errors.service_unavailable(f"address not allocated for pod {name}")
    tls = insecure_tls(scope) if scheme == "https" else None
    return Target(address, number, path, tls)


def _first_port(pod: Object) -> str:
    for container in pod["spec"].get("containers") or []:
        for port in container.get("ports") or []:
            return str(port["containerPort"])
    return "80"


def _pod_port(pod: Object, port: str) -> int:
    if port.isdigit():
        return int(port)
    for container in pod["spec"].get("containers") or []:
        for each in container.get("ports") or []:
            if each.get("name") == port:
                return int(each["containerPort"])
    raise errors.bad_request(f'invalid port "{port}"')


async def service_target(scope: Scope, path: str) -> Target:
    """A ready endpoint of a service, chosen at random."""
    # upstream: pkg/registry/core/service/storage/storage.go REST.ResourceLocation
    scheme, name, port = split_scheme_name_port(scope.name)
    service = await read(scope, SERVICES, scope.namespace, name)
    port_name = _service_port(service, port)
    if port_name is None:
        raise errors.service_unavailable(f'no service port "{port}" found for service "{name}"')
    found = await _endpoints(scope, name, port_name)
    if not found:
        raise errors.service_unavailable(f'no endpoints available for service "{scope.name}"')
    address, number = random.choice(found)
    tls = insecure_tls(scope) if scheme == "https" else None
    return Target(address, number, path, tls)


def _service_port(service: Object, wanted: str) -> str | None:
    ports = service["spec"].get("ports") or []
    if not wanted and len(ports) == 1:
        return str(ports[0].get("name", ""))
    for port in ports:
        if wanted in {port.get("name", ""), str(port["port"])}:
            return str(port.get("name", ""))
    return None


async def _endpoints(scope: Scope, service: str, port_name: str) -> list[tuple[str, int]]:
    row = scope.services.catalog.resource(SLICES)
    assert row is not None
    cache = await scope.services.store(row).cache()
    found = []
    for entry in cache.entries(scope.namespace):
        if (entry.labels or {}).get("kubernetes.io/service-name") != service:
            continue
        piece = entry.object()
        ports = [port for port in piece.get("ports") or [] if (port.get("name") or "") == port_name]
        for endpoint in piece.get("endpoints") or []:
            if (endpoint.get("conditions") or {}).get("ready", True) is False:
                continue
            found += [
                (address, port["port"])
                for address in endpoint["addresses"]
                for port in ports
                if port.get("port")
            ]
    return found
