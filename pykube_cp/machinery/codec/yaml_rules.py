"""YAML with the rules of the library that upstream uses.

Those are YAML 1.1 with exceptions: ``y`` and ``on`` are booleans, dates and 12:30:45 are strings,
0o14 and 014 are 12. PyYAML parses, everything above its events is decided here.
"""
# upstream: go.yaml.in/yaml/v2 resolve.go, decode.go; sigs.k8s.io/yaml yaml.go

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson
import yaml

from pykube_cp.machinery import leaves
from pykube_cp.machinery.codec import json
from pykube_cp.machinery.codec.interface import MAX_DEPTH, DecodeError
from pykube_cp.machinery.go_text import plain, quote
from pykube_cp.machinery.objects import Object, deep_copy
from pykube_cp.machinery.strict_errors import Written

_TAG = "tag:yaml.org,2002:"
_STR, _NULL, _BOOL, _INT, _FLOAT = (_TAG + name for name in ("str", "null", "bool", "int", "float"))
_BINARY, _MERGE, _SEQ, _MAP = (_TAG + name for name in ("binary", "merge", "seq", "map"))
_RESOLVABLE = frozenset({_STR, _BOOL, _INT, _FLOAT, _NULL, _TAG + "timestamp"})

_WORDS: dict[str, tuple[str, Any]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), (_NULL, None)),
    **dict.fromkeys(
        ("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), (_BOOL, True)
    ),
    **dict.fromkeys(
        ("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), (_BOOL, False)
    ),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), (_FLOAT, math.nan)),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), (_FLOAT, math.inf)),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), (_FLOAT, -math.inf)),
    "<<": (_MERGE, "<<"),
}
_FLOAT_FORM = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_POINT_FORM = re.compile(r"\.[0-9]+(_[0-9]+)*([eE][-+]?[0-9]+(_[0-9]+)*)?")
_INT_FORM = re.compile(
    r"[-+]?(?:(0[xX][0-9a-fA-F]+)|(0[bB][01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))", re.ASCII
)
_TOO_DEEP = "exceeded max depth of 10000"
_TOO_DEEP_FOR_LIBYAML = "exceeded maximum nesting depth"
_NULL_KEY = "null"  # compared by identity
_MISREAD = re.compile(
    r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}.*"
)
"""Strings that other readers take for numbers of base 60 or for times."""
_MAX_DIGITS = 1000
"""More than any 64 bits have, also in binary with zeros in front."""
_MAX_UINT64 = (1 << 64) - 1

_ALIASES_FREE = 100
_NODES_FREE = 1000
_RANGE_LOW, _RANGE_HIGH = 400_000, 4_000_000


class _UnknownAnchorError(DecodeError):
    """As upstream, an error of the text; all others here are of its meaning."""


def resolve(text: str) -> tuple[str, Any]:
    """The tag and value of a plain scalar."""
    word = _WORDS.get(text)
    if word is not None:
        return word
    first = text[0]
    if first in "+-0123456789":
        return _number(text)
    if first == "." and _POINT_FORM.fullmatch(text):
        number = float(text)
        return (_FLOAT, number) if math.isfinite(number) else (_STR, text)
    return _STR, text


def _number(text: str) -> tuple[str, Any]:
    plain = text.replace("_", "")
    match = _INT_FORM.fullmatch(plain) if len(plain) < _MAX_DIGITS else None
    if match is not None:
        number = _integer(match)
        if -(1 << 63) <= number <= _MAX_UINT64:
            return _INT, number
    if _FLOAT_FORM.fullmatch(plain) and math.isfinite(float(plain)):
        return _FLOAT, float(plain)
    return _STR, text


def _integer(match: re.Match[str]) -> int:
    hexadecimal, binary, octal, decimal = match.groups()
    if hexadecimal:
        number = int(hexadecimal, 0)
    elif binary:
        number = int(binary, 0)
    else:
        number = int(octal, 8) if octal else int(decimal)
    return -number if match[0][0] == "-" else number


def loads(data: bytes, duplicates: list[str] | None = None) -> Any:
    """The first document in ``data``; keys given twice are told in ``duplicates``.

    Keys are in order, as upstream makes JSON of YAML before it reads the object: what is wrong with
    several members is told in that order.
    """
    if data.lstrip()[:1] == b"{":
        try:
            return _loads_json(data, duplicates)
        except DecodeError:
            pass  # flow style, which only looks like JSON
    builder = _Builder(noticing=duplicates is not None)
    try:
        events = yaml.parse(data, Loader=yaml.CBaseLoader)
        for event in events:
            if not _taken(builder, event, events):
                break
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise DecodeError(_message(error)) from error
    if duplicates is not None and builder.duplicates:
        duplicates.append("yaml: unmarshal errors:\n" + "\n".join(builder.duplicates))
    return builder.result()


