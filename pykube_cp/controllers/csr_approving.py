"""Approves requests for kubelets' client certificates from those who may ask for them."""
# upstream: pkg/controller/certificates/approver/sarapprove.go sarApprover

from collections.abc import Callable
from dataclasses import dataclass

from pykube_cp.controllers.interface import Controller, ControllerContext, Result, Watch
from pykube_cp.controllers.shared import certificate_requests as requests
from pykube_cp.controllers.shared.cluster_kinds import (
    CERTIFICATE_REQUESTS,
    SUBJECT_ACCESS_REVIEWS,
)
from pykube_cp.machinery import objects
from pykube_cp.machinery.objects import Object
from pykube_cp.pki import CertificateRequest


class NotPermittedError(Exception):
    """A request that would be approved, had its author the permission; that may still come."""


@dataclass(frozen=True, slots=True)
class _Recognizer:
    """A kind of request, the permission it takes, and what to say when it is given."""

    recognizes: Callable[[Object, CertificateRequest], bool]
    subresource: str
    message: str


def is_node_client(csr: Object, request: CertificateRequest) -> bool:
    if csr["spec"].get("signerName") != requests.KUBELET_CLIENT_SIGNER:
        return False
    return requests.is_kubelet_client(request, requests.usages(csr))


def is_self_node_client(csr: Object, request: CertificateRequest) -> bool:
    """A node that renews its own certificate."""
    return csr["spec"].get("username") == request.common_name and is_node_client(csr, request)


_RECOGNIZERS = (
    _Recognizer(
        is_self_node_client,
        "selfnodeclient",
        "Auto approving self kubelet client certificate after SubjectAccessReview.",
    ),
    _Recognizer(
        is_node_client,
        "nodeclient",
        "Auto approving kubelet client certificate after SubjectAccessReview.",
    ),
)


async def reconcile(ctx: ControllerContext, key: str) -> Result | None:
    csr = ctx.lister(CERTIFICATE_REQUESTS).get(key)
    if csr is None or requests.is_issued(csr) or requests.is_decided(csr):
        return None
    request = requests.parse(csr)
    tried: list[str] = []
    for recognizer in _RECOGNIZERS:
        if not recognizer.recognizes(csr, request):
            continue
        tried.append(recognizer.subresource)
        if await _is_permitted(ctx, csr, recognizer.subresource):
            await _approve(ctx, csr, recognizer.message)
            return None
    if tried:
        names = " ".join(tried)
        raise NotPermittedError(
            f'recognized csr "{key}" as [{names}] but subject access review was not approved'
        )
    return None


async def _is_permitted(ctx: ControllerContext, csr: Object, subresource: str) -> bool:
    spec = csr["spec"]
    review: Object = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {
            "user": spec.get("username", ""),
            "uid": spec.get("uid", ""),
            "groups": spec.get("groups") or [],
            "extra": spec.get("extra") or {},
            "resourceAttributes": {
                "group": "certificates.k8s.io",
                "resource": "certificatesigningrequests",
                "verb": "create",
                "subresource": subresource,
                "version": "*",
            },
        },
    }
    answer = await ctx.client.create(SUBJECT_ACCESS_REVIEWS, review)
    return bool(objects.nested(answer, "status", "allowed"))


async def _approve(ctx: ControllerContext, csr: Object, message: str) -> None:
    copy = objects.deep_copy(csr)
    conditions = copy.setdefault("status", {}).setdefault("conditions", [])
    conditions.append(
        {"type": "Approved", "status": "True", "reason": "AutoApproved", "message": message}
    )
    await ctx.client.update(CERTIFICATE_REQUESTS, copy, subresource="approval")


CONTROLLER = Controller(
    name="certificatesigningrequest-approving-controller",
    aliases=("csrapproving",),
    identity="certificate-controller",
    watches=(Watch(CERTIFICATE_REQUESTS),),
    reconcile=reconcile,
    workers=5,
)
