"""What every Storage must do; each ``check_*`` takes one that is started and empty.

``CHECKS`` lists them all. ``Recorder`` listens to a storage and can judge what it heard by etcd's
guarantees on watches.
"""
# upstream: etcd.io/etcd website, docs/v3.5/learning/api_guarantees.md Watch APIs

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from itertools import pairwise

import pytest

from pykube_cp.storage.interface import (
    ABSENT,
    Compacted,
    Conflict,
    Delete,
    Event,
    FutureRevision,
    KeyValue,
    Put,
    Range,
    Storage,
)

P = "/registry/core/pods/"


def put(
    key: str,
    text: str = "v",
    expected: int | None = None,
    expires_at: float = 0.0,
    note: object = None,
) -> Put:
    """A write whose value ends in the revision it got: ``v@7``."""
    return Put(
        key=key,
        render=lambda revision: f"{text}@{revision}".encode(),
        expected=expected,
        expires_at=expires_at,
        note=note,
    )


def delete(key: str, expected: int | None = None, text: str = "gone") -> Delete:
    return Delete(key=key, render=lambda revision: f"{text}@{revision}".encode(), expected=expected)


async def write(storage: Storage, *keys: str) -> list[int]:
    return [(await storage.commit([put(key)]))[0] for key in keys]


def keys_of(found: Range) -> list[str]:
    return [kv.key for kv in found.items]


class Recorder:
    """What a storage told a listener, batch by batch."""

    def __init__(self, storage: Storage) -> None:
        self.first = storage.revision
        self.batches: list[list[Event]] = []
        self.end = storage.listen(self._take)

    def _take(self, events: Sequence[Event]) -> None:
        self.batches.append(list(events))

    @property
    def events(self) -> list[Event]:
        return [event for batch in self.batches for event in batch]

    @property
    def revisions(self) -> list[int]:
        return [event.revision for event in self.events]

    async def judge(self, storage: Storage) -> None:
        """Ordered, unique, reliable, resumable: as etcd promises of a watch."""
        revisions = self.revisions
        assert revisions == sorted(revisions), "ordered: later events have later revisions"
        assert len(set(revisions)) == len(revisions), "unique: no event comes twice"
        kept = await storage.history("", self.first)
        assert [event.revision for event in kept] == revisions, "reliable: no event is left out"
        for after in revisions:
            rest = [event.revision for event in await storage.history("", after)]
            assert rest == [each for each in revisions if each > after], "resumable from anywhere"


# Reading and writing.


async def check_a_write_can_be_read(storage: Storage) -> None:
    before = storage.revision
    revisions = await storage.commit([put(P + "a", expected=ABSENT)])
    assert len(revisions) == 1
    revision = revisions[0]
    assert storage.revision == revision > before
    found = await storage.get(P + "a")
    assert found == KeyValue(P + "a", f"v@{revision}".encode(), revision, revision)


async def check_what_is_absent_is_none(storage: Storage) -> None:
    assert await storage.get(P + "a") is None
    found = await storage.range(P)
    assert (found.items, found.more, found.total) == ([], False, 0)
    assert found.revision == storage.revision


async def check_revisions_rise_and_are_never_given_twice(storage: Storage) -> None:
    given = [storage.revision]
    for number in range(5):
        given += await storage.commit([put(P + "a"), put(P + f"b{number}"), delete(P + "a")])
        with pytest.raises(Conflict):
            await storage.commit([put(P + "a", expected=given[-1])])
    assert all(earlier < later for earlier, later in pairwise(given))


async def check_a_key_keeps_its_create_revision_until_it_is_deleted(storage: Storage) -> None:
    first, second = await write(storage, P + "a", P + "a")
    found = await storage.get(P + "a")
    assert found is not None
    assert (found.revision, found.create_revision) == (second, first)
    await storage.commit([delete(P + "a")])
    (again,) = await write(storage, P + "a")
    found = await storage.get(P + "a")
    assert found is not None
    assert found.create_revision == again


