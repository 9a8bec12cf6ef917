"""Owners that are named twice."""

from pykube_cp.api import owners, respond


def owner(uid: str, **more: object) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": uid, **more}


def test_the_first_stays_and_the_client_is_warned() -> None:
    given = [owner("1"), owner("2"), owner("1"), owner("1", controller=True), owner("2")]
    obj = {"metadata": {"ownerReferences": given}}
    warnings: list[str] = []
    owners.deduplicate(obj, warnings)
    assert obj["metadata"]["ownerReferences"] == [given[0], given[1], given[3]]
    assert len(warnings) == 1
    assert warnings[0].endswith("duplicate UID(s) observed: 1, 2")
    owners.deduplicate(obj, warnings)
    assert len(warnings) == 1


def test_what_plugins_have_doubled_is_said_to_be_theirs() -> None:
    obj = {"metadata": {"ownerReferences": [owner("1"), owner("1")]}}
    warnings: list[str] = []
    owners.deduplicate(obj, warnings, after_admission=True)
    assert "contains duplicate entries after mutating admission happens; API" in warnings[0]


def test_warnings_that_are_too_long_together_are_shortened() -> None:
    texts = [f"{number:03}{'x' * 400}" for number in range(30)]
    assert respond.unique_warnings([*texts[:10], "", texts[0]]) == texts[:10]
    kept = respond.unique_warnings(texts)
    assert {len(text) for text in kept} == {256}
    assert [text[:3] for text in kept] == [f"{number:03}" for number in range(16)]
