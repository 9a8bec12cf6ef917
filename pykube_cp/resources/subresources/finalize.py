"""Letting go of a namespace: ``spec.finalizers`` can be changed only here."""
# upstream: pkg/registry/core/namespace/strategy.go namespaceFinalizeStrategy

from pykube_cp.machinery.gvk import GVK
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.strategy import Strategy, WriteContext
from pykube_cp.resources.subresources.interface import Answer, Call, Page


class _Finalize(Strategy):
    """Takes the new finalizers of the spec, keeps the status."""

    def prepare_for_update(self, ctx: WriteContext, obj: Object, old: Object) -> None:
        if "status" in old:
            obj["status"] = old["status"]


_STRATEGY = _Finalize()


async def update(call: Call) -> Answer:
    """Replace the namespace's finalizers; the last one gone, the namespace goes."""
    assert call.body is not None
    body = call.body

    async def change(old: Object | None) -> Object:
        assert old is not None
        new = dict(old)
        new["spec"] = body.get("spec") or {}
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
        resource=("", "namespaces"),
        subresource="finalize",
        accepts=GVK("", "v1", "Namespace"),
        verbs={"update": update},
    ),
)
