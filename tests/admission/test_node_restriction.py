import base64
from typing import Any, cast

import pytest

from pykube_cp.admission.interface import Attributes, Operation, Services
from pykube_cp.admission.plugins.node_restriction import NodeRestriction
from pykube_cp.authz.interface import Attributes as Question
from pykube_cp.authz.interface import Decision
from pykube_cp.client.interface import Client
from pykube_cp.machinery import errors
from pykube_cp.machinery.gvk import GVK, GVR
from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.user import UserInfo

NODE = UserInfo("system:node:n", groups=("system:nodes", "system:authenticated"))
MIRROR = {"kubernetes.io/config.mirror": "m"}
OWNER = {"apiVersion": "v1", "kind": "Node", "name": "n", "uid": "node-uid", "controller": True}
TOKEN = {"boundObjectRef": {"apiVersion": "v1", "kind": "Pod", "name": "own", "uid": "own-uid"}}
CERTIFICATE = {
    "nodeName": "n",
    "nodeUID": "node-uid",
    "podName": "own",
    "podUID": "own-uid",
    "serviceAccountName": "a",
    "serviceAccountUID": "a-uid",
    "signerName": "example.com/s",
}


def _obj(name: str, spec: Object, **meta: Any) -> Object:
    return {"metadata": {"name": name, "uid": f"{name}-uid", **meta}, "spec": spec}


def _projected(**source: Any) -> Object:
    return {"name": "v", "projected": {"sources": [source]}}


OBJECTS: dict[tuple[str, str], Object] = {
    ("nodes", "n"): {"metadata": {"name": "n", "uid": "node-uid"}},
    ("pods", "own"): _obj(
        "own",
        {
            "nodeName": "n",
            "serviceAccountName": "a",
            "volumes": [
                _projected(serviceAccountToken={"audience": "vault"}),
                {"name": "c", "persistentVolumeClaim": {"claimName": "c"}},
                _projected(podCertificate={"signerName": "example.com/s"}),
            ],
        },
    ),
    ("pods", "other"): _obj("other", {"nodeName": "m"}),
    ("pods", "mirror"): _obj("mirror", {"nodeName": "n"}, annotations=MIRROR),
    ("serviceaccounts", "a"): {"metadata": {"name": "a", "uid": "a-uid"}},
    ("persistentvolumeclaims", "c"): _obj("c", {"volumeName": "v"}),
    ("persistentvolumes", "v"): _obj("v", {"csi": {"driver": "d"}}),
    ("csidrivers", "d"): _obj("d", {"tokenRequests": [{"audience": "driver"}]}),
}


class _Client:
    async def get(self, gvr: GVR, name: str, _namespace: str = "") -> Object:
        if (gvr.resource, name) not in OBJECTS:
            raise errors.not_found((gvr.group, gvr.resource), name)
        return OBJECTS[gvr.resource, name]


class _Authorizer:
    name = "one"

    async def authorize(self, attributes: Question) -> tuple[Decision, str]:
        granted = ("request-serviceaccounts-token-audience", "granted", "a")
        asked = (attributes.verb, attributes.resource, attributes.name)
        return (Decision.ALLOW if asked == granted else Decision.NO_OPINION), ""


async def _refusal(user: UserInfo = NODE, **fields: Any) -> str:
    """Code and text of the refusal; empty when there is none."""
    plugin = NodeRestriction()
    plugin.start(Services(client=cast(Client, _Client()), authorizer=cast(Any, _Authorizer())))
    resource = fields.pop("resource")
    group = fields.pop("group", "")
    values = {"operation": Operation.CREATE, "name": "", "namespace": "ns", **fields}
    attributes = Attributes(
        resource=GVR(group, "v1", resource), kind=GVK(group, "v1", ""), user=user, **values
    )
    try:
        await plugin.admit(attributes)
    except errors.StatusError as error:
        return f"{error.code} {error.message.rpartition('forbidden: ')[2]}"
    return ""


