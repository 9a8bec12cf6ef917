"""What a codec is, and the errors it knows.

A codec turns bytes of one media type into an object and back. Objects are plain dicts in the shape
that Go's JSON encoding of the same typed object has; so all codecs agree on them.
"""

from collections.abc import Sequence
from typing import Any, Protocol

from pykube_cp.machinery.go_text import quote
from pykube_cp.machinery.gvk import GVK
from pykube_cp.machinery.objects import Object

MAGIC = b"k8s\x00"
"""What an object in protobuf begins with."""

MAX_DEPTH = 250
"""How deep a value may nest; deeper input is refused before it can exhaust the stack."""
_SCHEME = "pkg/api/legacyscheme/scheme.go:30"


class DecodeError(Exception):
    """The bytes or values are not what they should be; the message is for the client.

    ``stated``: what the object says it is, where that could be read.
    """

    stated: GVK | None = None

    @property
    def message(self) -> str:
        return str(self)


class UnreadableError(DecodeError):
    """So wrong that the bytes do not even tell which kind of object they are."""


class TypeMismatchError(DecodeError):
    """A JSON value of the wrong kind, worded as Go's decoder words it.

    Attributes:
        value: what was found: ``string``, ``object``, ``number 1.5``.
        go_type: what was wanted, as Go prints it.
    """

    # upstream: encoding/json decode.go UnmarshalTypeError

    def __init__(self, value: str, go_type: str) -> None:
        super().__init__()
        self.value = value
        self.go_type = go_type
        self.struct = ""
        self.path: list[str] = []

    def enter(self, struct: str, *steps: str) -> None:
        """Note on the way out that this happened below ``steps`` of ``struct``."""
        self.struct = self.struct or struct
        self.path[:0] = steps

    def __str__(self) -> str:
        if not self.struct and not self.path:
            return f"json: cannot unmarshal {self.value} into Go value of type {self.go_type}"
        return (
            f"json: cannot unmarshal {self.value} into Go struct field "
            f"{self.struct}.{'.'.join(self.path)} of type {self.go_type}"
        )


def not_registered(kind: str, api_version: str, scheme: str = _SCHEME) -> str:
    """What is said of a kind that nobody knows; ``scheme`` is where upstream looks for it."""
    # upstream: apimachinery pkg/runtime/error.go notRegisteredErr.Error
    return (
        f"no kind {quote(kind)} is registered for version {quote(api_version)} in scheme "
        f"{quote(scheme)}"
    )


class NotEncodableError(Exception):
    """The object has no form in this media type (a custom resource or a Table in protobuf)."""


def event_of(value: Any) -> tuple[str, Any]:
    """Type and object of a decoded watch event."""
    match value:
        case {"type": str(event_type), "object": found}:
            return event_type, found
        case _:
            raise DecodeError("a watch event needs a type and an object")


class Codec(Protocol):
    """One media type.

    ``decode`` gives the object as the client sent it, except where the form is typed (protobuf):
    there it is complete already. ``default`` names the kind where the bytes do not. With
    ``strict``, keys given twice are noticed: JSON marks them for ``structural.normalize`` to
    report, YAML adds to the list what only its reader can say.
    """

    media_type: str
    streams: bool
    """Whether watches can be sent in it."""
    typed: bool
    """Whether decoding already did what ``structural.normalize`` does."""

    def decode(
        self, data: bytes, default: GVK | None = None, *, strict: list[str] | None = None
    ) -> Any:
        """The object in ``data``; ``DecodeError`` when it cannot be read."""
        ...

    def encode(self, obj: Object) -> bytes:
        """The bytes of a complete object; ``NotEncodableError`` when it has none."""
        ...

    def frame_event(self, event_type: str, encoded: bytes) -> bytes:
        """A watch event around an object that ``encode`` gave."""
        ...

    def read_frames(self, data: bytes) -> tuple[list[tuple[str, Any]], bytes]:
        """The whole events in ``data`` as (type, object), and the rest."""
        ...

    def encode_item(self, obj: Object) -> bytes:
        """The bytes of a complete object as it stands in a list."""
        ...

    def encode_list(self, head: Object, items: Sequence[bytes]) -> list[bytes]:
        """The parts of a list, of a head without items and of items as ``encode_item`` gives them."""
        ...
