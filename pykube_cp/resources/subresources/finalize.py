"""Letting go of a namespace: ``spec.finalizers`` can be changed only here."""
# upstream: pkg/registry/core/namespace/strategy.go namespaceFinalizeStrategy

from pykube_cp.machinery.gvk import GVK
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.metadata import check_preconditions
from pykube_cp.resources.strategies.core import NamespaceFinalizeStrategy
from pykube_cp.resources.subresources.interface import Answer, Call, Page

_STRATEGY = NamespaceFinalizeStrategy()


async def update(call: Call) -> Answer:
    """Replace the namespace, its finalizers included; the last of all gone, it goes."""
    assert call.body is not None
    body = call.body

    async def change(old: Object | None) -> Object:
        assert old is not None
        uid = body["metadata"].get("uid", "")
        check_preconditions(call.store.resource, old, uid, dry_run=call.context.dry_run)
        return await call.wanted(old)

    updated = await call.store.update(
        call.context, call.name, change, call.admit, strategy=_STRATEGY
    )
    return Answer(updated.entry.object())


PAGES = (
    Page(
        resource=("", "namespaces"),
        subresource="finalize",
        accepts=GVK("", "v1", "Namespace"),
        verbs={"update": update},
    ),
)
