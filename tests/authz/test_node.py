"""What a node may do: only what leads to it, and the words of the refusals."""

from collections.abc import Callable
from typing import Any, cast

import pytest

from pykube_cp.authz import node_graph, references
from pykube_cp.authz.interface import Attributes, Decision
from pykube_cp.authz.node import NodeAuthorizer
from pykube_cp.authz.node_graph import Graph, Vertex
from pykube_cp.client.informer import Informers
from pykube_cp.machinery.gvk import GVR
from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.user import UserInfo

NODE = UserInfo("system:node:one", groups=("system:nodes", "system:authenticated"))


class Source:
    """Informers whose events the test sends."""

    def __init__(self) -> None:
        self.handlers: dict[GVR, dict[str, Callable[..., None]]] = {}

    def of(self, gvr: GVR) -> "Source":
        self._gvr = gvr
        return self

    def on(self, **handlers: Callable[..., None]) -> None:
        self.handlers[self._gvr] = handlers

    def add(self, gvr: GVR, obj: Object) -> Object:
        self.handlers[gvr]["add"](obj)
        return obj

    def delete(self, gvr: GVR, obj: Object) -> None:
        self.handlers[gvr]["delete"](obj)


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def graph(source: Source) -> Graph:
    return Graph(cast("Informers", source), lambda _: True)


def obj(name: str, namespace: str = "", **more: Any) -> Object:
    return {"metadata": {"name": name, **({"namespace": namespace} if namespace else {})}, **more}


def pod(name: str, node: str, **spec: Any) -> Object:
    return obj(name, "ns", spec={"nodeName": node, "containers": [{"name": "c"}], **spec})


def secret_volume(name: str) -> Object:
    return {"name": "v", "secret": {"secretName": name}}


async def asked(
    graph: Graph, verb: str, resource: str, name: str = "", **more: str
) -> tuple[bool, str]:
    group, _, plural = resource.rpartition("/")
    attributes = Attributes(
        **{"user": NODE, "verb": verb, "group": group, "resource": plural, "name": name, **more}  # type: ignore[arg-type] - texts but for the user
    )
    decision, reason = await NodeAuthorizer(graph).authorize(attributes)
    assert decision is not Decision.DENY
    return decision is Decision.ALLOW, reason


UNRELATED = "no relationship found between node 'one' and this object"


async def test_secrets_of_own_pods_only(source: Source, graph: Graph) -> None:
    mine = source.add(node_graph.PODS, pod("a", "one", volumes=[secret_volume("s")]))
    source.add(node_graph.PODS, pod("b", "two", volumes=[secret_volume("t")]))
    for name, allowed in (("s", True), ("t", False), ("u", False)):
        found = await asked(graph, "get", "secrets", name, namespace="ns")
        assert found == (allowed, "" if allowed else UNRELATED)
    assert await asked(graph, "get", "secrets", "s", namespace="other") == (False, UNRELATED)
    source.delete(node_graph.PODS, mine)
    assert await asked(graph, "get", "secrets", "s", namespace="ns") == (False, UNRELATED)


async def test_a_secret_stays_while_one_pod_is_left(source: Source, graph: Graph) -> None:
    first = source.add(node_graph.PODS, pod("a", "one", volumes=[secret_volume("s")]))
    source.add(node_graph.PODS, pod("b", "one", volumes=[secret_volume("s")]))
    source.delete(node_graph.PODS, first)
    assert graph.leads_to("one", Vertex("secrets", "ns", "s"))


async def test_mirror_pods_give_nothing(source: Source, graph: Graph) -> None:
    mirror = pod("a", "one", serviceAccountName="x", volumes=[secret_volume("s")])
    mirror["metadata"]["annotations"] = {"kubernetes.io/config.mirror": "m"}
    source.add(node_graph.PODS, mirror)
    assert graph.leads_to("one", Vertex("pods", "ns", "a"))
    assert not graph.leads_to("one", Vertex("secrets", "ns", "s"))
    assert not graph.leads_to("one", Vertex("serviceaccounts", "ns", "x"))


