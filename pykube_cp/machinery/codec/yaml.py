"""``application/yaml``; the parser is loaded when the first YAML comes."""

from collections.abc import Sequence
from types import ModuleType
from typing import Any

from pykube_cp.machinery.codec.interface import DecodeError, NotEncodableError
from pykube_cp.machinery.gvk import GVK
from pykube_cp.machinery.objects import Object


def _rules() -> ModuleType:
    from pykube_cp.machinery.codec import yaml_rules  # noqa: PLC0415 - PyYAML is slow to import

    return yaml_rules


class Yaml:
    """YAML, for requests and single answers; watches cannot be sent in it."""

    media_type = "application/yaml"
    streams = False
    typed = False

    def decode(
        self,
        data: bytes,
        default: GVK | None = None,
        *,
        strict: list[str] | None = None,
    ) -> Any:
        return _rules().loads(data, strict)

    def encode(self, obj: Object) -> bytes:
        data: bytes = _rules().dumps(obj)
        return data

    def frame_event(self, event_type: str, encoded: bytes) -> bytes:
        raise NotEncodableError("watches cannot be sent as YAML")

    def read_frames(self, data: bytes) -> tuple[list[tuple[str, Any]], bytes]:
        raise DecodeError("watches cannot be sent as YAML")

    def encode_item(self, obj: Object) -> bytes:
        return self.encode(obj)

    def encode_list(self, head: Object, items: Sequence[bytes]) -> list[bytes]:
        rules = _rules()
        return [self.encode({**head, "items": [rules.loads(item) for item in items]})]
