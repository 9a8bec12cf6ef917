"""``application/cbor``: not served by default, as upstream's feature gate has it off."""

from collections.abc import Sequence
from types import ModuleType
from typing import Any

from pykube_cp.machinery.codec.cbor_decode import IncompleteError
from pykube_cp.machinery.codec.interface import event_of
from pykube_cp.machinery.gvk import GVK
from pykube_cp.machinery.objects import Object


def _rules() -> ModuleType:
    from pykube_cp.machinery.codec import cbor_rules  # noqa: PLC0415 - cbor2 is rarely needed

    return cbor_rules


class Cbor:
    """CBOR; watches are a sequence of items, one after the other."""

    media_type = "application/cbor"
    streams = True
    typed = False

    def decode(
        self,
        data: bytes,
        default: GVK | None = None,
        *,
        strict: list[str] | None = None,
    ) -> Any:
        # with a default there is a kind, whose type says what fits
        return _rules().loads(data, typed=default is not None)

    def encode(self, obj: Object) -> bytes:
        data: bytes = _rules().dumps(obj)
        return data

    def frame_event(self, event_type: str, encoded: bytes) -> bytes:
        data: bytes = _rules().event(event_type, encoded)
        return data

    def read_frames(self, data: bytes) -> tuple[list[tuple[str, Any]], bytes]:
        events: list[tuple[str, Any]] = []
        while data:
            try:
                event, rest = _rules().load_first(data)
            except IncompleteError:
                break
            events.append(event_of(event))
            data = rest
        return events, data

    def encode_item(self, obj: Object) -> bytes:
        return self.encode(obj)

    def encode_list(self, head: Object, items: Sequence[bytes]) -> list[bytes]:
        rules = _rules()
        return [self.encode({**head, "items": [rules.loads(item) for item in items]})]
