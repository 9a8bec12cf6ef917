"""YAML with the rules of the library that upstream uses.

Those are YAML 1.1 with exceptions: ``y`` and ``on`` are booleans, dates and 12:30:45 are strings,
0o14 and 014 are 12. PyYAML parses, everything above its events is decided here.
"""
# upstream: go.yaml.in/yaml/v2 resolve.go, decode.go; sigs.k8s.io/yaml yaml.go

import math
import re
from typing import Any

import yaml

from pykube_cp.machinery.codec import json
from pykube_cp.machinery.codec.interface import MAX_DEPTH, DecodeError
from pykube_cp.machinery.leaves import decode_base64
from pykube_cp.machinery.objects import Object

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
_INT_FORM = re.compile(
    r"[-+]?(?:(0[xX][0-9a-fA-F]+)|(0[bB][01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))", re.ASCII
)
_BASE60 = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?")
_MAX_UINT64 = (1 << 64) - 1

_ALIASES_FREE = 100
_NODES_FREE = 1000
_RANGE_LOW, _RANGE_HIGH = 400_000, 4_000_000


def resolve(text: str) -> tuple[str, Any]:
    """The tag and value of a plain scalar."""
    word = _WORDS.get(text)
    if word is not None:
        return word
    first = text[0]
    if first in "+-0123456789":
        return _number(text)
    if first == "." and _FLOAT_FORM.fullmatch(text):
        return _FLOAT, float(text)
    return _STR, text


def _number(text: str) -> tuple[str, Any]:
    plain = text.replace("_", "")
    match = _INT_FORM.fullmatch(plain)
    if match is not None:
        number = _integer(match)
        if -(1 << 63) <= number <= _MAX_UINT64:
            return _INT, number
    if _FLOAT_FORM.fullmatch(plain):
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
    """The first document in ``data``; keys given twice are told in ``duplicates``."""
    if data.lstrip()[:1] == b"{":
        try:
            return _loads_json(data, duplicates)
        except DecodeError:
            pass  # flow style, which only looks like JSON
    try:
        node = _Loader(data).get_node()
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise DecodeError(_yaml_message(error)) from error
    builder = _Builder(noticing=duplicates is not None)
    value = None if node is None else builder.build(node, 0)
    if duplicates is not None and builder.duplicates:
        duplicates.append("yaml: unmarshal errors:\n" + "\n".join(builder.duplicates))
    return value


def _loads_json(data: bytes, duplicates: list[str] | None) -> Any:
    if duplicates is None:
        return json.loads(data)
    value = json.loads_noticing_duplicates(data)
    if _marked(value):
        raise DecodeError("the YAML reader words duplicates itself")
    return value


def _marked(value: Any) -> bool:
    """Whether some object in it had keys given twice."""
    if isinstance(value, dict):
        return type(value) is not dict or any(map(_marked, value.values()))
    return isinstance(value, list) and any(map(_marked, value))


def _yaml_message(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error)
    if mark is None:
        return f"yaml: {problem}"
    return f"yaml: line {mark.line + 1}: {problem}"


class _Loader(yaml.CBaseLoader):
    """PyYAML's parser and composer; scalars that are plain get the tag of ``resolve``."""

    def resolve(self, kind: type, value: str, implicit: Any) -> str:
        if kind is yaml.ScalarNode:
            return resolve(value)[0] if implicit[0] else _STR
        return _SEQ if kind is yaml.SequenceNode else _MAP

    def descend_resolver(self, _node: Any, _index: Any) -> None:
        """Resolving needs no context."""

    def ascend_resolver(self) -> None:
        """Resolving needs no context."""


class _Builder:
    """Nodes to JSON values, with limits on depth and on what aliases may expand to."""

    def __init__(self, *, noticing: bool) -> None:
        self.duplicates: list[str] = []
        self._noticing = noticing
        self._done: set[int] = set()
        self._open: set[int] = set()
        self._nodes = 0
        self._aliased = 0
        self._alias_depth = 0

    def build(self, node: yaml.Node, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise DecodeError("yaml: exceeded max depth")
        again = id(node) in self._done
        self._alias_depth += again
        self._count()
        if isinstance(node, yaml.ScalarNode):
            value = _scalar(node)
        else:
            value = self._collection(node, depth)
        self._alias_depth -= again
        self._done.add(id(node))
        return value

    def _count(self) -> None:
        # upstream: go.yaml.in/yaml/v2 decode.go unmarshal
        self._nodes += 1
        self._aliased += self._alias_depth > 0
        if self._aliased <= _ALIASES_FREE or self._nodes <= _NODES_FREE:
            return
        scaled = (self._nodes - _RANGE_LOW) / (_RANGE_HIGH - _RANGE_LOW)
        allowed = 0.99 - 0.89 * min(max(scaled, 0.0), 1.0)
        if self._aliased / self._nodes > allowed:
            raise DecodeError("yaml: document contains excessive aliasing")

    def _collection(self, node: yaml.Node, depth: int) -> Any:
        if id(node) in self._open:
            raise DecodeError("yaml: anchor value contains itself")
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.SequenceNode):
                return [self.build(item, depth + 1) for item in node.value]
            return self._mapping(node, depth)
        finally:
            self._open.discard(id(node))

    def _mapping(self, node: yaml.Node, depth: int) -> Object:
        own: Object = {}
        merged: Object = {}
        for key_node, value_node in node.value:
            if key_node.tag == _MERGE:
                merged = {**self._merge(value_node, depth), **merged}
                continue
            key = _key(key_node)
            if self._noticing and key in own:
                line = key_node.start_mark.line + 1
                self.duplicates.append(f'  line {line}: key "{key}" already set in map')
            own[key] = self.build(value_node, depth + 1)
        return {**merged, **own} if merged else own

    def _merge(self, node: yaml.Node, depth: int) -> Object:
        nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
        result: Object = {}
        for item in nodes:
            if not isinstance(item, yaml.MappingNode):
                raise DecodeError("yaml: map merge requires map or sequence of maps as the value")
            result = {**self.build(item, depth + 1), **result}
        return result


def _scalar(node: yaml.ScalarNode) -> Any:
    text = node.value
    if node.tag == _BINARY:
        return _binary(text)
    if node.tag == _STR or node.tag not in _RESOLVABLE:
        return text
    tag, value = resolve(text)
    if tag != node.tag:
        value = _explicit(node.tag, tag, value, text)
    if isinstance(value, float):
        return _float(value)
    return value


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
    return int(value) if value.is_integer() and abs(value) < 1e21 else value


def _binary(text: str) -> str:
    try:
        return decode_base64(text).decode("utf-8", "replace")
    except DecodeError as error:
        raise DecodeError("yaml: !!binary value contains invalid base64 data") from error


def _key(node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise DecodeError("yaml: invalid map key")
    value = _scalar(node)
    if isinstance(value, str):
        return value
    if value is None:
        raise DecodeError("unsupported map key of type: <nil>")
    return str(value).lower() if isinstance(value, bool) else str(value)


class _Dumper(yaml.CSafeDumper):
    """Writes plain what reads back as the same string."""

    def resolve(self, kind: type, value: str, implicit: Any) -> str:
        if kind is yaml.ScalarNode:
            plain = implicit[0] and not _BASE60.fullmatch(value)
            return resolve(value)[0] if plain else _STR if not implicit[0] else _TAG + "quoted"
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
