"""Where a node's kubelet and a pod's or service's port is."""
# upstream: pkg/kubelet/client/kubelet_client.go, pkg/registry/core/pod/strategy.go

import asyncio
import ipaddress
import random
import re
import socket
import ssl
from dataclasses import dataclass

from pykube_cp.api.edge.outbound import Target
from pykube_cp.api.scope import Scope
from pykube_cp.machinery import errors
from pykube_cp.machinery.go_text import quote
from pykube_cp.machinery.gvk import GVR
from pykube_cp.machinery.objects import Object
from pykube_cp.resources.shared.pods import containers

PODS = GVR("", "v1", "pods")
NODES = GVR("", "v1", "nodes")
SERVICES = GVR("", "v1", "services")
SLICES = GVR("discovery.k8s.io", "v1", "endpointslices")
KUBELET_PORT = 10250
_INTEGER = re.compile(r"[+-]?[0-9]+", re.ASCII)
_NOT_ALLOWED = "address not allowed"


async def read(scope: Scope, gvr: GVR, namespace: str, name: str) -> Object:
    """Any object, from the cache."""
    row = scope.services.catalog.resource(gvr)
    assert row is not None
    return (await scope.services.store(row).get(namespace, name)).object()


@dataclass(frozen=True, slots=True)
class Kubelet:
    """Where a node's kubelet is."""

    host: str
    port: int

    def target(self, scope: Scope, path: str, *, verify: bool = True) -> Target:
        return Target(self.host, self.port, path, kubelet_tls(scope, verify=verify))


async def pod(scope: Scope, name: str) -> Object:
    return await read(scope, PODS, scope.namespace, name)


async def kubelet(scope: Scope, node_name: str) -> Kubelet:
    """The kubelet of a node."""
    try:
        node = await read(scope, NODES, "", node_name)
    except errors.StatusError as error:
        if not errors.is_not_found(error):
            raise
        # upstream words it with the resource of the request
        raise errors.not_found(scope.resource.group_resource, node_name) from None
    status = node.get("status") or {}
    endpoint = (status.get("daemonEndpoints") or {}).get("kubeletEndpoint") or {}
    port = endpoint.get("Port") or 0
    return Kubelet(_address(scope, node), port if port > 0 else KUBELET_PORT)


def container(pod: Object, wanted: str) -> str:
    """The one that is asked for, or the only one."""
    # upstream: pkg/registry/core/pod/strategy.go validateContainer
    spec, name = pod["spec"], pod["metadata"]["name"]
    known = [each["name"] for each in containers(spec)]
    if wanted:
        if wanted not in known:
            raise errors.bad_request(f"container {wanted} is not valid for pod {name}")
        return wanted
    regular = spec.get("containers") or []
    if len(regular) == 1:
        return str(regular[0]["name"])
    text = f"a container name must be specified for pod {name}"
    if regular:
        text += f", choose one of: [{' '.join(known)}]"
    raise errors.bad_request(text)


def kubelet_tls(scope: Scope, *, verify: bool = True) -> ssl.SSLContext:
    """How to talk to kubelets: the server's client certificate, the cluster's CA."""
    config, known = scope.services.config, "kubelet_tls" if verify else "any_kubelet_tls"
    context: ssl.SSLContext | None = scope.services.cached.get(known)
    if context is None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if config.kubelet_ca_file and verify:
            context.load_verify_locations(config.kubelet_ca_file)
        else:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if config.kubelet_client_certificate:
            context.load_cert_chain(config.kubelet_client_certificate, config.kubelet_client_key)
        scope.services.cached[known] = context
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
    known = " ".join(f"{{{each['type']} {each['address']}}}" for each in addresses)
    text = f"no preferred addresses found; known addresses: [{known}]"
    raise errors.StatusError(500, "", text)


def split_name(kind: str, text: str) -> tuple[str, str, str]:
    """Scheme, name and port of ``https:name:port`` and its shorter forms; 400 for others."""
    # upstream: apimachinery pkg/util/net/port_split.go SplitSchemeNamePort
    parts = text.split(":")
    scheme, name, port = ["", *parts] if len(parts) == 2 else (*parts, "", "")[:3]
    if len(parts) == 1:
        scheme, name, port = "", text, ""
    if len(parts) > 3 or not name or scheme not in {"", "http", "https"}:
        raise errors.bad_request(f"invalid {kind} request {quote(text)}")
    return scheme, name, port


async def node_target(scope: Scope, path: str) -> Target:
    """A node's kubelet, or what listens at another port of its."""
    # upstream: pkg/registry/core/node/strategy.go ResourceLocation
    scheme, name, port = split_name("node", scope.name)
    found = await kubelet(scope, name)
    await _check_host(found.host)
    if port in {"", str(found.port)}:
        return found.target(scope, path)
    return _target(scope, scheme, found.host, port, path)


