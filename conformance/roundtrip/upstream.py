"""Upstream's decoders and encoders, which a Go program (main.go) offers on its standard input."""

import base64
import json
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pykube_cp.machinery.gvk import GVK

JSON = "application/json"
YAML = "application/yaml"
PROTOBUF = "application/vnd.kubernetes.protobuf"
CBOR = "application/cbor"

Forms = dict[str, bytes]
"""One object in several encodings, by media type."""


@dataclass(frozen=True)
class Event:
    """A watch event as upstream read it, its object in the encodings asked for."""

    type: str
    object: Forms


@dataclass(frozen=True)
class Answer:
    """What upstream read, in the encodings asked for, or why it could not."""

    error: str = ""
    warnings: str = ""
    forms: Forms = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)

    @property
    def value(self) -> Any:
        return json.loads(self.forms[JSON])


class Upstream:
    """The running Go program."""

    def __init__(self, program: str) -> None:
        self._program = program
        self._process = subprocess.Popen(
            [program, "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def close(self) -> None:
        self._process.communicate()

    def read(self, media_type: str, data: bytes, default: GVK, *want: str) -> Answer:
        """What upstream reads in an object's encoding, strictly, as JSON and as ``want`` says."""
        kind = {"Group": default.group, "Version": default.version, "Kind": default.kind}
        return self._ask(media_type, data, {"Default": kind, "Want": [JSON, *want]})

    def read_frames(self, media_type: str, data: bytes) -> Answer:
        """What upstream reads in a watch, and the watch as upstream writes it."""
        return self._ask(media_type, data, {"Frames": True, "Want": [JSON, media_type]})

    def _ask(self, media_type: str, data: bytes, how: dict[str, Any]) -> Answer:
        text = base64.b64encode(data).decode()
        request = json.dumps({"From": media_type, "Data": text, **how})
        source, sink = self._process.stdin, self._process.stdout
        assert source is not None
        assert sink is not None
        source.write(request.encode() + b"\n")
        source.flush()
        line = sink.readline()
        if not line:
            raise SystemExit(f"upstream's side ended while reading {media_type}: {data!r}")
        return _answer(json.loads(line))

    def kinds(self) -> dict[GVK, bool]:
        """Every kind upstream knows, and whether it has a protobuf form."""
        listed = json.loads(subprocess.check_output([self._program, "kinds"]))
        return {_gvk(kind): kind["Protobuf"] for kind in listed}

    def random_objects(self, count: int, seed: int) -> Iterator[tuple[GVK, Forms]]:
        """So many objects of every kind, in every encoding."""
        command = [self._program, "fuzz", str(count), str(seed)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            for line in process.stdout:
                made = json.loads(line)
                yield _gvk(made["kind"]), _forms(made["encoded"])
        if process.returncode:
            raise SystemExit("upstream's side could not make random objects")


def _answer(raw: Mapping[str, Any]) -> Answer:
    events = [Event(each["type"], _forms(each["object"])) for each in raw.get("events") or ()]
    return Answer(
        raw.get("error", ""), raw.get("warnings", ""), _forms(raw.get("encoded") or {}), events
    )


def _forms(raw: Mapping[str, str]) -> Forms:
    return {media_type: base64.b64decode(data) for media_type, data in raw.items()}


def _gvk(raw: Mapping[str, str]) -> GVK:
    return GVK(raw["Group"], raw["Version"], raw["Kind"])
