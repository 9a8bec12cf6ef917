"""Compares what two servers measure: every family of ours is one of upstream's, described alike."""

import re
from dataclasses import dataclass, field
from typing import Any

_SAMPLE = re.compile(r"^([a-z0-9_]+?)(?:_bucket|_sum|_count)?(?:\{(.*)\})? (\S+)$")
_LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"')


@dataclass(slots=True)
class Family:
    """One metric: what is said of it, its labels and bounds."""

    help: str = ""
    type: str = ""
    labels: set[str] = field(default_factory=set)
    bounds: list[str] = field(default_factory=list)


def parse(text: str) -> dict[str, Family]:
    """Families by name."""
    found: dict[str, Family] = {}
    current = ""
    for line in text.splitlines():
        if line.startswith("# "):
            _, word, current, rest = line.split(" ", 3)
            setattr(found.setdefault(current, Family()), word.lower(), rest)
        elif sample := _SAMPLE.match(line):
            _add(found[current], sample[2] or "")
    return found


def _add(family: Family, labels: str) -> None:
    for name, value in _LABEL.findall(labels):
        family.labels.add(name)
        if name == "le" and value not in family.bounds:
            family.bounds.append(value)


INITIAL_EVENTS = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
BEFORE = (
    ("GET", "/api/v1/componentstatuses"),
    ("GET", f"/api/v1/namespaces?watch=true&timeoutSeconds=1&{INITIAL_EVENTS}"),
    ("DELETE", "/api/v1/namespaces/default/configmaps/nothing"),
)
"""Requests that leave samples behind."""


def compare(pair: Any) -> None:
    """Heads of both pages, then each family that we have."""
    for method, path in BEFORE:
        pair.both(path, method)
    for path in ("/metrics", "/metrics/slis"):
        for answer in pair.both("/readyz"):
            assert answer.status == 200
        theirs, ours = pair.both(path)
        pair.compare(f"GET {path}: head", theirs.head(), ours.head())
        their_families, our_families = parse(theirs.body.decode()), parse(ours.body.decode())
        for name, family in sorted(our_families.items()):
            pair.compare(f"GET {path}: {name}", _plain(their_families.get(name)), _plain(family))
        print(f"{path}: {len(our_families)} of upstream's {len(their_families)} families")


def _plain(family: Family | None) -> Any:
    if family is None:
        return None
    return {
        "help": family.help,
        "type": family.type,
        "labels": sorted(family.labels),
        "bounds": family.bounds,
    }