def _taken(builder: "_Builder", event: yaml.Event, rest: Iterator[yaml.Event]) -> bool:
    """Whether more events are wanted. What is wrong with the text goes before what it means."""
    try:
        return builder.take(event)
    except _UnknownAnchorError:
        raise
    except DecodeError:
        for following in rest:
            if isinstance(following, yaml.DocumentEndEvent):
                break
        raise


def _loads_json(data: bytes, duplicates: list[str] | None) -> Any:
    value = json.loads(data) if duplicates is None else json.loads_noticing_duplicates(data)
    if isinstance(value, Written):
        raise DecodeError("the YAML reader words duplicates itself")
    return orjson.loads(orjson.dumps(value, option=orjson.OPT_SORT_KEYS))


def _message(error: Exception) -> str:
    # upstream: go.yaml.in/yaml/v2 decode.go parser.fail
    if isinstance(error, yaml.reader.ReaderError):
        return f"yaml: {error.reason}"
    problem = getattr(error, "problem", None) or error
    if problem == _TOO_DEEP_FOR_LIBYAML:
        return f"yaml: {_TOO_DEEP}"
    mark = getattr(error, "problem_mark", None)
    if mark is not None and mark.line:
        return f"yaml: line {mark.line + isinstance(error, yaml.scanner.ScannerError)}: {problem}"
    context = getattr(error, "context_mark", None)
    if context is not None and context.line:
        return f"yaml: line {context.line}: {problem}"
    return f"yaml: {problem}"


@dataclass(slots=True)
class _Open:
    """A list or map being read.

    Attributes:
        into: what it becomes.
        before: how many nodes were read before it.
        line: where it begins.
        key: of a map, what the next value belongs to; None while a key is awaited.
        merged: of a map, what ``<<`` brought in.
    """

    into: list[Any] | Object
    before: int
    anchor: str | None
    line: int
    key: str | None = None
    merging: bool = False
    merged: Object = field(default_factory=dict)


class _Builder:
    """Values from events, with limits on depth and on what aliases may expand to."""

    def __init__(self, *, noticing: bool) -> None:
        self.duplicates: list[str] = []
        self._noticing = noticing
        self._stack: list[_Open] = []
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._nodes = 0
        self._aliased = 0
        self._value: Any = None

    def result(self) -> Any:
        """The value; aliases in it are copies."""
        return deep_copy(self._value) if self._aliased else self._value

    def take(self, event: yaml.Event) -> bool:
        """Whether more events are wanted."""
        match event:
            case yaml.ScalarEvent():
                self._scalar(event)
            case yaml.SequenceStartEvent():
                self._open([], event)
            case yaml.MappingStartEvent():
                self._open({}, event)
            case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                self._close()
            case yaml.AliasEvent():
                self._alias(event)
            case yaml.DocumentStartEvent() if event.version not in {None, (1, 1)}:
                raise DecodeError("yaml: found incompatible YAML document")
            case yaml.DocumentEndEvent():
                return False
            case _:
                pass
        return True

    def _awaits_key(self) -> bool:
        if not self._stack:
            return False
        top = self._stack[-1]
        return isinstance(top.into, dict) and top.key is None and not top.merging

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        self._nodes += 1
        plain = event.implicit[0]
        if self._awaits_key() and plain and event.value == "<<":
            self._stack[-1].merging = True
            return
        value = resolve(event.value)[1] if plain else _tagged(event.tag, event.value)
        if isinstance(value, float):
            value = _float(value)
        self._put(value, 1, event.anchor, _line(event))

    def _open(self, into: list[Any] | Object, event: Any) -> None:
        if len(self._stack) >= MAX_DEPTH:
            raise DecodeError(f"yaml: {_TOO_DEEP}")
        line = _line(event)
        self._stack.append(_Open(into, self._nodes, event.anchor, line))
        self._nodes += 1

    def _close(self) -> None:
        done = self._stack.pop()
        value = done.into
        if done.merged and isinstance(value, dict):
            value = {**done.merged, **value}
        if type(value) is dict and len(value) > 1:
            value = dict(sorted(value.items()))
        self._put(value, self._nodes - done.before, done.anchor, done.line)

    def _alias(self, event: yaml.AliasEvent) -> None:
        name = event.anchor
        if name not in self._anchors:
            if any(level.anchor == name for level in self._stack):
                raise DecodeError(f"yaml: anchor '{name}' value contains itself")
            raise _UnknownAnchorError(f"yaml: unknown anchor '{name}' referenced")
        value, nodes = self._anchors[name]
        self._nodes += nodes
        self._aliased += nodes
        self._check_aliases()
        self._put(value, nodes, None, _line(event))

    def _check_aliases(self) -> None:
        # upstream: go.yaml.in/yaml/v2 decode.go decoder.unmarshal
        if self._aliased <= _ALIASES_FREE or self._nodes <= _NODES_FREE:
            return
        scaled = (self._nodes - _RANGE_LOW) / (_RANGE_HIGH - _RANGE_LOW)
        allowed = 0.99 - 0.89 * min(max(scaled, 0.0), 1.0)
        if self._aliased / self._nodes > allowed:
            raise DecodeError("yaml: document contains excessive aliasing")

    def _put(self, value: Any, nodes: int, anchor: str | None, line: int) -> None:
        """A whole value goes where it belongs."""
        if anchor:
            self._anchors[anchor] = value, nodes
        if not self._stack:
            self._value = value
            return
        top = self._stack[-1]
        if isinstance(top.into, list):
            top.into.append(value)
        elif top.merging:
            top.merged = {**_merge(value), **top.merged}
            top.merging = False
        elif top.key is None:
            top.key = _key(value)
        elif top.key is _NULL_KEY:
            shown = "<nil>" if value is None else _go_syntax(value)
            raise DecodeError(
                f"unsupported map key of type: %!s(<nil>), key: <nil>, value: {shown}"
            )
        else:
            if self._noticing and top.key in top.into:
                text = f"  line {line + 1}: key {quote(top.key)} already set in map"
                self.duplicates.append(text)
            top.into[top.key] = value
            top.key = None


