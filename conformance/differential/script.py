"""Cases: scripts of requests that are sent to both servers, and how they are read from YAML.

A file of `cases/` is a theme. Each case runs in a namespace of its own, `{ns}`:

    - name: a generated name begins with the prefix
      steps:
      - do: POST /api/v1/namespaces/{ns}/configmaps
        body: {metadata: {generateName: a-}}
        save: {made: metadata.name}          # {made} from here on
      - do: GET /api/v1/namespaces/{ns}/configmaps/{made}

A step may further say `as` (a user of servers.USERS), `form` (json, yaml, protobuf or cbor: how the
body is sent; json-patch, merge, strategic or apply: that kind of patch, in JSON), `text` (a body as it
is) or `base64`, `type` (its Content-Type), `accept`, `headers`, and `compare` (which of status,
headers, body, rows, those of a Table, text, the body as it came, and form, its lines of each indentation,
count). `watch: NAME`
leaves the answer open; a later step `collect: NAME` with `events: N` compares the first N events of it.
`raw` sends a text, or several with pauses between them, as it is over a connection of its own (raw.py).
`until: STATUS` asks again until the answer has that status, for what a server learns of with a delay,
such as a new role; `after: SECONDS` waits first, where no status tells. In `text`, `raw`, paths and
header values, `<<text*N>>` stands for N times that text.
`upgrade: true` sends the head on a connection of its own and the body only when that is upgraded; all
that comes is compared.

A file is a list of cases, or has them as `cases` beside `flags`: command line options of both servers,
which are started anew for all cases with the same ones.

A case with `network: true` connects to nodes and pods (`fakes.py`); it runs where the run has a network
of its own (`network.py`).
"""

import base64
import json
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from raw import expand

from pykube_cp.machinery import schema, structural
from pykube_cp.machinery.codec import yaml_rules
from pykube_cp.machinery.codec.catalog import CBOR, PROTOBUF
from pykube_cp.machinery.gvk import GVK

CASES = Path(__file__).parent / "cases"
VARIABLE = re.compile(r"\{([^{}]+)\}")
UPSTREAM_ONLY = "upstream:"
"""Begins a flag that only upstream gets."""
EVERYTHING = ("status", "headers", "body")
TYPES = {
    "json": "application/json",
    "yaml": "application/yaml",
    "protobuf": "application/vnd.kubernetes.protobuf",
    "cbor": "application/cbor",
    "json-patch": "application/json-patch+json",
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "apply": "application/apply-patch+yaml",
}
"""By `form`; with another `type` the body still is in that form."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One request, or the end of a watch."""

    method: str = ""
    path: str = ""
    user: str = "admin"
    body: Any = None
    form: str = "json"
    text: str | None = None
    base64: str | None = None
    type: str | None = None
    accept: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    save: Mapping[str, str] = field(default_factory=dict)
    compare: tuple[str, ...] = EVERYTHING
    watch: str = ""
    collect: str = ""
    events: int = 0
    raw: tuple[str, ...] = ()
    upgrade: bool = False
    until: int = 0
    after: float = field(default=0, repr=False)  # changes no answer, so that recorded ones stay

    @property
    def title(self) -> str:
        if self.raw:
            return f"raw {self.raw[0][:150]!r}"
        return f"{self.method} {self.path}" if self.method else f"watch {self.collect}"

    def payload(self, variables: Mapping[str, str]) -> bytes | None:
        """The body as it is sent."""
        if self.base64 is not None:
            return base64.b64decode(self.base64)
        if self.text is not None:
            return expand(fill(self.text, variables)).encode()
        return None if self.body is None else encode(fill(self.body, variables), self.form)

    def content_type(self) -> str | None:
        if self.type is not None:
            return self.type or None
        has_body = not (self.body is None and self.text is None and self.base64 is None)
        return TYPES[self.form] if has_body else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A script. Without a namespace of its own it must leave nothing behind."""

    theme: str
    name: str
    steps: tuple[Step, ...]
    own_namespace: bool = True
    alone: bool = False
    network: bool = False
    attempt: int = 0
    flags: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        return f"{self.theme}: {self.name}"

    @property
    def namespace(self) -> str:
        again = f"-again-{self.attempt}" if self.attempt else ""
        return f"case-{zlib.crc32(self.title.encode()):08x}{again}"


def fill(value: Any, variables: Mapping[str, str]) -> Any:
    """The same with each `{variable}` replaced."""
    if isinstance(value, str):
        return VARIABLE.sub(lambda found: variables.get(found[1], found[0]), value)
    if isinstance(value, dict):
        return {fill(key, variables): fill(member, variables) for key, member in value.items()}
    return [fill(item, variables) for item in value] if isinstance(value, list) else value


def encode(body: Any, form: str) -> bytes:
    if form == "yaml":
        return yaml.safe_dump(body).encode()
    if form == "protobuf":
        obj, _ = structural.normalize(body, schema.type_of(GVK.of(body)), strict=False)
        return PROTOBUF.encode(obj)
    return CBOR.encode(body) if form == "cbor" else json.dumps(body, separators=(",", ":")).encode()


def load() -> Iterator[Case]:
    """All cases of the folder."""
    for path in sorted(CASES.glob("**/*.yaml")):
        yield from read(path)


def by_flags(cases: Iterable[Case]) -> dict[tuple[str, ...], list[Case]]:
    """Those of each set of flags, for which the servers are started once; those without any first."""
    found: dict[tuple[str, ...], list[Case]] = {}
    for case in sorted(cases, key=lambda case: case.flags):
        found.setdefault(case.flags, []).append(case)
    return found


def read(path: Path) -> Iterator[Case]:
    found = yaml_rules.loads(path.read_bytes()) or []
    given = found if isinstance(found, dict) else {"cases": found}
    for each in given["cases"]:
        yield Case(
            theme=each.get("theme", path.stem),
            name=each["name"],
            steps=tuple(map(step, each["steps"])),
            own_namespace=each.get("own_namespace", True),
            alone=each.get("alone", False),
            network=each.get("network", False),
            flags=tuple(given.get("flags", ())),
        )


def step(given: dict[str, Any]) -> Step:
    """`do` is method and path; an unknown word is an error of the case."""
    rest = dict(given)
    method, _, path = rest.pop("do", "").partition(" ")
    if "compare" in rest:
        rest["compare"] = tuple(rest["compare"])
    if "raw" in rest:
        given_raw = rest["raw"]
        rest["raw"] = (given_raw,) if isinstance(given_raw, str) else tuple(given_raw)
    return Step(method=method, path=path, user=rest.pop("as", "admin"), **rest)
