"""Selectors beyond their grammar, which the recorded cases cover."""

import pytest

from pykube_cp.machinery import selectors
from pykube_cp.machinery.selectors import Operator, requirement


def test_label_selector_of_the_api() -> None:
    assert selectors.from_label_selector(None) is selectors.NOTHING
    assert selectors.from_label_selector({}) is selectors.EVERYTHING
    found = selectors.from_label_selector(
        {
            "matchLabels": {"b": "1"},
            "matchExpressions": [
                {"key": "a", "operator": "NotIn", "values": ["2", "1"]},
                {"key": "c", "operator": "DoesNotExist"},
            ],
        }
    )
    assert str(found) == "a notin (1,2),b=1,!c"
    assert found.matches({"b": "1"})
    assert not found.matches({"b": "1", "a": "2"})
    assert not found.matches({"b": "1", "c": ""})
    with pytest.raises(selectors.SelectorError, match='"Foo" is not a valid label selector'):
        selectors.from_label_selector({"matchExpressions": [{"key": "a", "operator": "Foo"}]})


def test_nothing_matches_nothing() -> None:
    nothing = selectors.NOTHING
    assert not nothing.matches({})
    assert nothing.add(requirement("a", Operator.EXISTS, ())) is nothing
    assert not nothing.empty
    assert selectors.EVERYTHING.empty


def test_all_that_is_wrong_is_said() -> None:
    with pytest.raises(selectors.SelectorError) as caught:
        requirement("-a", Operator.IN, ())
    assert str(caught.value).startswith('[key: Invalid value: "-a": name part must consist of')
    assert str(caught.value).endswith(
        "values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty]"
    )


def test_exact_match() -> None:
    found = selectors.parse("a=1,b in (2),c in (1,2),d")
    assert [found.requires_exact_match(key) for key in "abcde"] == ["1", "2", None, None, None]
    by_field = selectors.parse_field_selector("spec.nodeName=a,metadata.name!=b")
    assert by_field.requires_exact_match("spec.nodeName") == "a"
    assert by_field.requires_exact_match("metadata.name") is None
    assert by_field.matches({"spec.nodeName": "a"})
    assert not by_field.matches({"spec.nodeName": "a", "metadata.name": "b"})


def test_columns() -> None:
    assert selectors.format_label_selector({}) == "<none>"
    assert selectors.format_label_selector({"matchLabels": {"a": "!"}}) == "<error>"