async def check_the_expected_revision_must_be_that_of_the_key(storage: Storage) -> None:
    first, other, second = await write(storage, P + "a", P + "b", P + "a")
    for stale in (first, other, ABSENT, second + 100):
        for operation in (put(P + "a", expected=stale), delete(P + "a", expected=stale)):
            with pytest.raises(Conflict) as caught:
                await storage.commit([operation])
            assert caught.value.key == P + "a"
            assert caught.value.actual == await storage.get(P + "a")
    await storage.commit([put(P + "a", expected=second)])
    assert await storage.commit([delete(P + "a")])


async def check_a_missing_key_conflicts_with_any_revision_but_absent(storage: Storage) -> None:
    (gone,) = await write(storage, P + "a")
    await storage.commit([delete(P + "a", expected=gone)])
    for operation in (put(P + "a", expected=gone), delete(P + "a", expected=gone)):
        with pytest.raises(Conflict) as caught:
            await storage.commit([operation])
        assert caught.value.actual is None
    await storage.commit([put(P + "a", expected=ABSENT)])


async def check_a_commit_is_all_or_nothing(storage: Storage) -> None:
    heard = Recorder(storage)
    (mine,) = await write(storage, P + "a")
    with pytest.raises(Conflict):
        await storage.commit(
            [put(P + "a", "new", expected=mine), put(P + "b"), delete(P + "c", expected=mine)]
        )
    assert await storage.get(P + "b") is None
    found = await storage.get(P + "a")
    assert found is not None
    assert found.revision == mine
    assert heard.revisions == [mine]
    revisions = await storage.commit([put(P + "b"), put(P + "a", expected=mine), put(P + "c")])
    assert revisions == sorted(revisions)
    assert [event.key for event in heard.batches[-1]] == [P + "b", P + "a", P + "c"]


async def check_racing_writers_have_one_winner(storage: Storage) -> None:
    (seen,) = await write(storage, P + "a")
    outcomes = await asyncio.gather(
        *(storage.commit([put(P + "a", str(number), expected=seen)]) for number in range(10)),
        return_exceptions=True,
    )
    won = [outcome for outcome in outcomes if isinstance(outcome, list)]
    lost = [outcome for outcome in outcomes if isinstance(outcome, Conflict)]
    assert (len(won), len(lost)) == (1, 9)
    found = await storage.get(P + "a")
    assert found is not None
    assert [found.revision] == won[0]


# Ranges.


async def check_a_range_is_in_order_of_keys(storage: Storage) -> None:
    names = ["b", "a", "a-b", "a/b", "a0", "é", "z"]
    await write(storage, *(P + name for name in names), "/registry/core/podsx/a", "/registry/z")
    found = await storage.range(P)
    assert keys_of(found) == sorted(P + name for name in names)
    assert found.total == len(names)
    assert keys_of(await storage.range(P + "a/")) == [P + "a/b"]


async def check_a_range_can_be_cut_and_continued(storage: Storage) -> None:
    names = [P + str(number) for number in range(5)]
    await write(storage, *names)
    page = await storage.range(P, limit=2)
    assert (keys_of(page), page.more, page.total) == (names[:2], True, 5)
    rest = await storage.range(P, start=names[1] + "\0", revision=page.revision, limit=3)
    assert (keys_of(rest), rest.more, rest.total) == (names[2:], False, 3)


async def check_the_past_can_be_read(storage: Storage) -> None:
    one, two = await write(storage, P + "a", P + "b")
    (three,) = await storage.commit([put(P + "a", "changed")])
    (four,) = await storage.commit([delete(P + "b")])
    assert keys_of(await storage.range(P, revision=one)) == [P + "a"]
    then = await storage.range(P, revision=two)
    assert [kv.value for kv in then.items] == [f"v@{one}".encode(), f"v@{two}".encode()]
    assert then.revision == two
    cut = await storage.range(P, revision=three, limit=1)
    assert (keys_of(cut), cut.more, cut.total) == ([P + "a"], True, 2)
    assert keys_of(await storage.range(P, revision=four)) == [P + "a"]
    old = await storage.get(P + "a", revision=two)
    assert old is not None
    assert old.value == f"v@{one}".encode()
    assert await storage.get(P + "b", revision=one) is None
    assert await storage.get(P + "b", revision=four) is None


