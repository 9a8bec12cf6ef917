"""Rules about schema types: what a page of ``resources/rules`` exports.

A rule is written once for a type and applied wherever the type occurs: a container's in a Pod and
in every pod template. ``defaulting`` and ``validation`` compile, per kind, a walk that visits only
the branches under which some rule applies.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import msgspec

from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.gvk import GVK
from pykube_cp.machinery.objects import Object


class RuleContext(msgspec.Struct, kw_only=True):
    """Where a rule is being applied.

    Attributes:
        root: the whole object.
        kind: of the whole object.
        old: the whole stored object on update, for rules that tolerate what was there before.
    """

    root: Object
    kind: GVK
    old: Object | None = None


Check: TypeAlias = Callable[[Any, Path, RuleContext], list[FieldError]]


@dataclass(frozen=True, slots=True)
class Arrangement:
    """A step that puts what has been found in a value so far into upstream's order.

    ``rank`` says where an error comes, by its field below the value.
    """

    rank: Callable[[str, FieldError], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeRule:
    """Defaults and checks of one schema type.

    Attributes:
        type: full name, as ``io.k8s.api.core.v1.Container``; for a map with a Go type of its own,
            that (``v1.ResourceList``).
        default: sets what is absent, in place; runs before the defaults of what is inside, as
            upstream's generated defaulters do.
        validate: errors of this value itself, not of what other rules cover inside it.
        order: where upstream's order is another: members by name, and further checks and
            arrangements between them. They follow ``validate``; members that are not named come
            last, as they stand in the document.
    """

    type: str
    default: Callable[[Any, RuleContext], None] | None = None
    validate: Check | None = None
    order: tuple[str | Check | Arrangement, ...] = ()
