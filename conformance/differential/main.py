#!/usr/bin/env python3
"""make differential: the same requests to kube-apiserver on etcd and to pykube-cp, answers compared.

Prints what differs, the count of each theme, and closes with "N passed, N failed"; the exit status is 0
when nothing failed. A difference that is meant is named in differs.yaml, with the reason in
docs/compatibility.md.
"""

import argparse
import asyncio
import contextlib
import json
import re
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
import excuses
import fakes
import generate
import generate_lifecycle
import generate_lists
import generate_off
import generate_patches
import generate_status
import generate_tables
import network
import script
import servers
from exchange import Server, Talk, run_steps
from normalise import Normaliser, differences
from recorded import Recorded
from script import Case, Step

from pykube_cp.machinery.codec.interface import DecodeError

SETUP_THEME = "bases"
"""What its cases save, all others know."""
SETUP_THEMES = frozenset({SETUP_THEME, "statuses"})
CHANCES = 2
"""So often a case that differs may try again."""
UNSTEADY = 20
"""So many cases may differ at first and be equal alone; they are printed.

There is a clock in some, and some upstream answers in the order of a Go map, which is random.
"""
PLAIN_FLAGS = ("--etcd-compaction-interval=1h",)
"""Where a case asks for none: a run takes longer than upstream keeps old versions."""
SHOWN = 400
"""Characters of a value that are printed."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a case: nothing, or the differences, each a line.

    ``answers`` are upstream's to the steps that differ.
    """

    case: Case
    lines: tuple[str, ...]
    answers: tuple[str, ...] = ()


class Runner:
    """Runs cases on the servers, several at a time; upstream's answers may have been recorded before."""

    def __init__(
        self, servers: tuple[Server, ...], session: aiohttp.ClientSession, recorded: Recorded
    ) -> None:
        self._servers, self._session = servers, session
        self._recorded = recorded
        self._known: dict[str, dict[str, str]] = {}
        self.verdicts: list[Verdict] = []
        self.unsteady: list[Verdict] = []

    async def run(self, cases: Iterable[Case], at_once: int) -> None:
        """Workers share one supply of cases."""
        supply = iter(cases)

        async def work() -> None:
            for case in supply:
                self.verdicts.append(await self._judge(case))

        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(work())

    async def run_again(self) -> None:
        """Give those that differ other chances, alone; what is equal then is noted."""
        meanings = excuses.load()
        unequal = [
            (place, verdict)
            for place, verdict in enumerate(self.verdicts)
            if verdict.lines and verdict.case.theme != SETUP_THEME
            if not excuses.reason(meanings, verdict.case.title, verdict.answers)
        ]
        for place, verdict in unequal[:UNSTEADY]:
            for attempt in range(1, CHANCES + 1):
                again = await self._judge(replace(verdict.case, attempt=attempt))
                if not again.lines:
                    self.unsteady.append(verdict)
                    break
            self.verdicts[place] = again

    async def _judge(self, case: Case) -> Verdict:
        talks = [self._talk(case, server) for server in self._servers]
        try:
            if case.own_namespace:
                await self._prepare(talks)
            *theirs, ours = await asyncio.gather(*(run_steps(case, talk) for talk in talks))
        except (aiohttp.ClientError, TimeoutError, DecodeError) as error:
            return Verdict(case, (f"{type(error).__name__}: {error}",))
        if theirs:
            self._recorded.add(case, theirs[0])
        expected = self._recorded.of(case)
        if expected is None:
            return Verdict(case, ("upstream's answers were not recorded",))
        lines = tuple(_compared(case, expected, ours))
        if case.theme in SETUP_THEMES and not lines and _is_refused(expected):
            lines = ("upstream refuses what other cases are made of",)
        return Verdict(case, lines, tuple(_differing(expected, ours)) if lines else ())

    def _talk(self, case: Case, server: Server) -> Talk:
        namespace = case.namespace if case.own_namespace else generate.NAMESPACE
        given = f"{case.steps!r}"
        normaliser = Normaliser(given, server.url.removeprefix("https://"))
        known = self._known.setdefault(server.name, {})
        variables = known if case.theme == SETUP_THEME else known | {"ns": namespace}
        return Talk(server, self._session, variables, normaliser)

    async def _prepare(self, talks: list[Talk]) -> None:
        """A namespace with the account that its pods run under; no controller is there to make it."""
        account = "/api/v1/namespaces/{ns}/serviceaccounts"
        for path, name in (("/api/v1/namespaces", "{ns}"), (account, "default")):
            step = Step(method="POST", path=path, body={"metadata": {"name": name}})
            for talk in talks:
                answer = await talk.take(step)
                if answer is None or answer.status != 201:
                    raise aiohttp.ClientError(f"{talk.server.name} made no {path}: {answer}")


def _is_refused(answers: list[Any]) -> bool:
    """Whether there is an error among them, besides that something is there already."""
    return any(answer["status"] >= 400 and answer["status"] != 409 for answer in answers)


def _compared(case: Case, theirs: list[Any], ours: list[Any]) -> Iterator[str]:
    steps = [step for step in case.steps if not step.watch]
    pairs = zip(steps, theirs, ours, strict=True)
    for number, (step, one_answer, other_answer) in enumerate(pairs, 1):
        found = list(differences(one_answer, other_answer))
        if found:
            yield f"{number}. {step.title} {_sent(step)}"
        for path, one, other in found:
            yield f"    {path.lstrip('.')}: upstream {_brief(one)}, ours {_brief(other)}"


