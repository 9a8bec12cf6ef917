"""What is checked of each object: it is read, written, and read by upstream as the same object."""

import json
import re
from collections import Counter
from typing import Any

from cases import Case
from tally import Tally, differences
from upstream import CBOR, JSON, PROTOBUF, YAML, Answer, Upstream
from wire import message_differences

from pykube_cp.machinery import schema, structural
from pykube_cp.machinery.codec import catalog
from pykube_cp.machinery.codec.interface import MAGIC, DecodeError
from pykube_cp.machinery.codec.protobuf import open_envelope
from pykube_cp.machinery.objects import Object

SHORT = {JSON: "JSON", YAML: "YAML", PROTOBUF: "protobuf", CBOR: "CBOR"}
EXCLUDED = {
    ("audit.k8s.io", PROTOBUF): "audit events leave an API server as JSON only",
}
"""What is not sent round in an encoding although upstream could, by API group."""
STREAMS = (JSON, PROTOBUF, CBOR)
LIST_METADATA = {"resourceVersion": "7", "continue": "x", "remainingItemCount": 3}


class Checker:
    """Runs the checks of one object after the other."""

    def __init__(self, upstream: Upstream, tally: Tally) -> None:
        self._upstream = upstream
        self._tally = tally
        self.left_out: Counter[str] = Counter()
        """What was not checked, and why."""

    def _check(self, case: Case, column: str, found: list[str]) -> bool:
        return self._tally.check(case.source, column, case.name, found)

    def object(self, case: Case) -> None:
        """Every encoding to objects and back."""
        for media_type, data in case.forms.items():
            if self._excluded(case, media_type):
                continue
            column = f"{SHORT[media_type]} read"
            answer = self._upstream.read(media_type, data, case.gvk)
            if answer.error:
                text = f"{SHORT[media_type]} that upstream wrote but cannot read: {answer.error}"
                self.left_out[text] += 1
                continue
            wanted = case.wanted(answer.value)
            try:
                obj, strict = read(case, media_type, data)
            except DecodeError as error:
                self._check(case, column, [f"refused: {error}"])
                continue
            found = differences(strict, answer.warnings, "warnings") + case.differences(obj, wanted)
            if self._check(case, column, found):
                self._written(case, media_type, obj, wanted)

    def _excluded(self, case: Case, media_type: str) -> bool:
        reason = EXCLUDED.get((case.gvk.group, media_type))
        if reason:
            self.left_out[f"{SHORT[media_type]} of {case.gvk.group}: {reason}"] += 1
        return reason is not None

    def _written(self, case: Case, source: str, obj: Object, wanted: Any) -> None:
        """What was read in JSON is written in every encoding, what was read in others in the same."""
        for media_type in SHORT if source == JSON else (source,):
            if media_type == PROTOBUF and not schema.type_of(case.gvk).protobuf:
                continue
            if self._excluded(case, media_type):
                continue
            data = encoded(case, media_type, obj)
            answer = self._upstream.read(media_type, data, case.gvk, media_type)
            found = refused(answer) or case.differences(answer.value, wanted)
            self._check(case, f"{SHORT[media_type]} written", found)
            if media_type == PROTOBUF:
                self._check(case, "protobuf bytes", bytes_differ(case, data))
            elif media_type == CBOR and not found:
                # fixtures have no CBOR; what upstream writes of the same object stands in for it
                again, _ = read(case, CBOR, answer.forms[CBOR])
                self._check(case, "CBOR of upstream read", case.differences(again, wanted))

    def removed(self, case: Case) -> None:
        """A kind that upstream has no more: neither side knows it."""
        answer = self._upstream.read(PROTOBUF, case.forms[PROTOBUF], case.gvk)
        try:
            read(case, PROTOBUF, case.forms[PROTOBUF])
            ours = "read it"
        except DecodeError as error:
            ours = without_scheme(str(error))
        theirs = without_scheme(answer.error)
        self._check(case, "removed kind refused", differences(ours, theirs))

    def watch(self, case: Case) -> None:
        """A watch with two events, in each encoding that has watches."""
        obj, _ = read(case, JSON, case.forms[JSON])
        for media_type in STREAMS:
            codec = catalog.KNOWN[media_type]
            data = encoded(case, media_type, obj)
            frames = codec.frame_event("ADDED", data) + codec.frame_event("DELETED", data)
            answer = self._upstream.read_frames(media_type, frames)
            seen = [[event.type, json.loads(event.object[JSON])] for event in answer.events]
            wanted = [["ADDED", obj], ["DELETED", obj]]
            found = refused(answer) or differences(seen, wanted)
            if self._check(case, f"{SHORT[media_type]} watch written", found):
                events, rest = codec.read_frames(answer.forms[media_type])
                found = differences([list(event) for event in events], wanted)
                found += [f"left: {rest!r}"] if rest else []
                self._check(case, f"{SHORT[media_type]} watch read", found)

    def list_of(self, case: Case) -> None:
        """A list with two items, put together from what they were encoded to."""
        gvk = case.gvk._replace(kind=f"{case.gvk.kind}List")
        obj, _ = read(case, JSON, case.forms[JSON])
        head = {"kind": gvk.kind, "apiVersion": gvk.api_version, "metadata": LIST_METADATA}
        bare = {key: value for key, value in obj.items() if key not in {"apiVersion", "kind"}}
        for media_type, short in SHORT.items():
            codec = catalog.KNOWN[media_type]
            data = b"".join(codec.encode_list(head, [codec.encode_item(obj)] * 2))
            wanted = {**head, "items": [bare if media_type == PROTOBUF else obj] * 2}
            answer = self._upstream.read(media_type, data, gvk, media_type)
            found = refused(answer) or differences(answer.value, wanted)
            if self._check(case, f"{short} list written", found):
                again = catalog.decode_body(media_type, answer.forms[media_type]).obj
                self._check(case, f"{short} list read", differences(again, wanted))


def without_scheme(text: str) -> str:
    """Upstream names the scheme that does not know a kind; its server's is not the one asked here."""
    return re.sub(r' in scheme ".*"$', "", text)


def has_list(case: Case) -> bool:
    kind = schema.find(case.gvk._replace(kind=f"{case.gvk.kind}List"))
    return kind is not None and {"metadata", "items"} <= set(kind.fields)


def read(case: Case, media_type: str, data: bytes) -> tuple[Object, str]:
    """The object as our codecs read it, and what strict reading finds."""
    decoded = catalog.decode_body(media_type, data, default=case.gvk, strict=True)
    if not case.typed:
        del decoded.obj["kind"], decoded.obj["apiVersion"]
    errors = decoded.strict_errors
    return decoded.obj, structural.message(errors) if errors else ""


def encoded(case: Case, media_type: str, obj: Object) -> bytes:
    if media_type == PROTOBUF and not case.typed:
        obj = {"kind": case.gvk.kind, "apiVersion": case.gvk.api_version, **obj}
    return catalog.encode(media_type, obj)


def refused(answer: Answer) -> list[str]:
    return [text for text in (answer.error, answer.warnings) if text]


def bytes_differ(case: Case, ours: bytes) -> list[str]:
    wanted = case.after.get(PROTOBUF) or case.forms[PROTOBUF]
    if case.typed:
        return message_differences(ours.removeprefix(MAGIC), wanted.removeprefix(MAGIC))
    return message_differences(open_envelope(ours)[2], open_envelope(wanted)[2])
