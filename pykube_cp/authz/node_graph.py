"""Which objects lead to which node: its pods, what they refer to, the volumes of their claims, its own.

Kept while objects come and go, so that a question costs a few look-ups however many pods there are.
"""
# upstream: plugin/pkg/auth/authorizer/node/graph.go Graph, graph_populator.go

from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

from pykube_cp.authz import references
from pykube_cp.client.informer import Informers
from pykube_cp.machinery.gvk import GVR
from pykube_cp.machinery.objects import Object, name, namespace

PODS = GVR("", "v1", "pods")
VOLUMES = GVR("", "v1", "persistentvolumes")
ATTACHMENTS = GVR("storage.k8s.io", "v1", "volumeattachments")
SLICES = GVR("resource.k8s.io", "v1", "resourceslices")
CERTIFICATE_REQUESTS = GVR("certificates.k8s.io", "v1", "podcertificaterequests")
_MIRROR = "kubernetes.io/config.mirror"


class Vertex(NamedTuple):
    """An object: its resource, where it is, and what it is called."""

    resource: str
    namespace: str
    name: str


class Edges(NamedTuple):
    """What an object adds: vertices that lead to ``node``, and vertices that lead to others."""

    node: str = ""
    vertices: tuple[Vertex, ...] = ()
    paths: tuple[tuple[Vertex, Vertex], ...] = ()


class Graph:
    """Edges from objects to nodes, out of informers. ``serves``: whether a resource is there at all."""

    def __init__(self, informers: Informers, serves: Callable[[GVR], bool]) -> None:
        self._edges: dict[Vertex, Edges] = {}
        self._nodes: dict[Vertex, Counter[str]] = {}
        self._targets: dict[Vertex, set[Vertex]] = {}
        for gvr, edges_of in _EDGES.items():
            if serves(gvr):
                self._follow(informers, gvr, edges_of)

    def leads_to(self, node: str, vertex: Vertex) -> bool:
        """Whether a path goes from the object to the node."""
        if node in self._nodes.get(vertex, ()):
            return True
        return any(self.leads_to(node, target) for target in self._targets.get(vertex, ()))

    def _follow(
        self, informers: Informers, gvr: GVR, edges_of: Callable[[Vertex, Object], Edges]
    ) -> None:
        def put(obj: Object) -> None:
            vertex = Vertex(gvr.resource, namespace(obj), name(obj))
            edges = edges_of(vertex, obj)
            if self._edges.get(vertex) != edges:
                self._drop(vertex)
                self._put(vertex, edges)

        def drop(obj: Object) -> None:
            self._drop(Vertex(gvr.resource, namespace(obj), name(obj)))

        informers.of(gvr).on(add=put, update=lambda _, new: put(new), delete=drop)

    def _put(self, vertex: Vertex, edges: Edges) -> None:
        self._edges[vertex] = edges
        for each in edges.vertices:
            self._nodes.setdefault(each, Counter())[edges.node] += 1
        for source, target in edges.paths:
            self._targets.setdefault(source, set()).add(target)

    def _drop(self, vertex: Vertex) -> None:
        edges = self._edges.pop(vertex, Edges())
        for each in edges.vertices:
            counts = self._nodes[each]
            counts[edges.node] -= 1
            if not counts[edges.node]:
                del counts[edges.node]
            if not counts:
                del self._nodes[each]
        for source, target in edges.paths:
            targets = self._targets[source]
            targets.discard(target)
            if not targets:
                del self._targets[source]


def _of_pod(vertex: Vertex, pod: Object) -> Edges:
    node = pod["spec"].get("nodeName") or ""
    if not node:
        return Edges()
    # A node makes its mirror pods itself, so they must never give it access to anything.
    if _MIRROR in (pod["metadata"].get("annotations") or {}):
        return Edges(node, (vertex,))
    return Edges(node, (vertex, *dict.fromkeys(_used_by(pod))))


def _used_by(pod: Object) -> Iterator[Vertex]:
    for resource, names in (
        ("serviceaccounts", [pod["spec"].get("serviceAccountName")]),
        ("secrets", references.secrets(pod)),
        ("configmaps", references.config_maps(pod)),
        ("persistentvolumeclaims", references.volume_claims(pod)),
        ("resourceclaims", references.resource_claims(pod)),
    ):
        for each in names:
            if each:
                yield Vertex(resource, namespace(pod), each)


def _of_volume(vertex: Vertex, volume: Object) -> Edges:
    claim = volume["spec"].get("claimRef")
    if not claim:
        return Edges()
    target = Vertex("persistentvolumeclaims", claim.get("namespace", ""), claim.get("name", ""))
    secrets = (Vertex("secrets", *each) for each in references.volume_secrets(volume))
    return Edges(paths=((vertex, target), *((secret, vertex) for secret in secrets)))


def _of_own(vertex: Vertex, obj: Object) -> Edges:
    node = obj["spec"].get("nodeName") or ""
    return Edges(node, (vertex,)) if node else Edges()


_EDGES: dict[GVR, Callable[[Vertex, Object], Edges]] = {
    PODS: _of_pod,
    VOLUMES: _of_volume,
    ATTACHMENTS: _of_own,
    SLICES: _of_own,
    CERTIFICATE_REQUESTS: _of_own,
}