async def pod_target(scope: Scope, path: str) -> Target:
    """A port of a pod, the first that is declared when none is named."""
    # upstream: pkg/registry/core/pod/strategy.go ResourceLocation
    scheme, name, port = split_name("pod", scope.name)
    found = await pod(scope, name)
    status = found.get("status") or {}
    address = next((ip["ip"] for ip in status.get("podIPs") or []), "")
    if not _is_allowed(address):
        raise errors.bad_request(_NOT_ALLOWED)
    return _target(scope, scheme, address, port or _first_port(found), path)


def _target(scope: Scope, scheme: str, host: str, port: str, path: str) -> Target:
    tls = insecure_tls(scope) if scheme == "https" else None
    default = 443 if tls is not None else 80
    return Target(host, _number(port) if port else default, path, tls)


def _number(port: str) -> int:
    if port.isascii() and port.isdigit() and int(port) < 1 << 16:
        return int(port)
    text = f"dial tcp: address {port}: invalid port"
    raise errors.service_unavailable(f"error trying to reach service: {text}")


async def _check_host(host: str) -> None:
    """400 for a node that is this machine, or nowhere."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except socket.gaierror:
        raise errors.bad_request(f"lookup {host}: no such host") from None
    if not all(_is_allowed(str(address[0])) for *_, address in found):
        raise errors.bad_request(_NOT_ALLOWED)


def _is_allowed(address: str) -> bool:
    """Whether it is a global unicast address, as Go sees it: private ones are."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    is_odd = ip.is_unspecified or ip.is_loopback or ip.is_multicast or ip.is_link_local
    return not is_odd and str(ip) != "255.255.255.255"


def _first_port(pod: Object) -> str:
    for each in pod["spec"].get("containers") or []:
        if ports := each.get("ports"):
            return str(ports[0]["containerPort"])
    return ""


async def service_target(scope: Scope, path: str) -> Target:
    """A ready endpoint of a service, chosen at random."""
    # upstream: pkg/registry/core/service/storage/storage.go REST.ResourceLocation
    scheme, name, port = split_name("service", scope.name)
    port_name = port
    if _INTEGER.fullmatch(port):
        service = await read(scope, SERVICES, scope.namespace, name)
        port_name = _name_of_port(service, int(port))
    host, number = await _random_endpoint(scope, name, port_name)
    return _target(scope, scheme, host, str(number), path)


def _name_of_port(service: Object, number: int) -> str:
    for port in service["spec"].get("ports") or []:
        if port["port"] == number:
            return str(port.get("name", ""))
    name = service["metadata"]["name"]
    raise errors.service_unavailable(f"no service port {number} found for service {quote(name)}")


async def _random_endpoint(scope: Scope, service: str, port_name: str) -> tuple[str, int]:
    # upstream: apiserver pkg/util/proxy/proxy.go RandomEndpoint
    slices = await _slices(scope, service)
    random.shuffle(slices)
    slices.sort(key=lambda each: each.get("addressType") != "IPv4")
    for piece in slices:
        for port in piece.get("ports") or []:
            if port.get("name") != port_name or port.get("port") is None:
                continue
            endpoints = list(piece.get("endpoints") or [])
            random.shuffle(endpoints)
            for endpoint in endpoints:
                if await _is_a_pod(scope, endpoint):
                    return endpoint["addresses"][0], port["port"]
    text = f"no endpoints available for service {quote(service)}"
    raise errors.service_unavailable(text)


async def _slices(scope: Scope, service: str) -> list[Object]:
    row = scope.services.catalog.resource(SLICES)
    assert row is not None
    cache = await scope.services.store(row).cache()
    return [
        entry.object()
        for entry in cache.entries(scope.namespace)
        if (entry.labels or {}).get("kubernetes.io/service-name") == service
    ]


async def _is_a_pod(scope: Scope, endpoint: Object) -> bool:
    """Whether it is ready, and is a pod that has this address: others are nobody's to reach."""
    # upstream: pkg/registry/core/service/storage/storage.go isValidAddress
    if (endpoint.get("conditions") or {}).get("ready", True) is False:
        return False
    target = endpoint.get("targetRef") or {}
    if target.get("namespace", "") != scope.namespace:
        return False
    try:
        found = await pod(scope, target.get("name", ""))
    except errors.StatusError:
        return False
    addresses = (found.get("status") or {}).get("podIPs") or []
    return endpoint["addresses"][0] in [each.get("ip") for each in addresses]
