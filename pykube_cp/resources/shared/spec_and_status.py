"""What strategies of kinds with a spec and a status have in common."""

import functools
from typing import ClassVar

import orjson

from pykube_cp.machinery import schema, structural
from pykube_cp.machinery.gvk import GVK
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.strategy import StatusStrategy, Strategy, WriteContext
from pykube_cp.resources.shared.meta import keep_meta_for_status


@functools.cache
def _empty_status(kind: GVK) -> bytes:
    field = schema.type_of(kind).fields["status"].type
    assert isinstance(field, schema.Type)
    return orjson.dumps(structural.normalize({}, field, strict=False)[0])


def empty_status(obj: Object) -> Object:
    """A status of which nothing is known, as Go writes it."""
    status: Object = orjson.loads(_empty_status(GVK.of(obj)))
    return status


class SpecAndStatusStrategy(Strategy):
    """Clients write the spec; the status is empty at first and kept on update."""

    has_generation = True
    reset_fields: ClassVar[Object] = {"f:status": {}}

    def prepare_for_create(self, ctx: WriteContext, obj: Object) -> None:
        obj["status"] = empty_status(obj)
        self.prepare_spec(ctx, obj, None)

    def prepare_for_update(self, ctx: WriteContext, obj: Object, old: Object) -> None:
        if "status" in old:
            obj["status"] = old["status"]
        else:
            obj.pop("status", None)
        self.prepare_spec(ctx, obj, old)

    def prepare_spec(self, ctx: WriteContext, obj: Object, old: Object | None) -> None:
        """Drop what clients may not set."""


class SpecStrategy(Strategy):
    """Kinds without a status that count generations."""

    has_generation = True


class KeptMetaStatusStrategy(StatusStrategy):
    """A status endpoint through which no metadata changes."""

    reset_fields: ClassVar[Object] = {"f:metadata": {}, "f:spec": {}}

    def prepare_for_update(self, ctx: WriteContext, obj: Object, old: Object) -> None:
        super().prepare_for_update(ctx, obj, old)
        keep_meta_for_status(obj, old)


class VersionedStatusStrategy(KeptMetaStatusStrategy):
    """One that takes no update without a version."""

    allow_unconditional_update = False
