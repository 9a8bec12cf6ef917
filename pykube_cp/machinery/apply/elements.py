"""How the elements of a list that is a set or has keys are told apart."""
# upstream: structured-merge-diff typed/helpers.go listItemToPathElement

from typing import Any

from pykube_cp.machinery.apply.fields import FieldsError, key_element, value_element
from pykube_cp.machinery.apply.shapes import ListShape
from pykube_cp.machinery.go_text import quote


def element_of(shape: ListShape, item: Any) -> str:
    """The path element of a list element; ``FieldsError`` for one that cannot have one."""
    return _by_keys(shape, item) if shape.keys else _by_value(item)


def _by_keys(shape: ListShape, item: Any) -> str:
    if item is None:
        raise FieldsError("associative list with keys may not have a null element")
    if not isinstance(item, dict):
        raise FieldsError("associative list with keys may not have non-map elements")
    found = {}
    for key in shape.keys:
        if key in item:
            found[key] = item[key]
        elif key in shape.defaults:
            found[key] = shape.defaults[key]
    if found:
        return key_element(found)
    keys = " ".join(quote(key) for key in shape.keys)
    raise FieldsError(
        f"associative list with keys has an element that omits all key fields [{keys}] "
        "(and doesn't have default values for any key fields)"
    )


def _by_value(item: Any) -> str:
    if isinstance(item, dict):
        raise FieldsError("associative list without keys has an element that's a map type")
    if isinstance(item, list):
        raise FieldsError("not supported: associative list with lists as elements")
    if item is None:
        raise FieldsError("associative list without keys has an element that's an explicit null")
    return value_element(item)


def elements_of(shape: ListShape, items: list[Any]) -> list[str]:
    """The path elements of all; ``FieldsError`` names the first that cannot have one."""
    made = []
    for index, item in enumerate(items):
        try:
            made.append(element_of(shape, item))
        except FieldsError as error:
            raise FieldsError(f"element {index}: {error}") from None
    return made
