"""Broken encodings: both sides read the same object, or refuse with the same words."""

import random
import re
from collections import Counter
from typing import NamedTuple

from cases import Case
from checks import SHORT, read, without_scheme
from tally import Tally, differences
from upstream import JSON, PROTOBUF, YAML, Answer, Upstream

from pykube_cp.machinery.codec import json
from pykube_cp.machinery.codec.interface import DecodeError
from pykube_cp.machinery.objects import Object
from pykube_cp.testing.mutations import mutated


class Tolerated(NamedTuple):
    """A difference that is known; ``ours`` and ``theirs`` are patterns of what is said."""

    media_type: str
    ours: str
    theirs: str
    reason: str


TOLERATED = (
    Tolerated("", ".*", "no kind .* is registered", "not built in: a custom resource to us"),
    Tolerated(
        YAML,
        "yaml: (control characters|invalid (leading|trailing|Unicode))",
        "yaml: ",
        "of two errors, we see characters that no YAML has first",
    ),
    Tolerated(
        YAML,
        r"yaml: line \d+: could not find expected ':'",
        r"yaml: line \d+: did not find expected key",
        "of two errors, libyaml sees the missing colon first",
    ),
    Tolerated(
        PROTOBUF,
        "unexpected EOF|proto: illegal wireType",
        ".*",
        "a length within a map's entry or a group that leads beyond it",
    ),
    Tolerated(PROTOBUF, "time out of range", ".*", "a year that neither JSON nor we can write"),
    Tolerated(
        PROTOBUF,
        "failed to parse (RawExtension|FieldsV1|JSON) bytes as JSON",
        ".*",
        "free JSON is read at once, upstream's only when it is written",
    ),
    Tolerated(PROTOBUF, "$", "json: .*IntOrString", "upstream cannot write as JSON what it read"),
)


class Breaker:
    """Breaks encodings and asks both sides."""

    def __init__(self, upstream: Upstream, tally: Tally, seed: int) -> None:
        self._upstream = upstream
        self._tally = tally
        self._rng = random.Random(seed)
        self.tolerated: Counter[str] = Counter()

    def run(self, cases: list[Case], count: int) -> None:
        for media_type in (JSON, YAML, PROTOBUF):
            for _ in range(count if cases else 0):
                case = self._rng.choice(cases)
                self._ask(case, media_type, mutated(case.forms[media_type], self._rng))

    def _ask(self, case: Case, media_type: str, data: bytes) -> None:
        answer = self._upstream.read(media_type, data, case.gvk)
        obj: Object | None = None
        try:
            obj, said = read(case, media_type, data)
        except DecodeError as error:
            said = without_scheme(str(error))
        found = _compare(obj, said, answer)
        ours = said if obj is None else ""
        reason = _tolerated(media_type, ours, answer.error) if found else ""
        if reason:
            self.tolerated[f"{SHORT[media_type]}: {reason}"] += 1
            return
        found += [f"the body: {data!r}"] if found and len(data) < 1000 else []
        self._tally.check("broken", f"{SHORT[media_type]} broken", case.name, found)


def _compare(obj: Object | None, said: str, answer: Answer) -> list[str]:
    if answer.error or obj is None:
        return differences(said if obj is None else "", without_scheme(answer.error), "error")
    wanted = json.loads(answer.forms[JSON])  # which mends what is no text, as clients do
    for name in ("kind", "apiVersion"):  # we fill in what the body leaves out
        if wanted.get(name, "/").endswith("/"):
            wanted[name] = obj.get(name)
    found = differences({"kind": None, "apiVersion": None, **obj}, wanted)
    return found + differences(said, answer.warnings, "warnings")


def _tolerated(media_type: str, ours: str, theirs: str) -> str:
    for each in TOLERATED:
        if each.media_type in {"", media_type} and re.match(each.ours, ours):
            if re.match(each.theirs, theirs):
                return each.reason
    return ""
