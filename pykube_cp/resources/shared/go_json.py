"""What Go's decoder says about JSON that is not what it should be."""
# upstream: encoding/json Unmarshal

import orjson

from pykube_cp.machinery import go_text

_KINDS = {str: "string", bool: "bool", int: "number", float: "number", list: "array"}


def why_no_object(text: bytes) -> str:
    """Empty when the text is a JSON object."""
    if not text.strip():
        return "unexpected end of JSON input"
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        return _syntax(text, error.pos)
    if value is None or isinstance(value, dict):
        return ""
    kind = _KINDS[type(value)]
    return f"json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}"


def _syntax(text: bytes, position: int) -> str:
    if position >= len(text.rstrip()):
        return "unexpected end of JSON input"
    char = text[position : position + 1].decode("latin-1")
    shown = go_text.quote(char)[1:-1] if char != "'" else "\\'"
    where = "looking for beginning of value" if not position else "after top-level value"
    return f"invalid character '{shown}' {where}"