async def check_the_future_cannot_be_read(storage: Storage) -> None:
    (now,) = await write(storage, P + "a")
    for call in (storage.get(P + "a", revision=now + 1), storage.range(P, revision=now + 1)):
        with pytest.raises(FutureRevision) as caught:
            await call
        assert (caught.value.revision, caught.value.current) == (now + 1, now)


async def check_a_range_holds_nothing_later_than_its_revision(storage: Storage) -> None:
    """Else whoever lists and then watches gets the same write twice, or misses a deletion."""

    async def churn(number: int) -> None:
        for _ in range(10):
            await storage.commit([put(P + str(number))])
            await storage.commit([delete(P + str(number))])

    async def look() -> None:
        for _ in range(40):
            found = await storage.range(P)
            then = await storage.range(P, revision=found.revision)
            assert found.items == then.items
            assert (found.total, found.more) == (then.total, then.more)

    await write(storage, P + "stays")
    await asyncio.gather(look(), *(churn(number) for number in range(4)))


# Events.


async def check_history_tells_what_was_before(storage: Storage) -> None:
    start = storage.revision
    one, _, two = await write(storage, P + "a", "/registry/other", P + "a")
    (three,) = await storage.commit([delete(P + "a", text="last")])
    (four,) = await write(storage, P + "a")
    told = [
        (event.revision, event.deleted, event.value, event.previous, event.create_revision)
        for event in await storage.history(P, start)
    ]
    v1, v2, last, v4 = (
        f"{text}@{at}".encode()
        for text, at in (("v", one), ("v", two), ("last", three), ("v", four))
    )
    assert told == [
        (one, False, v1, None, one),
        (two, False, v2, v1, one),
        (three, True, last, v2, one),
        (four, False, v4, None, four),
    ]
    assert [event.revision for event in await storage.history(P, two)] == [three, four]
    assert await storage.history(P, four) == []


async def check_listeners_hear_before_the_writer(storage: Storage) -> None:
    heard = Recorder(storage)
    for number in range(3):
        (revision,) = await write(storage, P + str(number))
        assert heard.revisions[-1] == revision == storage.revision
    heard.end()
    await write(storage, P + "later")
    assert len(heard.events) == 3


async def check_listeners_are_told_in_order(storage: Storage) -> None:
    """Ordered, unique, reliable, resumable, whatever the number of writers."""
    heard, other = Recorder(storage), Recorder(storage)

    async def writer(number: int) -> None:
        for _ in range(5):
            await storage.commit([put(P + str(number)), put(P + "shared")])

    await asyncio.gather(*(writer(number) for number in range(8)))
    assert len(heard.events) == 80
    assert heard.events == other.events
    await heard.judge(storage)


async def check_a_commit_is_heard_whole(storage: Storage) -> None:
    """Atomic: the writes of one commit are never in two batches."""
    heard = Recorder(storage)
    commits = [[put(P + f"{number}-a"), put(P + f"{number}-b")] for number in range(10)]
    revisions = await asyncio.gather(*(storage.commit(operations) for operations in commits))
    for pair in revisions:
        homes = [
            index
            for index, batch in enumerate(heard.batches)
            if {event.revision for event in batch} & set(pair)
        ]
        assert len(homes) == 1


async def check_notes_reach_the_listeners(storage: Storage) -> None:
    heard, note = Recorder(storage), object()
    await storage.commit([put(P + "a", note=note)])
    assert heard.events[0].note is note
    assert (await storage.history(P, heard.first))[0].note is None


async def check_a_refused_write_leaves_the_revision(storage: Storage) -> None:
    """Otherwise a reader would be told of a revision that a later writer may get again."""
    (now,) = await write(storage, P + "a")
    with pytest.raises(Conflict):
        await storage.commit([put(P + "a", expected=ABSENT)])
    assert storage.revision == now
    assert (await storage.range(P)).revision == now


async def check_what_cannot_be_rendered_leaves_no_trace(storage: Storage) -> None:
    def refuse(revision: int) -> bytes:
        raise ValueError(revision)

    (now,) = await write(storage, P + "a")
    heard = Recorder(storage)
    with pytest.raises(ValueError, match=str(now + 2)):
        await storage.commit([put(P + "b"), Put(key=P + "c", render=refuse, expected=None)])
    assert (storage.revision, keys_of(await storage.range(P))) == (now, [P + "a"])
    (later,) = await write(storage, P + "d")
    assert heard.revisions == [later]
    await heard.judge(storage)


