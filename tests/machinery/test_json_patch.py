"""Limits of JSON patches."""

import pytest

from pykube_cp.machinery import json_patch


def test_too_many_operations() -> None:
    steps = [{"op": "add", "path": "/a", "value": 1}] * 10_001
    with pytest.raises(json_patch.PatchError) as caught:
        json_patch.compile_patch(steps)({})
    assert caught.value.too_large
    text = "The allowed maximum operations in a JSON patch is 10000, got 10001"
    assert str(caught.value) == text


def test_copies_may_not_grow_without_bound() -> None:
    steps = [{"op": "copy", "from": "/a", "path": f"/{n}"} for n in range(4)]
    with pytest.raises(json_patch.PatchError, match="exceeding the limit 3145728"):
        json_patch.compile_patch(steps)({"a": "x" * 1_000_000})


def test_what_is_no_patch_is_malformed() -> None:
    with pytest.raises(json_patch.PatchError) as caught:
        json_patch.compile_patch({"op": "add"})({})
    assert caught.value.malformed
    with pytest.raises(json_patch.PatchError) as caught:
        json_patch.merge_patch({}, "x")
    assert caught.value.malformed
    assert json_patch.merge_patch({}, [1, None]) == [1, None]


def test_results_share_nothing() -> None:
    document, value = {"a": {"b": 1}}, {"c": 1}
    made = json_patch.compile_patch([{"op": "add", "path": "/x", "value": value}])(document)
    made["a"]["b"] = made["x"]["c"] = 2
    assert (document, value) == ({"a": {"b": 1}}, {"c": 1})


def test_members_stand_as_upstream_writes_them() -> None:
    document = {"b": {"z": 1, "y": 2}, "a": {"z": 1, "y": 2}}
    patch = json_patch.compile_patch([{"op": "add", "path": "/a/x", "value": {"d": 1, "c": 2}}])
    made = patch(document, as_written=True)
    assert list(made) == ["a", "b"]
    assert list(made["a"]) == ["x", "y", "z"]
    assert [*made["b"], *made["a"]["x"]] == ["z", "y", "d", "c"]  # only passed on
    made = json_patch.merge_patch(document, {"a": {"x": {"d": 1, "c": 2}}}, as_written=True)
    assert [list(made), list(made["a"]["x"])] == [["a", "b"], ["c", "d"]]
