"""Shared objects that somebody changes are found out."""

from collections.abc import Iterator

import pytest

from pykube_cp.machinery import verify


@pytest.fixture(autouse=True)
def _verifying() -> Iterator[None]:
    before = verify.enabled()
    verify.enable()
    yield
    verify.enable(on=before)


def test_a_changed_object_is_found_out() -> None:
    obj = {"metadata": {"name": "a"}}
    found = verify.seal(obj, "pods/a")
    verify.check(found)
    obj["metadata"]["name"] = "b"
    with pytest.raises(verify.MutationError, match="pods/a"):
        verify.check(found)


def test_a_cache_is_checked_as_a_whole() -> None:
    detector = verify.MutationDetector("pods")
    one, other = {"a": 1}, {"b": 1}
    detector.add(one, other)
    detector.check(live=[other])
    one["a"] = 2  # no longer in the cache, so nobody's business
    detector.check()
    other["b"] = 2
    with pytest.raises(verify.MutationError):
        detector.check()


def test_off_costs_nothing() -> None:
    verify.enable(on=False)
    assert verify.seal({"a": 1}) is None
    verify.check(None)
    verify.require(lambda: False, "never asked")
    verify.enable()
    with pytest.raises(AssertionError, match="asked"):
        verify.require(lambda: False, "asked")
