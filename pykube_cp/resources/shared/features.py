"""Fields of features that are off: they fall away unless they were in use before."""

from collections.abc import Callable, Iterable

from pykube_cp.machinery.objects import Object

Owners = Callable[[Object], Iterable[Object]]
"""The parts of an object that may have the fields."""


def drop(owners: Owners, obj: Object, old: Object | None, *fields: str) -> None:
    """Remove the fields everywhere in ``obj`` unless ``old`` has any of them anywhere."""
    if old is not None and any(
        owner.get(field) is not None for owner in owners(old) for field in fields
    ):
        return
    for owner in owners(obj):
        for field in fields:
            owner.pop(field, None)


def drop_own(obj: Object, old: Object | None, *fields: str) -> None:
    """Remove each field that ``old``, the same part of the old object, does not have."""
    for field in fields:
        if old is None or old.get(field) is None:
            obj.pop(field, None)
