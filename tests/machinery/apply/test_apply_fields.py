"""The algebra of sets, against the same sets as plain sets of paths."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pykube_cp.machinery.apply import fields
from pykube_cp.machinery.apply.fields import Fields, PathElements

ELEMENTS = st.sampled_from(["f:a", "f:b", 'k:{"n":1}', 'v:"x"', "i:0"])
STEADY = settings(deadline=None, derandomize=True)
PATHS = st.frozensets(st.lists(ELEMENTS, min_size=1, max_size=3).map(tuple), max_size=8)


def trie(paths: frozenset[PathElements]) -> Fields:
    made: Fields = {}
    for path in paths:
        fields.insert(made, path)
    return made


def plain(found: Fields) -> frozenset[PathElements]:
    return frozenset(fields.paths(found))


@STEADY
@given(PATHS)
def test_a_set_holds_what_was_put_in(paths: frozenset[PathElements]) -> None:
    made = trie(paths)
    assert plain(made) == paths
    assert all(fields.has(made, path) for path in paths)
    assert fields.canonical(made) == made


@STEADY
@given(PATHS, PATHS)
def test_algebra(one: frozenset[PathElements], other: frozenset[PathElements]) -> None:
    left, right = trie(one), trie(other)
    assert plain(fields.union(left, right)) == one | other
    assert plain(fields.intersection(left, right)) == one & other
    assert plain(fields.difference(left, right)) == one - other
    below = {path for path in one for end in range(1, len(path) + 1) if path[:end] in other}
    assert plain(fields.recursive_difference(left, right)) == one - below
    assert (left, right) == (trie(one), trie(other))


@STEADY
@given(PATHS, PATHS)
def test_equal_sets_have_one_form(
    one: frozenset[PathElements], other: frozenset[PathElements]
) -> None:
    left, right = trie(one), trie(other)
    assert fields.union(left, right) == trie(one | other)
    assert fields.intersection(left, right) == trie(one & other)
    assert fields.difference(left, right) == trie(one - other)


def test_order_is_by_kind_then_content() -> None:
    ordered = [
        "f:a",
        "f:b",
        'k:{"a":2}',
        'k:{"a":10}',
        'k:{"a":"1"}',
        "v:1",
        'v:"a"',
        "i:2",
        "i:10",
    ]
    for one, other in itertools.pairwise(ordered):
        assert fields.element_order(one) < fields.element_order(other)


def test_elements_have_one_form() -> None:
    assert fields.canonical_element('k:{"b":1.0,"a":"é"}') == 'k:{"a":"é","b":1}'
    assert fields.canonical_element("v: 1.50") == "v:1.5"
    assert fields.canonical_element("z:x") is None
    assert fields.element_text('k:{"a":"x","b":1}') == '[a="x",b=1]'


@pytest.mark.parametrize("text", ["f", "fa", "i:x", "k:[]", "v:{"])
def test_malformed_elements(text: str) -> None:
    with pytest.raises(fields.FieldsError):
        fields.canonical({text: {}})
