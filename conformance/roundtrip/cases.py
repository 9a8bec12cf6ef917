"""What is sent around: upstream's fixtures, and random objects that upstream makes."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tally import differences
from upstream import JSON, PROTOBUF, YAML, Forms, Upstream

from pykube_cp.machinery.gvk import GVK

ENDINGS = {".json": JSON, ".yaml": YAML, ".pb": PROTOBUF}
AFTER = ".after_roundtrip"


@dataclass(frozen=True)
class Case:
    """One object in the encodings in which upstream wrote it.

    Attributes:
        source: ``HEAD``, ``v1.36.0``, ``random``.
        gvk: its kind.
        forms: what to read.
        after: what upstream itself writes after reading it, where that is not the same.
    """

    source: str
    gvk: GVK
    forms: Forms
    after: Forms

    @property
    def name(self) -> str:
        return f"{self.source} {self.gvk.group or 'core'}.{self.gvk.version}.{self.gvk.kind}"

    @property
    def random(self) -> bool:
        return self.source == "random"

    @property
    def typed(self) -> bool:
        """Whether it says its kind; watch events do not."""
        return self.gvk.kind != "WatchEvent"

    def wanted(self, answered: Any) -> Any:
        """In JSON's shape; what upstream answered stands in where there is no fixture."""
        data = None if self.random else self.after.get(JSON) or self.forms[JSON]
        return json.loads(data) if data else answered

    def differences(self, ours: Any, wanted: Any) -> list[str]:
        """Lists and maps that are empty are as good as null in random objects, as in upstream's tests."""
        return differences(ours, wanted, loose=self.random)


def fixtures(folder: Path) -> list[Case]:
    """All files of a folder of fixtures; ``SystemExit`` at one that is none."""
    found: dict[GVK, Case] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix not in ENDINGS:
            raise SystemExit(f"{path} is no fixture")
        stem = path.name.removesuffix(path.suffix)
        group, version, kind = stem.removesuffix(AFTER).rsplit(".", 2)
        gvk = GVK("" if group == "core" else group, version, kind)
        case = found.setdefault(gvk, Case(folder.name, gvk, {}, {}))
        forms = case.after if stem.endswith(AFTER) else case.forms
        forms[ENDINGS[path.suffix]] = path.read_bytes()
    return list(found.values())


def folders(testdata: Path) -> list[Path]:
    """``HEAD`` and the folders of older versions."""
    return sorted(path for path in testdata.iterdir() if path.is_dir())


def random_cases(upstream: Upstream, count: int, seed: int) -> Iterator[Case]:
    for gvk, forms in upstream.random_objects(count, seed):
        yield Case("random", gvk, forms, {})
