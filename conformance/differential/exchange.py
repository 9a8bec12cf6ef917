"""Sends the steps of a case to one server, and reads the answers into something comparable."""

import asyncio
import json
import ssl
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import aiohttp
import raw
import upgrades
from normalise import Normaliser
from script import Case, Step, fill
from yarl import URL

from pykube_cp.machinery.codec import yaml_rules
from pykube_cp.machinery.codec.catalog import CBOR, PROTOBUF
from pykube_cp.machinery.codec.interface import Codec, DecodeError

HEADERS = (
    "Content-Type",
    "Content-Encoding",
    "Warning",
    "Retry-After",
    "Vary",
    "Cache-Control",
    "Location",
    "Allow",
    "Www-Authenticate",
    "X-Content-Type-Options",
    "Accept-Patch",
    "Connection",
    "Upgrade",
    "Sec-WebSocket-Accept",
    "Sec-WebSocket-Protocol",
    "X-Stream-Protocol-Version",
    "X-Fake",
    "Set-Cookie",
    "Server",
    "Access-Control-Allow-Origin",
    "Access-Control-Expose-Headers",
)
"""Compared as they are."""
PRESENT = ("ETag", "Audit-Id", "Date")
"""Of these only whether they are there."""
PATIENCE = 20
"""Seconds for an answer, or for the events of a watch."""
AGAIN = 0.1
"""Seconds until a step with `until` asks again."""


@dataclass(frozen=True, slots=True)
class Server:
    """One of the two, and how its users reach it."""

    name: str
    url: str
    contexts: Mapping[str, ssl.SSLContext]


@dataclass(slots=True)
class Answer:
    """What is compared of one answer. ``text`` is the body as it came, only for who asks.

    ``form`` is how many lines it has of each indentation.
    """

    status: int
    headers: dict[str, Any]
    body: Any
    text: str = ""

    @property
    def rows(self) -> Any:
        """Of a Table, or of each event of a watch."""
        if isinstance(self.body, list):
            return [event["object"]["rows"] for event in self.body]
        return self.body.get("rows")

    @property
    def form(self) -> dict[str, int]:
        lines = self.text.split("\n")
        return dict(Counter(str(len(line) - len(line.lstrip(" "))) for line in lines))

    def part(self, names: tuple[str, ...]) -> dict[str, Any]:
        return {name: getattr(self, name) for name in names}


@dataclass(slots=True)
class Talk:
    """One case with one server."""

    server: Server
    session: aiohttp.ClientSession
    variables: dict[str, str]
    normaliser: Normaliser
    watches: dict[str, aiohttp.ClientResponse] = field(default_factory=dict)

    async def take(self, step: Step) -> Answer | None:
        """Do one step; None for the opening of a watch."""
        await asyncio.sleep(step.after)
        if step.collect:
            return await self._collect(step)
        if step.raw:
            return await self._raw(step)
        if step.upgrade:
            return await self._exchange(step)
        response = await self._send(step)
        end = time.monotonic() + PATIENCE / 2
        while step.until and response.status != step.until and time.monotonic() < end:
            response.release()
            await asyncio.sleep(AGAIN)
            response = await self._send(step)
        if step.watch:
            self.watches[step.watch] = response
            return None
        data = await response.read()
        for name, path in step.save.items():
            self.variables[name] = _pick(data, path)
        kind = response.headers.get("Content-Type", "")
        stream = response.status == HTTPStatus.OK and is_watch(response)
        body = self._body(kind, data, stream=stream)
        text = self.normaliser.text(data.decode(errors="replace"))
        return Answer(response.status, self._headers(_values(response)), body, text)

    async def _raw(self, step: Step) -> Answer:
        pieces = [raw.as_sent(fill(text, self.variables)) for text in step.raw]
        received = await raw.send(self.server.url, self.server.contexts[step.user], pieces)
        found = [
            raw.shown(
                answer,
                self._headers(answer.names()),
                self._body(answer.header("content-type"), answer.body),
            )
            for answer in raw.answers(received.data, raw.methods_of(pieces))
        ]
        return Answer(0, {}, {"answers": found, "closed": received.closed})

    async def _exchange(self, step: Step) -> Answer:
        url = self.server.url + fill(step.path, self.variables)
        headers = [(name, fill(value, self.variables)) for name, value in step.headers.items()]
        headers.append(("Accept", step.accept))
        sent = step.payload(self.variables) or b""
        context = self.server.contexts[step.user]
        answer = await upgrades.exchange(url, context, step.method, headers, sent)
        body = _parse(answer.headers.get("Content-Type", ""), answer.body)
        found = {name.lower(): answer.headers.getall(name) for name in answer.headers}
        return Answer(answer.status, self._headers(found), self.normaliser.value(body))

    async def _send(self, step: Step) -> aiohttp.ClientResponse:
        headers = {name: fill(value, self.variables) for name, value in step.headers.items()}
        if step.accept:
            headers["Accept"] = step.accept
        if kind := step.content_type():
            headers["Content-Type"] = kind
        path = raw.expand(fill(step.path, self.variables))
        headers = {name: raw.expand(fill(value, self.variables)) for name, value in headers.items()}
        return await self.session.request(
            step.method,
            URL(self.server.url + path, encoded=True),
            data=step.payload(self.variables),
            headers=headers,
            skip_auto_headers=("Content-Type", "Accept", "User-Agent"),
            ssl=self.server.contexts[step.user],
            allow_redirects=False,
            auto_decompress=True,
        )

    async def _collect(self, step: Step) -> Answer:
        """The first events of a watch that was opened before."""
        response = self.watches.pop(step.collect)
        reader = FrameReader(response.headers.get("Content-Type", ""))
        try:
            async with asyncio.timeout(PATIENCE):
                while len(reader.frames) < step.events:
                    chunk = await response.content.readany()
                    if not chunk:
                        break
                    reader.feed(chunk)
        except TimeoutError:
            reader.frames.append("no more events came")
        response.close()
        frames = reader.frames[: step.events] if step.events else reader.frames
        body = [self.normaliser.value(frame) for frame in frames]
        return Answer(response.status, self._headers(_values(response)), body)

    def _headers(self, found: Mapping[str, list[str]]) -> dict[str, Any]:
        """Those that matter, of header values by lower-case name."""
        kept: dict[str, Any] = {
            name: [self.normaliser.text(text) for text in found[name.lower()]]
            for name in HEADERS
            if name.lower() in found
        }
        return kept | {name: "present" for name in PRESENT if name.lower() in found}

    def _body(self, kind: str, data: bytes, *, stream: bool = False) -> Any:
        if stream:
            reader = FrameReader(kind)
            reader.feed(data)
            return [self.normaliser.value(frame) for frame in reader.frames if not _beat(frame)]
        return self.normaliser.value(_parse(kind, data))


