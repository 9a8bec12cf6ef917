import asyncio
import threading
from typing import Any

from pykube_cp.api.threads import LARGE, THREADS, LargeBodies, Turns


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_users_take_turns() -> None:
    turns, served = Turns(1), list[str]()

    async def work(user: str) -> None:
        await turns.take(user)
        served.append(user)
        turns.give_back()

    await turns.take("first")
    waiting = [asyncio.ensure_future(work(user)) for user in ("a", "a", "a", "b", "c", "c")]
    await settle()
    turns.give_back()
    await asyncio.gather(*waiting)
    assert served == ["a", "b", "c", "a", "c", "a"]


async def test_who_goes_away_leaves_his_turn_to_others() -> None:
    turns = Turns(1)
    await turns.take("a")
    early, late, last = (asyncio.ensure_future(turns.take(user)) for user in ("b", "c", "d"))
    await settle()
    early.cancel()
    await settle()
    turns.give_back()
    late.cancel()  # it was its turn already
    await last
    turns.give_back()
    await turns.take("e")


async def test_small_bodies_are_read_at_once() -> None:
    bodies = LargeBodies()
    assert await bodies.read("a", LARGE, threading.get_ident) == threading.get_ident()
    assert await bodies.read("a", LARGE + 1, threading.get_ident) != threading.get_ident()


async def test_a_turn_lasts_as_long_as_the_work() -> None:
    bodies, begun, go_on = LargeBodies(), threading.Semaphore(0), threading.Event()

    def slow() -> None:
        begun.release()
        go_on.wait()

    given_up = [asyncio.ensure_future(bodies.read("a", LARGE + 1, slow)) for _ in range(THREADS)]
    await settle()
    for _ in given_up:
        begun.acquire()
    waits = asyncio.ensure_future(bodies.read("b", LARGE + 1, str, 1))
    for each in given_up:
        each.cancel()
    await settle()
    assert not waits.done()
    go_on.set()
    assert await waits == "1"
    results: list[Any] = [await bodies.read("c", LARGE + 1, str, number) for number in range(3)]
    assert results == ["0", "1", "2"]
