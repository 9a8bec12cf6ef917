"""Dry runs take nothing."""

import pytest

from pykube_cp.registry.allocator import (
    AddressAllocator,
    AllocationError,
    PortAllocator,
    Transaction,
)


def test_a_dry_run_asks_only_for_the_range_of_an_address() -> None:
    pool = AddressAllocator("10.96.0.0/16")
    pool.allocate("10.96.0.7")
    attempt = Transaction[str](pool, dry_run=True)
    attempt.allocate("10.96.0.7")
    with pytest.raises(AllocationError, match=r"range of valid IPs is 10\.96\.0\.0/16"):
        attempt.allocate("10.97.0.7")
    assert attempt.allocate_next() == "10.96.0.0"
    attempt.revert()
    assert pool.has("10.96.0.7")


def test_a_dry_run_refuses_ports_that_are_taken() -> None:
    pool = PortAllocator()
    pool.allocate(30001)
    attempt = Transaction[int](pool, dry_run=True)
    attempt.allocate(30002)
    for port in (30001, 30002):
        with pytest.raises(AllocationError, match="already allocated"):
            attempt.allocate(port)
    assert not pool.has(30002)
    assert [attempt.allocate_next() for _ in range(2)] == [30003, 30004]
    assert Transaction[int](pool, dry_run=True).allocate_next() == 32769


def test_a_transaction_that_fails_gives_back_what_it_took() -> None:
    pool = PortAllocator()
    attempt = Transaction[int](pool, dry_run=False)
    taken = attempt.allocate_next()
    assert pool.has(taken)
    attempt.revert()
    assert not pool.has(taken)