async def test_a_volume_leads_where_its_claim_leads(source: Source, graph: Graph) -> None:
    csi = {
        "nodePublishSecretRef": {"namespace": "ns", "name": "publish"},
        "controllerPublishSecretRef": {"namespace": "ns", "name": "control"},
    }
    claim_ref = {"namespace": "ns", "name": "claim"}
    volume = source.add(node_graph.VOLUMES, obj("pv", spec={"claimRef": claim_ref, "csi": csi}))
    assert await asked(graph, "get", "persistentvolumes", "pv") == (False, UNRELATED)
    claim = {"name": "v", "persistentVolumeClaim": {"claimName": "claim"}}
    source.add(node_graph.PODS, pod("a", "one", volumes=[claim]))
    assert await asked(graph, "get", "persistentvolumes", "pv") == (True, "")
    assert graph.leads_to("one", Vertex("secrets", "ns", "publish"))
    assert not graph.leads_to("one", Vertex("secrets", "ns", "control")), "not for kubelets"
    source.delete(node_graph.VOLUMES, volume)
    assert not graph.leads_to("one", Vertex("secrets", "ns", "publish"))


async def test_nothing_is_left_of_what_has_gone(source: Source, graph: Graph) -> None:
    volumes = [secret_volume("s"), {"name": "e", "ephemeral": {}}]
    gone = [
        (node_graph.PODS, pod("a", "one", serviceAccountName="x", volumes=volumes)),
        (node_graph.VOLUMES, obj("pv", spec={"claimRef": {"namespace": "ns", "name": "a-e"}})),
        (node_graph.ATTACHMENTS, obj("va", spec={"nodeName": "one"})),
        (node_graph.SLICES, obj("slice", spec={"nodeName": "one"})),
        (node_graph.CERTIFICATE_REQUESTS, obj("pcr", "ns", spec={"nodeName": "one"})),
    ]
    for gvr, each in gone:
        source.add(gvr, each)
        source.add(gvr, each)
    for gvr, each in gone:
        source.delete(gvr, each)
    assert (graph._edges, graph._nodes, graph._targets) == ({}, {}, {})


@pytest.mark.parametrize(
    ("verb", "resource", "more", "reason"),
    [
        ("list", "secrets", {"namespace": "ns"}, "No Object name found"),
        ("list", "secrets", {}, "can only read namespaced object of this type"),
        ("update", "secrets", {"name": "s"}, "can only read resources of this type"),
        ("get", "secrets", {"name": "s", "subresource": "x"}, "cannot read subresource"),
        ("list", "persistentvolumes", {}, "can only get individual resources of this type"),
        ("get", "persistentvolumes", {"subresource": "status"}, "cannot get subresource"),
        ("get", "persistentvolumeclaims", {"subresource": "status"}, "can only get/update/patch"),
        ("list", "nodes", {}, "node 'one' cannot read all nodes, only its own Node object"),
        ("get", "nodes", {"name": "two"}, "node 'one' cannot read 'two', only its own Node object"),
        ("delete", "nodes", {"name": "one"}, ""),
        ("list", "pods", {}, "can only list/watch pods with spec.nodeName field selector"),
        ("list", "pods", {"field_selector": "spec.nodeName!=one"}, "can only list/watch pods"),
        ("list", "pods", {"field_selector": "spec.nodeName=two"}, "can only list/watch pods"),
        ("deletecollection", "pods", {}, ""),
        ("create", "pods", {"subresource": "binding"}, ""),
        ("list", "serviceaccounts", {}, "can only create tokens for individual service accounts"),
        ("create", "serviceaccounts", {"name": "x"}, "can only create token subresource"),
        (
            "list",
            "coordination.k8s.io/leases",
            {},
            "can only get, create, update, patch, or delete",
        ),
        ("get", "coordination.k8s.io/leases", {"name": "one"}, 'leases in the "kube-node-lease"'),
        (
            "get",
            "storage.k8s.io/csinodes",
            {"name": "two"},
            "can only access CSINode with the same",
        ),
        ("get", "storage.k8s.io/csinodes", {"subresource": "status"}, "requires CSIVolumeHealth"),
        ("list", "resource.k8s.io/resourceslices", {}, "resourceslices with nodeName field"),
        ("list", "certificates.k8s.io/podcertificaterequests", {}, "with nodeName field selector"),
        (
            "update",
            "certificates.k8s.io/podcertificaterequests",
            {},
            "nodes may not update podcert",
        ),
        ("list", "apps/deployments", {}, ""),
    ],
)
async def test_refusals(
    graph: Graph, verb: str, resource: str, more: dict[str, str], reason: str
) -> None:
    allowed, said = await asked(graph, verb, resource, **more)
    assert not allowed
    assert reason in said
    assert bool(said) is bool(reason)


