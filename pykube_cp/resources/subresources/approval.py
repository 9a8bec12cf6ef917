"""Approving or denying a certificate signing request: only conditions change here."""
# upstream: pkg/registry/certificates/certificates/strategy.go csrApprovalStrategy

from pykube_cp.machinery.gvk import GVK
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.strategy import Strategy
from pykube_cp.resources.subresources.interface import Answer, Call, Page

_STRATEGY = Strategy()


async def get(call: Call) -> Answer:
    return Answer((await call.store.get("", call.name)).object())


async def update(call: Call) -> Answer:
    """Take the conditions of the body."""
    assert call.body is not None
    body = call.body

    async def change(old: Object | None) -> Object:
        assert old is not None
        new = dict(old)
        status = dict(old.get("status") or {})
        status["conditions"] = (body.get("status") or {}).get("conditions") or []
        new["status"] = status
        version = body["metadata"].get("resourceVersion")
        if version:
            new["metadata"] = {**old["metadata"], "resourceVersion": version}
        return call.record(new, old)

    updated = await call.store.update(
        call.context, call.name, change, call.admit, strategy=_STRATEGY
    )
    return Answer(updated.entry.object())


PAGES = (
    Page(
        resource=("certificates.k8s.io", "certificatesigningrequests"),
        subresource="approval",
        accepts=GVK("certificates.k8s.io", "v1", "CertificateSigningRequest"),
        verbs={"get": get, "update": update},
    ),
)
