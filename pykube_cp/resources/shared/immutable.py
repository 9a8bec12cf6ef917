"""Fields that never change."""

from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object, nested
from pykube_cp.registry.strategy import Strategy, WriteContext
from pykube_cp.registry.validation import validate_immutable


class ImmutableFields(Strategy):
    """Refuses changes of the fields named in ``immutable``, each as its path."""

    immutable: tuple[tuple[str, ...], ...] = ()

    def validate_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[FieldError]:
        found = super().validate_update(ctx, obj, old)
        for path in self.immutable:
            found += validate_immutable(nested(obj, *path), nested(old, *path), Path(*path))
        return found
