from typing import Any

import pytest

from pykube_cp.machinery import tolerations

ALL: dict[str, Any] = {"operator": "Exists"}
KEY = {"key": "k", "operator": "Exists"}
NARROW = KEY | {"effect": "NoSchedule"}
VALUE = {"key": "k", "operator": "Equal", "value": "v"}
SHORT = KEY | {"effect": "NoExecute", "tolerationSeconds": 3}
LONG = KEY | {"effect": "NoExecute", "tolerationSeconds": 9}
OTHER = {"key": "o", "operator": "Exists"}


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ([], [], []),
        ([KEY], [KEY], [KEY]),
        ([NARROW], [KEY], [KEY]),
        ([KEY], [NARROW, OTHER], [KEY, OTHER]),
        ([VALUE], [ALL], [ALL]),
        ([SHORT], [LONG], [LONG]),
        ([LONG], [SHORT], [LONG]),
        ([KEY], [VALUE | {"key": "o"}], [KEY, VALUE | {"key": "o"}]),
    ],
)
def test_what_another_tolerates_anyway_is_left_out(one: Any, other: Any, expected: Any) -> None:
    assert tolerations.merge(one, other) == expected


def test_of_very_many_not_all_pairs_are_looked_at() -> None:
    many = [{"key": str(number), "operator": "Exists"} for number in range(100_000)]
    assert tolerations.merge(many, many) == [*many, *many]
