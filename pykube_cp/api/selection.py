"""Which objects of a collection a request means: label and field selectors over cache entries."""

from collections.abc import Callable

import msgspec

from pykube_cp.api.request import Query
from pykube_cp.machinery import errors, selectors
from pykube_cp.registry.resource import Resource
from pykube_cp.storage.watch_cache import Entry

_ALWAYS = ("metadata.name", "metadata.namespace")
_INDEXED = "spec.nodeName"


class Selection(msgspec.Struct, frozen=True):
    """A compiled selector. ``matches`` is None when everything matches.

    ``name`` and ``indexed`` are set when the field selector pins them, to narrow the work; then
    ``in_index`` says what upstream finds by its index.
    """

    matches: Callable[[Entry], bool] | None
    name: str = ""
    namespace: str = ""
    indexed: str | None = None
    in_index: Callable[[Entry], bool] | None = None
    label_text: str = ""
    field_text: str = ""

    @property
    def empty(self) -> bool:
        return self.matches is None


def select(query: Query, resource: Resource, name: str = "") -> Selection:
    """The selection that a query asks for; 400 for selectors that make no sense."""
    label_text, field_text = query.get("labelSelector"), query.get("fieldSelector")
    if not label_text and not field_text and not name:
        return Selection(None)
    tests: list[Callable[[Entry], bool]] = []
    if label_text:
        tests.append(_label_test(label_text))
    terms = _field_terms(field_text) if field_text else []
    if name:
        terms.append(("metadata.name", "=", name))
    tests += [_field_test(resource, *term) for term in terms]
    pinned = {field: value for field, operator, value in terms if operator == "="}
    return Selection(
        _all(tests),
        name=pinned.get("metadata.name", ""),
        namespace=pinned.get("metadata.namespace", ""),
        indexed=pinned.get(_INDEXED),
        in_index=_field_test(resource, _INDEXED, "=", pinned[_INDEXED])
        if _INDEXED in pinned
        else None,
        label_text=label_text,
        field_text=field_text,
    )


def _label_test(text: str) -> Callable[[Entry], bool]:
    try:
        selector = selectors.parse(text)
    except ValueError as error:
        raise errors.bad_request(str(error)) from None
    matches = selector.matches
    nothing: dict[str, str] = {}
    return lambda entry: matches(entry.labels or nothing)


def _field_terms(text: str) -> list[tuple[str, str, str]]:
    try:
        selector = selectors.parse_field_selector(text)
    except ValueError as error:
        raise errors.bad_request(str(error)) from None
    return [(term.field, term.operator, term.value) for term in selector.terms]


def _field_test(
    resource: Resource, field: str, operator: str, value: str
) -> Callable[[Entry], bool]:
    equal = operator != "!="
    if field == "metadata.name":
        return lambda entry: (entry.name == value) is equal
    if field == "metadata.namespace" and resource.is_selectable(field):
        return lambda entry: (entry.namespace == value) is equal
    labels = list(resource.selectable_fields)
    if field not in labels:
        raise errors.bad_request(_unsupported(resource, field))
    position = labels.index(field)
    return lambda entry: (entry.fields[position] == value) is equal


def _unsupported(resource: Resource, field: str) -> str:
    # upstream: apimachinery pkg/runtime/conversion.go DefaultMetaV1FieldSelectorConversion
    if resource.selectable_fields:
        return resource.not_selectable.format(field)
    known = ", ".join(f'"{name}"' for name in _ALWAYS)
    return f'"{field}" is not a known field selector: only {known}'


def _all(tests: list[Callable[[Entry], bool]]) -> Callable[[Entry], bool]:
    if len(tests) == 1:
        return tests[0]
    return lambda entry: all(test(entry) for test in tests)