# Compaction and expiry.


async def check_compaction_forgets_the_past_but_not_the_present(storage: Storage) -> None:
    one, two, three = await write(storage, P + "a", P + "old", P + "a")
    await storage.commit([delete(P + "dead"), put(P + "dead"), delete(P + "dead")])
    (four,) = await write(storage, P + "a")
    await storage.compact(three)
    assert storage.compacted == three
    for call in (
        storage.get(P + "a", revision=one),
        storage.range(P, revision=two),
        storage.history(P, two),
    ):
        with pytest.raises(Compacted) as caught:
            await call
        assert caught.value.compacted == three
    then = await storage.range(P, revision=three)
    assert [(kv.key, kv.revision) for kv in then.items] == [(P + "a", three), (P + "old", two)]
    told = await storage.history(P, three)
    assert told[-1].revision == four
    assert told[-1].previous == f"v@{three}".encode()
    assert keys_of(await storage.range(P)) == [P + "a", P + "old"]


async def check_compaction_never_goes_back_or_ahead(storage: Storage) -> None:
    first, last = await write(storage, P + "a", P + "a")
    await storage.compact(last + 100)
    assert storage.compacted == last
    await storage.compact(first)
    assert storage.compacted == last
    found = await storage.get(P + "a", revision=last)
    assert found is not None
    assert await storage.history(P, last) == []
    (after,) = await write(storage, P + "a")
    assert after > last


async def check_deleted_keys_do_not_outlive_compaction(storage: Storage) -> None:
    await write(storage, P + "a")
    (gone,) = await storage.commit([delete(P + "a")])
    await storage.compact(gone)
    assert (await storage.range(P, revision=gone)).items == []
    (again,) = await write(storage, P + "a")
    told = await storage.history(P, gone)
    assert [(event.revision, event.previous) for event in told] == [(again, None)]


async def check_expired_keys_are_found(storage: Storage) -> None:
    await storage.commit([put(P + "soon", expires_at=10.0), put(P + "late", expires_at=20.0)])
    await storage.commit([put(P + "never"), put(P + "deleted", expires_at=5.0)])
    await storage.commit([delete(P + "deleted")])
    assert await storage.expired(9.9, 10) == []
    assert [kv.key for kv in await storage.expired(10.0, 10)] == [P + "soon"]
    assert len(await storage.expired(30.0, 1)) == 1
    await storage.commit([put(P + "soon", expires_at=40.0)])
    assert [kv.key for kv in await storage.expired(30.0, 10)] == [P + "late"]
    await storage.commit([put(P + "late")])
    assert await storage.expired(30.0, 10) == []


async def check_it_knows_its_size(storage: Storage) -> None:
    await storage.commit([put(P + "a", "x" * 5000)])
    assert storage.size > 5000


CHECKS: tuple[Callable[[Storage], Awaitable[None]], ...] = (
    check_a_write_can_be_read,
    check_what_is_absent_is_none,
    check_it_knows_its_size,
    check_revisions_rise_and_are_never_given_twice,
    check_a_key_keeps_its_create_revision_until_it_is_deleted,
    check_the_expected_revision_must_be_that_of_the_key,
    check_a_missing_key_conflicts_with_any_revision_but_absent,
    check_a_commit_is_all_or_nothing,
    check_racing_writers_have_one_winner,
    check_a_range_is_in_order_of_keys,
    check_a_range_can_be_cut_and_continued,
    check_the_past_can_be_read,
    check_the_future_cannot_be_read,
    check_a_range_holds_nothing_later_than_its_revision,
    check_history_tells_what_was_before,
    check_listeners_hear_before_the_writer,
    check_listeners_are_told_in_order,
    check_a_commit_is_heard_whole,
    check_notes_reach_the_listeners,
    check_a_refused_write_leaves_the_revision,
    check_what_cannot_be_rendered_leaves_no_trace,
    check_compaction_forgets_the_past_but_not_the_present,
    check_compaction_never_goes_back_or_ahead,
    check_deleted_keys_do_not_outlive_compaction,
    check_expired_keys_are_found,
)