def _pod(spec: Object | None = None, owners: list[Object] | None = None) -> Object:
    meta = {
        "name": "x",
        "annotations": MIRROR,
        "ownerReferences": [OWNER] if owners is None else owners,
    }
    return {"metadata": meta, "spec": {"nodeName": "n", **(spec or {})}}


async def test_others_may_do_what_nodes_may_not() -> None:
    pod = _pod(owners=[])
    assert (
        await _refusal(UserInfo("bob", groups=("system:nodes",)), resource="pods", object=pod) == ""
    )
    assert await _refusal(UserInfo("system:node:n"), resource="pods", object=pod) == ""
    nameless = UserInfo("system:node:", groups=("system:nodes",))
    text = '403 could not determine node from user "system:node:"'
    assert await _refusal(nameless, resource="pods", object=pod) == text


@pytest.mark.parametrize(
    ("pod", "text"),
    [
        (_pod(), ""),
        (
            {"metadata": {}, "spec": {}},
            (
                'pod does not have "kubernetes.io/config.mirror" annotation, node "n" can only create '
                "mirror pods"
            ),
        ),
        (_pod({"nodeName": "m"}), 'node "n" can only create pods with spec.nodeName set to itself'),
        (_pod(owners=[]), 'node "n" can only create pods with an owner reference set to itself'),
        (
            _pod(owners=[OWNER, OWNER]),
            'node "n" can only create pods with a single owner reference set to itself',
        ),
        (
            _pod(owners=[{**OWNER, "name": "m"}]),
            'node "n" can only create pods with an owner reference set to itself',
        ),
        (
            _pod(owners=[{**OWNER, "controller": False}]),
            'node "n" can only create pods with a controller owner reference set to itself',
        ),
        (
            _pod(owners=[{**OWNER, "blockOwnerDeletion": True}]),
            'node "n" must not set blockOwnerDeletion on an owner reference',
        ),
        (
            _pod(owners=[{**OWNER, "uid": "u"}]),
            "node n UID mismatch: expected u got node-uid",
        ),
        *(
            (_pod(spec), f'node "n" can not create pods that reference {what}')
            for spec, what in (
                ({"serviceAccountName": "a"}, "serviceaccounts"),
                ({"imagePullSecrets": [{"name": "s"}]}, "secrets"),
                (
                    {"containers": [{"envFrom": [{"configMapRef": {"name": "m"}}]}]},
                    "configmaps",
                ),
                ({"resourceClaims": [{"name": "c"}]}, "resourceclaims"),
                (
                    {"volumes": [_projected(serviceAccountToken={"path": "t"})]},
                    "serviceaccounts (via projected volumes)",
                ),
                ({"volumes": [{"name": "v", "csi": {}}]}, "csidrivers (via CSI volumes)"),
            )
        ),
        (
            _pod({"volumes": [_projected()]}),
            'error checking mirror pod for API references: unknown source for projected volume "v"',
        ),
        (_pod({"volumes": [{"name": "h", "hostPath": {"path": "/"}}]}), ""),
    ],
)
async def test_nodes_create_mirrors_of_their_own_pods_that_need_nothing(
    pod: Object, text: str
) -> None:
    assert await _refusal(resource="pods", object=pod) == (f"403 {text}" if text else "")


async def test_nodes_delete_and_evict_only_their_own_pods() -> None:
    delete = {"resource": "pods", "operation": Operation.DELETE}
    evict = {"resource": "pods", "subresource": "eviction", "object": {"metadata": {"name": "own"}}}
    assert await _refusal(**delete, name="own") == ""
    assert await _refusal(**delete, name="missing") == '404 pod "missing" not found'
    text = "pods with spec.nodeName set to itself"
    assert await _refusal(**delete, name="other") == f'403 node "n" can only delete {text}'
    assert await _refusal(**evict) == ""
    assert await _refusal(**evict, name="other") == f"403 node n can only evict {text}"
    text = "403 unexpected pod subresource \"binding\", only 'status' and 'eviction' are allowed"
    assert await _refusal(resource="pods", subresource="binding", object={"metadata": {}}) == text


