"""Approving or denying a certificate signing request: only conditions change here."""
# upstream: pkg/registry/certificates/certificates/strategy.go csrApprovalStrategy

from collections.abc import Callable

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
    return await _store(call, lambda _old: body, retry=False)


async def patch(call: Call) -> Answer:
    """Take the conditions of the patched request."""
    assert call.patch is not None
    return await _store(call, call.patch, retry=True)


async def _store(call: Call, wanted: Callable[[Object], Object], *, retry: bool) -> Answer:
    async def change(old: Object | None) -> Object:
        assert old is not None
        return call.record(_with_conditions(old, wanted(old)), old)

    updated = await call.store.update(
        call.context, call.name, change, call.admit, strategy=_STRATEGY, retry_given_version=retry
    )
    return Answer(updated.entry.object())


def _with_conditions(old: Object, wanted: Object) -> Object:
    """``old`` with the conditions, labels and annotations of ``wanted``; all else stays."""
    new, meta = dict(old), dict(old["metadata"])
    asked = wanted.get("metadata") or {}
    for field in ("labels", "annotations", "resourceVersion"):
        if asked.get(field):
            meta[field] = asked[field]
    if not asked.get("resourceVersion"):
        meta.pop("resourceVersion", None)
    new["metadata"] = meta
    status = dict(old.get("status") or {})
    status["conditions"] = (wanted.get("status") or {}).get("conditions") or []
    new["status"] = status
    return new


PAGES = (
    Page(
        resource=("certificates.k8s.io", "certificatesigningrequests"),
        subresource="approval",
        accepts=GVK("certificates.k8s.io", "v1", "CertificateSigningRequest"),
        verbs={"get": get, "update": update, "patch": patch},
    ),
)
