"""Applied configurations: YAML, of which JSON is a part, and what is said of it."""
# upstream: apiserver pkg/endpoints/handlers/patch.go applyPatcher

from typing import Any

from pykube_cp.api.decode import Validation
from pykube_cp.machinery import errors
from pykube_cp.machinery.codec import catalog as codecs
from pykube_cp.machinery.codec.interface import DecodeError
from pykube_cp.machinery.leaves import not_a_map
from pykube_cp.machinery.objects import Object

_TO_JSON = "error converting YAML to JSON: "


class Configuration:
    """The body of one apply request.

    Args:
        body: its bytes, or the object itself where there are none.
        validation: what to do about keys given twice.
    """

    def __init__(self, body: Any, validation: Validation) -> None:
        self._validation = validation
        self._repeated: list[str] = []
        self._error = ""
        self._value = self._read(body) if isinstance(body, bytes) else body

    def _read(self, data: bytes) -> Any:
        strict = self._repeated if self._validation.mode != "Ignore" else None
        try:
            return codecs.YAML.decode(data, strict=strict)
        except DecodeError as error:
            # What begins like JSON is not looked at before there is an object to apply it to.
            if not data.lstrip()[:1] == b"{":
                raise errors.bad_request(f"error encoding patch: {error}") from None
            self._error = f"{_TO_JSON}{error}"
        return None

    def read(self) -> Object:
        """The configuration; 400 when it is none."""
        if self._error:
            raise errors.bad_request(f"error decoding patch: {self._error}")
        if self._value is None:
            return {}
        if not isinstance(self._value, dict):
            raise errors.bad_request(
                "error decoding patch: error unmarshaling JSON: while decoding JSON: "
                f"{not_a_map(self._value)}"
            )
        return self._value

    def judge(self) -> None:
        """Refuse or warn of keys given twice, once the rest is known to be right."""
        found = [f"{_TO_JSON}{text}" for text in self._repeated]
        if found and self._validation.mode == "Strict":
            raise errors.bad_request(f"error strict decoding patch: {found[0]}")
        self._validation.judge(found, errors.bad_request)


def of_cbor(data: bytes) -> Any:
    """The configuration in CBOR, where no key can be given twice; 400 when it is none."""
    try:
        value = codecs.CBOR.decode(data)
    except DecodeError as error:
        raise errors.bad_request(f"error decoding patch: {error}") from None
    if isinstance(value, list):
        text = "cbor: cannot unmarshal array into Go value of type map[string]interface {}"
        raise errors.bad_request(f"error decoding patch: {text}")
    return value