async def test_nodes_write_the_status_of_their_own_pods_without_what_leads_further() -> None:
    own = OBJECTS["pods", "own"]

    async def update(**new: Any) -> str:
        fields = {"operation": Operation.UPDATE, "subresource": "status", "old_object": own}
        return await _refusal(resource="pods", **fields, object={**own, **new})

    assert await update(status={"phase": "Running"}) == ""
    claims = [{"name": "c", "resourceClaimName": "of-another"}]
    text = '403 node "n" cannot update resource claim statues'
    assert await update(status={"resourceClaimStatuses": claims}) == text
    labelled = {**own["metadata"], "labels": {"a": "b"}}
    text = '403 node "n" cannot update labels through pod status'
    assert await update(metadata=labelled) == text


async def test_nodes_keep_their_hands_off_what_steers_pods() -> None:
    old = {"metadata": {"name": "n", "labels": {"a": "b"}}, "spec": {}}

    async def update(name: str = "n", **new: Any) -> str:
        fields = {"operation": Operation.UPDATE, "old_object": old, "name": name}
        return await _refusal(resource="nodes", **fields, object={**old, **new})

    assert await update(status={"phase": "x"}) == ""
    assert await update("m") == '403 node "n" is not allowed to modify node "m"'
    taints = {"taints": [{"key": "a", "effect": "NoSchedule"}]}
    assert await update(spec=taints) == '403 node "n" is not allowed to modify taints'
    owned = {"name": "n", "labels": {"a": "b"}, "ownerReferences": [OWNER]}
    assert await update(metadata=owned) == '403 node "n" is not allowed to modify ownerReferences'
    for label, allowed in (
        ("mine", True),
        ("kubernetes.io/os", True),
        ("x.node.kubernetes.io/y", True),
        ("kubernetes.io/x", False),
        ("a.k8s.io/x", False),
        ("a.node-restriction.kubernetes.io/x", False),
        ("notk8s.io/x", True),
    ):
        text = "" if allowed else f"403 is not allowed to modify labels: {label}"
        assert await update(metadata={"name": "n", "labels": {"a": "b", label: "v"}}) == text
    created = {"metadata": {"name": "n", "labels": {"kubernetes.io/x": "y"}}, "spec": {}}
    text = '403 node "n" is not allowed to set the following labels: kubernetes.io/x'
    assert await _refusal(resource="nodes", object=created) == text


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        ({**TOKEN, "audiences": ["vault"]}, ""),
        ({**TOKEN, "audiences": ["driver"]}, ""),
        ({**TOKEN, "audiences": ["granted"]}, ""),
        ({}, "node requested token not bound to a pod"),
        (
            {"boundObjectRef": {"apiVersion": "v1", "kind": "Secret", "name": "s", "uid": "u"}},
            "node requested token not bound to a pod",
        ),
        (
            {"boundObjectRef": {"apiVersion": "v1", "kind": "Pod", "name": "own"}},
            "node requested token with a pod binding without a uid",
        ),
        (
            {"boundObjectRef": {**TOKEN["boundObjectRef"], "uid": "u"}},
            (
                "the UID in the bound object reference (u) does not match the UID in record. The object "
                "might have been deleted and then recreated"
            ),
        ),
        (
            {"boundObjectRef": {**TOKEN["boundObjectRef"], "name": "other", "uid": "other-uid"}},
            "node requested token bound to a pod scheduled on a different node",
        ),
        ({**TOKEN, "audiences": ["a", "b"]}, "node may only request 0 or 1 audiences"),
        (
            {**TOKEN, "audiences": ["x"]},
            'system:node:n is not authorized to request tokens for audience "x"',
        ),
        (TOKEN, 'system:node:n is not authorized to request tokens for audience ""'),
    ],
)
async def test_nodes_get_tokens_for_their_pods_only(spec: Object, text: str) -> None:
    found = await _refusal(
        resource="serviceaccounts", subresource="token", name="a", object={"spec": spec}
    )
    assert found == (f"403 {text}" if text else "")


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({}, ""),
        (
            {"nodeName": "m"},
            '403 PodCertificateRequest.Spec.NodeName="m", which is not the requesting node "n"',
        ),
        (
            {"podUID": "{}"},
            (
                '500 PodCertificateRequest for pod "ns/own" contains pod UID ("{}") which differs from '
                'running pod "own-uid"'
            ),
        ),
        (
            {"podName": "none{}"},
            (
                '500 while retrieving pod "ns/none{}" named in the PodCertificateRequest: pod "none{}" '
                "not found"
            ),
        ),
        (
            {"podName": "other", "podUID": "other-uid"},
            '403 pod "ns/other" is not running on node "n" named in the PodCertificateRequest',
        ),
        ({"podName": "mirror", "podUID": "mirror-uid"}, '403 pod "ns/mirror" is a mirror pod'),
        (
            {"serviceAccountName": "b"},
            (
                '403 PodCertificateRequest for pod "ns/own" contains serviceAccountName ("b") that differs '
                'from running pod ("a")'
            ),
        ),
        (
            {"signerName": "example.com/t"},
            (
                '403 pod "ns/own" does not mount a podCertificate projected volume for signer '
                '"example.com/t"'
            ),
        ),
    ],
)
async def test_nodes_ask_for_certificates_that_their_pods_mount(change: Object, text: str) -> None:
    group, resource = "certificates.k8s.io", "podcertificaterequests"
    spec = {**CERTIFICATE, **change}
    assert await _refusal(group=group, resource=resource, object={"spec": spec}) == text


