import asyncio

import pytest

from pykube_cp.client.expectations import TIMEOUT, Expectations

pytestmark = pytest.mark.virtual_time


async def test_nothing_expected_is_satisfied() -> None:
    assert Expectations().satisfied("a")


async def test_creations_count_down() -> None:
    expectations = Expectations()
    expectations.expect_creations("a", 3)
    expectations.creation_observed("a")
    assert not expectations.satisfied("a")
    expectations.lower_by("a", creations=1)
    expectations.creation_observed("a")
    assert expectations.satisfied("a")
    expectations.creation_observed("b")
    assert expectations.pending("b") == (0, 0)


async def test_a_deletion_seen_twice_counts_once() -> None:
    expectations = Expectations()
    expectations.expect_deletions("a", ["ns/x", "ns/y"])
    for _ in range(2):
        expectations.deletion_observed("a", "ns/x")
    expectations.deletion_observed("a", "ns/other")
    assert not expectations.satisfied("a")
    assert expectations.deleting("a") == {"ns/y"}
    expectations.deletion_observed("a", "ns/y")
    assert expectations.satisfied("a")


async def test_a_lost_event_does_not_stop_work_for_good() -> None:
    expectations = Expectations()
    expectations.expect_creations("a", 1)
    await asyncio.sleep(TIMEOUT)
    assert not expectations.satisfied("a")
    await asyncio.sleep(1)
    assert expectations.satisfied("a")