def _values(response: aiohttp.ClientResponse) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in response.headers.items():
        found.setdefault(name.lower(), []).append(value)
    return found


def _beat(frame: Any) -> bool:
    """Whether it is a bookmark that says only that time passes."""
    if not isinstance(frame, dict) or frame.get("type") != "BOOKMARK":
        return False
    annotations = (frame["object"].get("metadata") or {}).get("annotations") or {}
    return "k8s.io/initial-events-end" not in annotations


def is_watch(response: aiohttp.ClientResponse) -> bool:
    """Whether an answer is a stream of events: it is chunked and was asked for as a watch."""
    asked = response.url.query.get("watch", "false") not in {"false", "0"}
    return asked or "/watch/" in response.url.path


class FrameReader:
    """Cuts a watch's bytes into events."""

    def __init__(self, content_type: str) -> None:
        self.frames: list[Any] = []
        binary = {"protobuf": PROTOBUF, "cbor": CBOR}
        self._codec: Codec | None = next(
            (codec for name, codec in binary.items() if name in content_type), None
        )
        self._rest = b""

    def feed(self, data: bytes) -> None:
        self._rest += data
        if self._codec is not None:
            events, self._rest = self._codec.read_frames(self._rest)
            self.frames += [{"type": kind, "object": obj} for kind, obj in events]
            return
        *lines, self._rest = self._rest.split(b"\n")
        self.frames += [_json(line) for line in lines if line]


def _parse(content_type: str, raw: bytes) -> Any:
    media_type = content_type.partition(";")[0]
    try:
        if media_type.endswith("json"):
            return _json(raw)
        if media_type == "application/yaml":
            return yaml_rules.loads(raw)
        if media_type == "application/vnd.kubernetes.protobuf":
            return PROTOBUF.decode(raw)
        if media_type == "application/cbor":
            return CBOR.decode(raw)
    except (DecodeError, KeyError) as error:
        return f"cannot be decoded: {error}"
    return raw.decode(errors="replace")


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return raw.decode(errors="replace")


def _pick(raw: bytes, path: str) -> str:
    """A value of a JSON answer by its dotted path; empty when it is not there."""
    found = _json(raw)
    for name in path.split("."):
        if isinstance(found, list) and name.isdigit() and int(name) < len(found):
            found = found[int(name)]
        else:
            found = found.get(name, "") if isinstance(found, dict) else ""
    return found if isinstance(found, str) else json.dumps(found)


async def run_steps(case: Case, talk: Talk) -> list[dict[str, Any]]:
    """What is compared of the answer to every step of a case."""
    found: list[dict[str, Any]] = []
    for step in case.steps:
        answer = await talk.take(step)
        if answer is not None:
            found.append(answer.part(step.compare))
    for response in talk.watches.values():
        response.close()
    return found