@pytest.mark.parametrize(
    ("verb", "resource", "more"),
    [
        ("list", "nodes", {"name": "one"}),
        ("create", "nodes", {}),
        ("patch", "nodes", {"name": "two", "subresource": "status"}),
        ("watch", "pods", {"field_selector": "spec.nodeName=one"}),
        ("delete", "pods", {"name": "x", "namespace": "ns"}),
        ("create", "pods", {"name": "x", "subresource": "eviction"}),
        ("patch", "coordination.k8s.io/leases", {"name": "one", "namespace": "kube-node-lease"}),
        ("create", "coordination.k8s.io/leases", {"namespace": "kube-node-lease"}),
        (
            "deletecollection",
            "resource.k8s.io/resourceslices",
            {"field_selector": "spec.nodeName=one"},
        ),
        ("create", "certificates.k8s.io/podcertificaterequests", {"namespace": "ns"}),
        ("list", "services", {}),
    ],
)
async def test_what_every_node_may(
    graph: Graph, verb: str, resource: str, more: dict[str, str]
) -> None:
    assert await asked(graph, verb, resource, **more) == (True, "")


async def test_who_is_a_node(graph: Graph) -> None:
    authorizer = NodeAuthorizer(graph)
    for user, reason in (
        (UserInfo("system:node:one"), ""),
        (UserInfo("one", groups=("system:nodes",)), ""),
        (
            UserInfo("system:node:", groups=("system:nodes",)),
            'unknown node for user "system:node:"',
        ),
    ):
        attributes = Attributes(user=user, verb="list", resource="services")
        assert await authorizer.authorize(attributes) == (Decision.NO_OPINION, reason)


def test_what_pods_refer_to() -> None:
    env = [
        {"valueFrom": {"secretKeyRef": {"name": "a"}}},
        {"valueFrom": {"configMapKeyRef": {"name": "b"}}},
        {"value": "x"},
    ]
    container = {"env": env, "envFrom": [{"secretRef": {"name": "c"}}, {"configMapRef": {}}]}
    sources = [{"secret": {"name": "d"}}, {"configMap": {"name": "e"}}, {"downwardAPI": {}}]
    spec = {
        "imagePullSecrets": [{"name": "f"}, {}],
        "ephemeralContainers": [container],
        "volumes": [
            {"name": "p", "projected": {"sources": sources}},
            {"name": "q", "rbd": {"secretRef": {"name": "g"}}},
            {"name": "r", "azureFile": {"secretName": "h"}},
            {"name": "s", "csi": {"nodePublishSecretRef": {"name": "i"}}},
            {"name": "t", "ephemeral": {}},
        ],
        "resourceClaims": [{"name": "x", "resourceClaimName": "j"}, {"name": "y"}, {"name": "z"}],
    }
    status = {
        "resourceClaimStatuses": [{"name": "y", "resourceClaimName": "k"}],
        "extendedResourceClaimStatus": {"resourceClaimName": "l"},
    }
    found = obj("web", "ns", spec=spec, status=status)
    assert set(references.secrets(found)) - {""} == set("acdfghi")
    assert set(references.config_maps(found)) - {""} == set("be")
    assert list(references.volume_claims(found)) == ["web-t"]
    assert set(references.resource_claims(found)) - {""} == set("jkl")
