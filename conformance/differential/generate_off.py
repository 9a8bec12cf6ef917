"""Kinds and versions that are off by default: the objects of `bases/off/`, spoiled as all others are.

Both servers get `--runtime-config`; upstream also needs the feature gates of some kinds.
"""

from collections.abc import Iterator
from dataclasses import replace

from generate import BASES, Base, fields, forms, read_bases, store
from script import UPSTREAM_ONLY, Case

_GATES = ",".join(
    f"{gate}=true"
    for gate in (
        "CompositePodGroup",
        "EvictionRequestAPI",
        "GenericWorkload",
        "TopologyAwareWorkloadScheduling",
    )
)
FLAGS = (
    "--runtime-config=api/all=true",
    f"{UPSTREAM_ONLY}--feature-gates={_GATES}",
)


def setup() -> Iterator[Case]:
    """Stores the objects."""
    for base in _bases():
        yield store(base)


def cases() -> Iterator[Case]:
    """Every field of every object, every object in every form."""
    bases = _bases()
    for base in bases:
        for case in (*fields(base), *forms(base)):
            yield replace(case, theme=f"off: {case.theme}", flags=FLAGS)


def _bases() -> list[Base]:
    return read_bases((BASES / "off").glob("*.yaml"))
