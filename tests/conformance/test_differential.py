"""The frame of the differential tests, without servers."""

import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parents[2]
sys.path.append(str(HERE / "conformance" / "differential"))

import excuses  # noqa: E402 - from a folder of scripts
import generate  # noqa: E402 - as above
import script  # noqa: E402 - as above
from normalise import Normaliser, differences  # noqa: E402 - as above

ONE, OTHER = "0b0e4b0a-1111-4222-8333-444455556666", "7c9d6a1b-1111-4222-8333-444455556666"


def same(one: Any, other: Any, given: str = "") -> bool:
    found = (Normaliser(given, "server:1").value(one), Normaliser(given, "server:2").value(other))
    return not list(differences(*found))


def test_every_case_can_be_read_and_has_a_name_of_its_own() -> None:
    titles = [case.title for case in script.load()]
    assert titles
    assert len(titles) == len(set(titles))


def test_generated_cases_can_be_sent() -> None:
    cases = list(generate.cases())
    assert len(cases) > 10_000
    for case in cases[::97]:
        for step in case.steps:
            step.payload({"ns": "x"})


def test_a_meant_difference_is_documented() -> None:
    text = (HERE / "docs" / "compatibility.md").read_text()
    for excuse in excuses.load():
        assert excuse.why in text, excuse.case


def test_an_excuse_may_ask_for_what_upstream_answers() -> None:
    given = {"^a: b": {"why": "because", "upstream": "not (compiled|found)"}, "^a": "always"}
    asking, plain = excuses.parse(given)
    assert asking.holds("a: b", ["is not compiled", "not found"])
    assert not asking.holds("a: b", ["is not compiled", "is compiled"])
    assert not asking.holds("a: b", [])
    assert not asking.holds("a: c", ["is not compiled"])
    assert excuses.reason([asking, plain], "a: b", ["is compiled"]) == "always"
    assert not excuses.reason([asking], "a: b", ["is compiled"])


def test_what_is_random_is_equal_if_it_recurs_alike() -> None:
    meta = {"uid": ONE, "resourceVersion": "12"}
    assert same(meta, {"uid": OTHER, "resourceVersion": "15"})
    assert same({"a": ONE, "b": ONE}, {"a": OTHER, "b": OTHER})
    assert not same({"a": ONE, "b": ONE}, {"a": OTHER, "b": ONE})


def test_what_a_service_is_given_is_random_in_tables_too() -> None:
    assert same({"cells": ["10.96.0.9", "80:31234/TCP"]}, {"cells": ["10.96.7.1", "80:30001/TCP"]})
    assert not same({"cells": ["80:31234/TCP"]}, {"cells": ["80/TCP"]})
    assert not same({"cells": ["10.96.0.9"]}, {"cells": ["None"]})
    assert not same({"cells": ["10.96.0.9"]}, {"cells": ["10.96.7.1"]}, given="10.96.0.9")


def test_what_the_case_gives_is_compared_as_it_is() -> None:
    assert not same({"uid": ONE}, {"uid": OTHER}, given=ONE)
    assert not same({"resourceVersion": "12"}, {"resourceVersion": ""})


def refusal(*fields: str) -> dict[str, Any]:
    causes = [{"field": field, "message": "Required value"} for field in fields]
    texts = ", ".join(f"{field}: Required value" for field in fields)
    return {"message": f"X is invalid: [{texts}]", "details": {"causes": causes}}


def test_members_of_a_map_are_judged_in_any_order() -> None:
    one = refusal("a", "b[x].y", "b[x].z", "b[y]", "c[0]", "c[1]")
    assert same(one, refusal("a", "b[y]", "b[x].y", "b[x].z", "c[0]", "c[1]"))
    assert not same(one, refusal("a", "b[y]", "b[x].z", "b[x].y", "c[0]", "c[1]"))
    assert not same(one, refusal("a", "b[x].y", "b[x].z", "b[y]", "c[1]", "c[0]"))
    assert not same(one, refusal("b[x].y", "a", "b[x].z", "b[y]", "c[0]", "c[1]"))


def test_a_number_in_a_quoted_object_is_no_version() -> None:
    one, other = [{"resourceVersion": "300"}], [{"resourceVersion": "301"}]
    quoted = {"message": r'Invalid value: "{\"seconds\":300}"'}
    assert same([*one, quoted], [*other, quoted])
    assert same([*one, {"message": "at 300"}], [*other, {"message": "at 301"}])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1}, {"a": 1.0}),
        ({"a": 1}, {"a": True}),
        ({"a": None}, {}),
        ({"a": []}, {"a": None}),
        ({"a": [1]}, {"a": [1, 2]}),
        ({"clusterIP": "10.96.0.1"}, {"clusterIP": ""}),
        ({"time": "2001-01-01T00:00:00Z"}, {"time": "2001-01-01T00:00:01Z"}),
    ],
)
def test_differences_are_seen(one: Any, other: Any) -> None:
    assert not same(one, other)


def test_owners_that_managed_fields_name() -> None:
    def owner(uid: str) -> Any:
        return {"metadata": {"uid": uid}, "z": {f'k:{{"uid":"{uid}"}}': {}}}

    assert same(owner(ONE), owner(OTHER))


def test_managers_that_a_message_quotes_are_in_no_order() -> None:
    one, other = (r"{\"manager\":\"a\",\"fieldsV1\":{\"f:a\":{}}}", r"{\"manager\":\"b\"}")
    texts = [
        rf'"{{\"managedFields\":[{",".join(each)}]}}": bad' for each in ((one, other), (other, one))
    ]
    assert same({"message": texts[0]}, {"message": texts[1]})


def test_cases_of_the_same_flags_run_together() -> None:
    found = script.by_flags(script.load())
    assert next(iter(found)) == ()
    assert all({case.flags for case in cases} == {flags} for flags, cases in found.items())
    assert ("--feature-gates=CBORServingAndStorage=true",) in found