def _differing(theirs: list[Any], ours: list[Any]) -> Iterator[str]:
    for one, other in zip(theirs, ours, strict=True):
        if any(differences(one, other)):
            yield json.dumps(one)


def _sent(step: Step) -> str:
    if step.body is None and step.text is None:
        return ""
    kind = step.type or step.form
    return f"{kind} {_brief(step.body if step.text is None else step.text)}"


def _brief(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}... ({len(text)} characters)"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--theme", default="", help="regular expression: only themes that match")
    add("--case", default="", help="regular expression: only cases whose name matches")
    add("--every", type=int, default=1, metavar="N", help="of the generated cases only each Nth")
    add("--at-once", type=int, default=12, metavar="N", help="cases at a time")
    add("--directory", type=Path, required=True, help="where the servers keep their state")
    add("--shift", type=int, default=0, help="added to every port")
    add("--show", type=int, default=40, metavar="N", help="failed cases that are printed")
    add("--replay", action="store_true", help="take upstream's answers from earlier runs")
    add("--list", action="store_true", help="print the names of the cases, and run none")
    return parser.parse_args()


def selected(options: argparse.Namespace) -> list[Case]:
    generators = (
        generate,
        generate_status,
        generate_lifecycle,
        generate_patches,
        generate_lists,
        generate_tables,
        generate_off,
    )
    made = [case for each in generators for case in each.cases()][:: options.every]
    return [
        case
        for case in (*script.load(), *made)
        if re.search(options.theme, case.theme) and re.search(options.case, case.name)
        if network.is_own() or not case.network
    ]


async def run(
    pair: tuple[Server, ...],
    place: servers.Place,
    cases: list[Case],
    recorded: Recorded,
    at_once: int,
) -> list[Verdict]:
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=30)
    patience = aiohttp.ClientTimeout(total=60)
    async with (
        aiohttp.ClientSession(connector=connector, timeout=patience) as session,
        _fakes(place),
    ):
        runner = Runner(pair, session, recorded)
        await runner.run(_setup(cases), 1)
        progress = asyncio.create_task(_progress(runner, len(cases)))
        await runner.run((case for case in cases if case.alone), 1)
        await runner.run((case for case in cases if not case.alone), at_once)
        progress.cancel()
        await runner.run_again()
    for verdict in runner.unsteady:
        print("\n".join((f"DIFFERED ONCE {verdict.case.title}", *verdict.lines)))
    return runner.verdicts


def _setup(cases: list[Case]) -> Iterable[Case]:
    """What the cases of a pass are made of."""
    flags = cases[0].flags
    if flags == generate_off.FLAGS:
        return (*generate.setup(), *generate_off.setup())
    return () if flags else (*generate.setup(), *generate_status.setup())


def _fakes(place: servers.Place) -> contextlib.AbstractAsyncContextManager[None]:
    """Nodes and pods to connect to, where there is a network for them."""
    if not network.is_own():
        return contextlib.nullcontext()
    return fakes.running(servers.node_certificate(place), place.pki / "ca.crt")


async def _progress(runner: Runner, total: int) -> None:
    begin = time.monotonic()
    while True:
        await asyncio.sleep(15)
        failed = sum(bool(verdict.lines) for verdict in runner.verdicts)
        seconds = time.monotonic() - begin
        say(f"{len(runner.verdicts)} of {total} done, {failed} differ, {seconds:.0f} s")


def say(text: str) -> None:
    print(f"[{time.strftime('%H:%M:%S')}] {text}", file=sys.stderr, flush=True)


def report(verdicts: list[Verdict], options: argparse.Namespace) -> int:
    """Prints everything; the number of failed cases."""
    meanings = excuses.load()
    passed, failed, meant = Counter[str](), Counter[str](), Counter[str]()
    lines: list[str] = []
    for verdict in verdicts:
        reason = excuses.reason(meanings, verdict.case.title, verdict.answers)
        if not verdict.lines:
            passed[verdict.case.theme] += 1
        elif reason:
            meant[reason] += 1
        else:
            failed[verdict.case.theme] += 1
            lines.append("\n".join((f"DIFFERS {verdict.case.title}", *verdict.lines)))
    target = options.directory / "differences.txt"
    target.write_text("\n".join(lines) + "\n")
    print("\n".join(lines[: options.show]))
    for theme in sorted({*passed, *failed}):
        print(f"{theme:24}{passed[theme]:7} equal{failed[theme]:7} differ")
    for reason, count in meant.items():
        print(f"{count} differ on purpose: {reason}")
    print(f"all differences: {target}")
    print(f"{passed.total()} passed, {failed.total()} failed")
    return failed.total()


def main() -> int:
    options = arguments()
    if not (options.replay or options.list or network.is_own()):
        servers.fetch()
    network.enter()
    cases = selected(options)
    if options.list:
        print("\n".join(case.title for case in cases))
        return 0
    directory = options.directory.resolve()
    recorded = Recorded(directory / "upstream.jsonl")
    begin = servers.ours_alone if options.replay else servers.both
    verdicts: list[Verdict] = []
    for number, (flags, some) in enumerate(script.by_flags(cases).items()):
        say(f"{len(some)} cases with {' '.join(flags) or 'no flags'}")
        place = servers.Place(directory / f"servers{number or ''}", options.shift)
        with begin(place, flags or PLAIN_FLAGS) as pair:
            verdicts += asyncio.run(run(pair, place, some, recorded, options.at_once))
    recorded.save()
    return 1 if report(verdicts, options) else 0


if __name__ == "__main__":
    sys.exit(main())
