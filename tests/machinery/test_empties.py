from typing import Any

import pytest

from pykube_cp.machinery import empties, schema
from pykube_cp.machinery.gvk import GVK

ROLE = schema.type_of(GVK("rbac.authorization.k8s.io", "v1", "Role"))
POD = schema.type_of(GVK("", "v1", "Pod"))


@pytest.mark.parametrize(
    ("obj", "given"),
    [
        ({"rules": []}, [(("rules",), [])]),
        ({"rules": None}, []),
        ({}, []),
        ({"rules": [{"verbs": ["get"]}, {"verbs": []}]}, [(("rules", 1, "verbs"), [])]),
        ({"metadata": {"labels": {}}, "rules": 1}, []),
    ],
)
def test_what_go_always_writes_is_found_where_it_is_given(obj: Any, given: Any) -> None:
    assert empties.given(obj, ROLE) == given


def test_what_may_be_left_out_is_no_such_place() -> None:
    pod = {"spec": {"containers": [{"command": []}], "volumes": []}}
    assert empties.given(pod, POD) == []


def test_they_are_shown_and_hidden_without_a_change_of_the_object() -> None:
    obj = {"rules": [{"verbs": None, "apiGroups": None}, {"verbs": ["get"]}]}
    given: empties.Given = [
        (("rules", 0, "verbs"), []),
        (("rules", 1, "verbs"), []),
        (("rules", 7, "verbs"), []),
    ]
    shown = empties.shown(obj, given)
    assert shown == {"rules": [{"verbs": [], "apiGroups": None}, {"verbs": ["get"]}]}
    assert obj["rules"][0]["verbs"] is None
    assert empties.hidden(shown, given) == obj


def test_only_those_that_are_null_are_meant() -> None:
    given: empties.Given = [(("rules", at, "verbs"), []) for at in range(3)]
    obj = {"rules": [{"verbs": []}, {"verbs": None}]}
    assert empties.dropped(obj, given) == [(("rules", 1, "verbs"), [])]


class _Counted(list[Any]):
    copies = 0

    def copy(self) -> "_Counted":
        type(self).copies += 1
        return _Counted(self)


def test_a_long_list_is_copied_once_for_all_that_is_in_it() -> None:
    rules = _Counted({"verbs": None} for _ in range(100))
    given: empties.Given = [(("rules", index, "verbs"), []) for index in range(100)]
    shown = empties.shown({"rules": rules}, given)
    assert shown["rules"] == [{"verbs": []}] * 100
    assert _Counted.copies == 1