async def test_nodes_have_leases_drivers_and_slices_of_their_own() -> None:
    leases = {"group": "coordination.k8s.io", "resource": "leases"}
    other = {"metadata": {"name": "m"}, "spec": {"nodeName": "m"}}
    text = '403 can only access leases in the "kube-node-lease" system namespace'
    assert await _refusal(**leases, object=other) == text
    text = "403 can only access node lease with the same name as the requesting node"
    assert await _refusal(**leases, namespace="kube-node-lease", object=other) == text
    drivers = {"group": "storage.k8s.io", "resource": "csinodes", "namespace": ""}
    text = "403 can only access CSINode with the same name as the requesting node"
    assert await _refusal(**drivers, object=other) == text
    slices = {"group": "resource.k8s.io", "resource": "resourceslices", "namespace": ""}
    text = "403 can only create ResourceSlice with the same NodeName as the requesting node"
    assert await _refusal(**slices, object=other) == text
    fields = {**slices, "operation": Operation.DELETE, "old_object": other}
    text = "403 can only delete ResourceSlice with the same NodeName as the requesting node"
    assert await _refusal(**fields, name="m") == text


async def test_nodes_change_nothing_but_the_size_of_claims() -> None:
    old = _obj("c", {"volumeName": "v"}, resourceVersion="1")
    claims = {"resource": "persistentvolumeclaims", "operation": Operation.UPDATE, "name": "c"}
    assert await _refusal(**claims, object=old, old_object=old) == "403 may only update PVC status"
    fields = {**claims, "subresource": "status", "old_object": old}
    grown = {**old, "metadata": {**old["metadata"], "resourceVersion": ""}}
    grown["status"] = {"capacity": {"storage": "2Gi"}, "conditions": []}
    assert await _refusal(**fields, object=grown) == ""
    bound = {**old, "status": {"phase": "Bound"}}
    found = await _refusal(**fields, object=bound)
    assert found.startswith(
        '403 node "n" is not allowed to update fields other than status.quantity and '
        "status.conditions: @@ "
    )
    assert '+  "phase": "Bound"' in found


async def test_nodes_ask_for_certificates_in_their_own_name() -> None:
    csr = {
        "signerName": "kubernetes.io/kubelet-serving",
        "request": base64.b64encode(b"x").decode(),
    }
    where = {"group": "certificates.k8s.io", "resource": "certificatesigningrequests"}
    text = "403 unable to parse csr: PEM block type must be CERTIFICATE REQUEST"
    assert await _refusal(**where, object={"spec": csr}) == text
    csr["signerName"] = "example.com/s"
    assert await _refusal(**where, object={"spec": csr}) == ""
