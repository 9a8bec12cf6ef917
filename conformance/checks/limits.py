#!/usr/bin/env python3
"""Requests that are meant to hurt: each is answered, and meanwhile others are served.

Sends what the limits cases of the differential tests hold (bodies too large, too deep, multiplying
aliases, patches of ten thousand operations) and large objects that are right, over and over from several
connections, to our API server, and then to kube-apiserver on etcd. Beside that, one client reads a small
object again and again. Prints how long it waited, and what memory the servers took.
"""

import argparse
import asyncio
import json
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import kube

sys.path.insert(0, str(kube.CONFORMANCE / "differential"))
import script
import servers
from exchange import Server

LONGEST_WAIT = 1.5
"""Seconds that a small request may take while others hurt; two processors serve all of it."""
MEMORY = 400
"""MiB that the server may take at most."""
PAUSE = 0.01
SMALL = "/api/v1/namespaces/default"


@dataclass(frozen=True, slots=True)
class Hostile:
    """One request."""

    title: str
    method: str
    path: str
    body: bytes
    kind: str


@dataclass(slots=True)
class Seen:
    """What a server did under fire."""

    waits: list[float] = field(default_factory=list)
    longest: dict[str, float] = field(default_factory=dict)
    codes: Counter[int] = field(default_factory=Counter)
    broken: Counter[str] = field(default_factory=Counter)
    memory: int = 0


def requests() -> list[Hostile]:
    """The bodies of the limits cases, and large objects that are right."""
    return [*_of_cases(), *_large()]


def _of_cases() -> Iterator[Hostile]:
    variables = {"ns": "default"}
    for case in script.read(script.CASES / "limits.yaml"):
        for step in case.steps:
            body = step.payload(variables)
            if body is not None and "timeout" not in step.path:
                path = script.expand(script.fill(step.path, variables))
                title = f"{case.name}: {step.method} {step.content_type()}"
                yield Hostile(title, step.method, path, body, step.content_type() or "")


def _large() -> Iterator[Hostile]:
    env = [{"name": f"n{number}", "value": "v"} for number in range(20_000)]
    container = {"name": "c", "image": "i", "env": env}
    pod = {"metadata": {"generateName": "large-"}, "spec": {"containers": [container]}}
    data = {f"k{number}": "v" for number in range(60_000)}
    for title, kind, obj in (
        ("a pod with 20,000 variables", "pods", pod),
        (
            "a config map with 60,000 keys",
            "configmaps",
            {"metadata": pod["metadata"], "data": data},
        ),
    ):
        body = json.dumps(obj).encode()
        path = f"/api/v1/namespaces/default/{kind}"
        yield Hostile(title, "POST", f"{path}?dryRun=All", body, "application/json")


async def fire(
    session: aiohttp.ClientSession, server: Server, supply: Iterator[Hostile], seen: Seen
) -> None:
    """Send one after the other until there are none."""
    for request in supply:
        begin = time.monotonic()
        try:
            async with session.request(
                request.method,
                server.url + request.path,
                data=request.body,
                headers={"Content-Type": request.kind},
                ssl=server.contexts["admin"],
            ) as answer:
                await answer.read()
                seen.codes[answer.status] += 1
        except (aiohttp.ClientError, TimeoutError) as error:
            seen.broken[f"{request.title}: {type(error).__name__}"] += 1
        took = time.monotonic() - begin
        seen.longest[request.title] = max(took, seen.longest.get(request.title, 0.0))


async def read_on(session: aiohttp.ClientSession, server: Server, seen: Seen) -> None:
    """Read a small object until cancelled."""
    while True:
        begin = time.monotonic()
        async with session.get(server.url + SMALL, ssl=server.contexts["admin"]) as answer:
            await answer.read()
        seen.waits.append(time.monotonic() - begin)
        await asyncio.sleep(PAUSE)


async def attack(server: Server, rounds: int, at_once: int, pid: int) -> Seen:
    seen = Seen()
    supply = iter(requests() * rounds)
    patience = aiohttp.ClientTimeout(total=90)
    async with (
        aiohttp.ClientSession(timeout=patience) as fires,
        aiohttp.ClientSession(timeout=patience) as reads,
    ):
        reading = asyncio.create_task(read_on(reads, server, seen))
        await asyncio.gather(*(fire(fires, server, supply, seen) for _ in range(at_once)))
        reading.cancel()
    seen.memory = _peak(pid)
    return seen


def _peak(pid: int) -> int:
    """MiB that a process took at most."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) >> 10


def _pid(port: int) -> int:
    """Of the process whose command line names the port."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            words = (entry / "cmdline").read_bytes().split(b"\0")
            if any(word.endswith(str(port).encode()) for word in words) and b"sh" not in words[0]:
                return int(entry.name)
    raise LookupError(f"no process on port {port}")


def show(name: str, seen: Seen) -> None:
    waits = sorted(seen.waits)
    print(
        f"{name:9} {seen.codes.total():5} answered {dict(sorted(seen.codes.items()))}; "
        f"small requests {len(waits)}, median {statistics.median(waits) * 1000:.0f} ms, "
        f"99 of 100 within {waits[int(len(waits) * 0.99)] * 1000:.0f} ms, "
        f"longest {waits[-1] * 1000:.0f} ms; peak memory {seen.memory} MiB"
    )
    slowest = sorted(seen.longest.items(), key=lambda item: -item[1])[:5]
    for title, seconds in slowest:
        print(f"          {seconds:6.2f} s  {title}")
    for title, count in seen.broken.items():
        print(f"          {count} broken: {title}")


def judge(seen: Seen, tally: kube.Tally) -> None:
    tally.check("every request is answered", holds=not seen.broken, saw=str(dict(seen.broken)))
    longest = max(seen.waits)
    text = f"longest {longest:.2f} s, {LONGEST_WAIT} allowed"
    tally.check("others are served meanwhile", holds=longest <= LONGEST_WAIT, saw=text)
    text = f"{seen.memory} MiB, {MEMORY} allowed"
    tally.check("memory stays bounded", holds=seen.memory <= MEMORY, saw=text)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--directory", type=Path, required=True, help="where the servers keep state"
    )
    parser.add_argument("--rounds", type=int, default=3, help="how often all is sent")
    parser.add_argument("--at-once", type=int, default=4, help="connections that send it")
    parser.add_argument("--alone", action="store_true", help="without upstream beside")
    options = parser.parse_args(argv)
    if not options.alone:
        servers.fetch()
    place = servers.Place(options.directory.resolve(), 500)
    begin = servers.ours_alone if options.alone else servers.both
    tally = kube.Tally()
    with begin(place) as running:
        for server in reversed(running):
            port = int(server.url.rpartition(":")[2])
            seen = asyncio.run(attack(server, options.rounds, options.at_once, _pid(port)))
            show(server.name, seen)
            if server.name == "ours":
                judge(seen, tally)
    return tally.status()


if __name__ == "__main__":
    sys.exit(main())