def _line(event: yaml.Event) -> int:
    return event.start_mark.line if event.start_mark else 0


def _merge(value: Any) -> Object:
    result: Object = {}
    for item in value if isinstance(value, list) else [value]:
        if not isinstance(item, dict):
            raise DecodeError("yaml: map merge requires map or sequence of maps as the value")
        result = {**item, **result}
    return result


def _tagged(tag: str | None, text: str) -> Any:
    """A scalar that is quoted or has a tag."""
    if tag == _BINARY:
        return _binary(text)
    if tag is None or tag == _STR or tag not in _RESOLVABLE:
        return text
    found, value = resolve(text)
    return value if found == tag else _explicit(tag, found, value, text)


def _explicit(wanted: str, tag: str, value: Any, text: str) -> Any:
    """A scalar whose tag was written down."""
    if wanted == _FLOAT and tag == _INT:
        return float(value)
    if wanted == _TAG + "timestamp":
        return text
    short = tag.replace(_TAG, "!!"), wanted.replace(_TAG, "!!")
    raise DecodeError(f"yaml: cannot decode {short[0]} `{text}` as a {short[1]}")


def _float(value: float) -> float:
    if not math.isfinite(value):
        name = "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
        raise DecodeError(f"json: unsupported value: {name}")
    return leaves.whole(value)


def _binary(text: str) -> str:
    try:
        return leaves.decode_base64(text).decode("utf-8", "replace")
    except DecodeError as error:
        raise DecodeError("yaml: !!binary value contains invalid base64 data") from error


def _key(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, dict | list):
        raise DecodeError(f"yaml: invalid map key: {_go_syntax(value)}")
    if value is None:
        return _NULL_KEY
    return str(value).lower() if isinstance(value, bool) else str(value)


def _go_syntax(value: Any) -> str:
    """As Go prints a value with ``%#v``."""
    match value:
        case str():
            return quote(value)
        case dict():
            inner = ", ".join(f"{_go_syntax(key)}:{_go_syntax(value[key])}" for key in value)
            return f"map[interface {{}}]interface {{}}{{{inner}}}"
        case list():
            return f"[]interface {{}}{{{', '.join(map(_go_syntax, value))}}}"
        case None:
            return "interface {}(nil)"
        case _:
            return plain(value)


class _Dumper(yaml.CSafeDumper):
    """Writes plain what reads back as the same string."""

    def resolve(self, kind: type, value: str, implicit: Any) -> str:
        if kind is yaml.ScalarNode:
            bare = implicit[0] and not _MISREAD.fullmatch(value)
            return resolve(value)[0] if bare else _STR if not implicit[0] else _TAG + "quoted"
        return _SEQ if kind is yaml.SequenceNode else _MAP

    def ignore_aliases(self, _data: Any) -> bool:
        return True


def _represent_text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar(_STR, text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _represent_text)


def dumps(value: Any) -> bytes:
    """The YAML of a JSON value, keys in order."""
    text: bytes = yaml.dump(
        value, Dumper=_Dumper, encoding="utf-8", allow_unicode=True, width=1 << 20
    )
    return text
