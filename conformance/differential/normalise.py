"""Makes answers of two servers comparable: what is random gets a name by the order in which it appears."""

import base64
import binascii
import ipaddress
import itertools
import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.(\d+))?Z")
QUOTED = re.compile(r'\\"resourceVersion\\":\\"\d+\\"')
"""In an object that a message quotes."""
QUOTED_MANAGERS = re.compile(r'(\\"managedFields\\":\[\{)(.*?)(\}\])')
"""The same; there their order depends on the second in which each wrote."""
GENERATED = re.compile(r"'generateName': '([^']+)'")
ACCESS = re.compile(r"kube-api-access-[a-z0-9]{5}")
AGE = re.compile(r"^(?:\d+s|\d+m(?:\d+s)?|\d+y(?:\d+d)?)$")
"""Of what is of this run, or years old; hours and days are a span that a case gives."""
CURRENT = re.compile(r"current: \d+")
DIGITS = re.compile(r"(?<!\":)\b\d{2,}\b(?! - \"|: (?:Not Acceptable|Unsupported))")
"""What may be a version in a message: no member of quoted JSON, where versions are texts."""
EMPTY = re.compile(r'( value: |"[A-Z]\w*":)(?:\{\}|\[\])(?=[:,\]}]|$)')
"""An empty list or map: that it was not absent is forgotten here when it has been read."""
INTERNAL = "Invalid value: "
IMMUTABLE = ": field is immutable"
SHOWN_DIFFERENCE = re.compile(
    r"(is immutable after creation[^\n]*\n|pod updates may not change fields other than [^\n]*\n"
    r"|existing ephemeral containers [^\n]*\n).*",
    re.DOTALL,
)
"""What is followed by a comparison of two internal objects, up to the end of the message."""
SERVICES = [ipaddress.ip_network(f"10.{part}.0.0/16") for part in (8, 9, 96)]
QUOTED_IP = re.compile(r'(clusterIPs?\\*":\[?\\*")([0-9a-f.:]+)')
"""An address of a service in a message that quotes it whole."""
STATED = re.compile(r"[rR]esourceVersion\W{1,6}(\d+)")
"""A version that a case names; the same digits elsewhere are something else."""
SUFFIX = 5
"""Characters that a generated name has after its prefix."""
VERSIONS = ("resourceVersion", "metadata.resourceVersion")
SCHEME = re.compile(r'in scheme "[^"]*"')
"""The line of source that made it; which one, depends on where upstream was built."""
UNORDERED = ("resourceRules", "nonResourceRules")
"""Lists in no order."""
DIGEST = re.compile(r"X509SHA256=[0-9a-f]{64}")
"""Certificates are new in each run."""
CELL_PORT = re.compile(r"(?<=\d:)\d+(?=/(?:TCP|UDP|SCTP))")
"""A node port in the cell of a Table: ``80:31234/TCP``."""
KEYED = re.compile(r"(.*?)\[(?!\d+\])([^\]]+)\]")
"""A field in a member of a map."""
NODE_PORTS = ("nodePort", "healthCheckNodePort")


class Normaliser:
    """Of one server in one case. What the case itself names is left as it is."""

    def __init__(self, given: str, server: str) -> None:
        self._given, self._server = given, server
        self._prefixes = [
            re.compile(f"({re.escape(prefix)})[bcdfghjklmnpqrstvwxz2456789]{{{SUFFIX}}}\\b")
            for prefix in set(GENERATED.findall(given))
        ]
        self._versions = set(STATED.findall(given))
        self._names: dict[tuple[str, str], str] = {}
        self._counts: dict[str, int] = {}

    def value(self, node: Any, key: str = "") -> Any:
        """The same without what is random; members in the order of their keys."""
        if isinstance(node, dict):
            if node.get("type") == "BOOKMARK" and "metadata" in node.get("object", {}):
                # as new as the whole storage, in which other cases write
                node["object"]["metadata"].pop("resourceVersion", None)
            if isinstance(node.get("details"), dict) and "causes" in node["details"]:
                node = _in_order_of_keys(node)
            if "metadata" in node and ("items" in node or "rows" in node):
                # of a list: as new as the whole storage
                node = node | {"metadata": _unversioned(node["metadata"])}
            members = {name: self.value(node[name], name) for name in sorted(node)}
            # managedFields name owners by their UIDs
            return {self._plain(n) if '"uid"' in n else n: members[n] for n in members}
        if isinstance(node, list):
            items = [self.value(item, key) for item in node]
            if key in UNORDERED:
                return sorted(items, key=json.dumps)
            return _in_any_order(items) if key in {"managedFields", "causes"} else items
        if isinstance(node, str):
            return self._cell(node) if key == "cells" else self._string(node, key)
        if key in NODE_PORTS and type(node) is int and node and str(node) not in self._given:
            return self._name("port", str(node))
        return node

    def _cell(self, text: str) -> str:
        """Of a Table; a service shows there what it was given."""
        if _is_service_ip(text) and text not in self._given:
            return self._name("ip", text)
        text = CELL_PORT.sub(lambda found: self._unless_given("port", found[0]), text)
        return AGE.sub("<age>", self._string(text, "cells"))

    def text(self, text: str) -> str:
        """A message: what occurred before is recognised in it."""
        text = CURRENT.sub("current: <version>", self._plain(text))
        text = SCHEME.sub("in scheme <scheme>", text)
        text = EMPTY.sub(r"\1null", QUOTED.sub("<version>", text))
        text = QUOTED_MANAGERS.sub(_managers_in_order, text)
        text = QUOTED_IP.sub(self._quoted_ip, without_internals(text))
        return DIGITS.sub(lambda found: self._known("version", found[0]), text)

    def _quoted_ip(self, found: re.Match[str]) -> str:
        given = found[2] in self._given
        return found[0] if given else found[1] + self._name("ip", found[2])

    def _string(self, text: str, key: str) -> str:
        if key in VERSIONS:
            is_own = text in {"", "0"} or text in self._versions
            return text if is_own else self._name("version", text)
        if key == "continue" and text:
            return f"from <{continuation(text)}>"
        if key == "token" and (parts := _parts_of_token(text)):
            return [self.value(part) for part in parts]
        if key == "expirationTimestamp" and text not in self._given:
            return TIME.sub("<time>", text)
        if key == "kid":
            return "<key>"
        if key in {"clusterIP", "clusterIPs"} and _is_service_ip(text) and text not in self._given:
            return self._name("ip", text)
        return self.text(text) if key == "message" else self._plain(text)

    def _plain(self, text: str) -> str:
        text = text.replace(self._server, "SERVER")
        text = DIGEST.sub("X509SHA256=<digest>", text)
        text = UUID.sub(lambda found: self._unless_given("uid", found[0]), text)
        text = ACCESS.sub("kube-api-access-<suffix>", TIME.sub(_time, text))
        for prefix in self._prefixes:
            text = prefix.sub(r"\1<suffix>", text)
        return text

    def _unless_given(self, kind: str, text: str) -> str:
        return text if text in self._given else self._name(kind, text)

    def _name(self, kind: str, text: str) -> str:
        if (kind, text) not in self._names:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            self._names[kind, text] = f"<{kind} {self._counts[kind]}>"
        return self._names[kind, text]

    def _known(self, kind: str, text: str) -> str:
        return self._names.get((kind, text), text)


def _in_order_of_keys(status: dict[str, Any]) -> dict[str, Any]:
    """What is wrong with members of a map one after the other, upstream tells in any order."""
    causes = status["details"]["causes"]
    ordered: list[Any] = []
    for _, run in itertools.groupby(causes, key=lambda cause: _keyed(cause)[0]):
        ordered += sorted(run, key=lambda cause: _keyed(cause)[1])
    message = status.get("message", "").replace(_listed(causes), _listed(ordered))
    return status | {"message": message, "details": status["details"] | {"causes": ordered}}


def _keyed(cause: dict[str, Any]) -> tuple[str, str]:
    """The map where a cause is, and the key in it."""
    found = KEYED.match(cause.get("field", ""))
    return (found[1], found[2]) if found else (cause.get("field", ""), "")


def _listed(causes: list[dict[str, Any]]) -> str:
    return ", ".join(f"{cause.get('field')}: {cause.get('message')}" for cause in causes)


def _unversioned(metadata: Any) -> Any:
    if not isinstance(metadata, dict) or "resourceVersion" not in metadata:
        return metadata
    return metadata | {"resourceVersion": ""}


def without_internals(text: str) -> str:
    """A message without what only Go's own structs can be printed as, up to the end where needed."""
    text = SHOWN_DIFFERENCE.sub(r"\1<difference>", text)
    begin = 0
    while (begin := text.find(INTERNAL, begin)) >= 0:
        begin += len(INTERNAL)
        end = _end_of_value(text, begin)
        if end and text.startswith(IMMUTABLE, end):
            text = f"{text[:begin]}<value>{text[end:]}"
    return text


def _end_of_value(text: str, begin: int) -> int:
    """Where the object or list that begins there ends; 0 when there is none."""
    if not text.startswith(("{", "["), begin):
        return 0
    try:
        return json.JSONDecoder().raw_decode(text, begin)[1]
    except ValueError:
        return 0


def continuation(token: str) -> Any:
    """The object at which a page begins; the token itself where it is no JSON.

    The rest of a token is the server's own business.
    """
    try:
        found = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (ValueError, binascii.Error):
        return token
    return found["start"].rpartition("/")[2]


def _parts_of_token(text: str) -> list[Any]:
    """Header and claims of a JWT, its times counted from when it was issued."""
    try:
        header, claims, _ = text.split(".")
        parts = [json.loads(base64.urlsafe_b64decode(part + "===")) for part in (header, claims)]
    except ValueError:
        return []
    for name, moment in _moments(parts[1]):
        moment[name] = f"issued {moment[name] - parts[1]['iat']:+} s"
    return parts


def _moments(claims: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    own = claims.get("kubernetes.io") or {}
    places = [("exp", claims), ("nbf", claims), ("warnafter", own), ("iat", claims)]
    return [(name, place) for name, place in places if name in place]


def _in_any_order(entries: list[Any]) -> list[Any]:
    """Some order depends on the second in which something was written, or on a random walk."""
    if not all(isinstance(entry, dict) for entry in entries):
        return entries
    return sorted(entries, key=_order)


def _order(entry: dict[str, Any]) -> tuple[str, ...]:
    """Managers of this run by name; conflicts, of which upstream tells at random, by theirs."""
    words: tuple[str, ...] = ()
    if entry.get("reason") == "FieldManagerConflict":
        words = ("message",)
    elif str(entry.get("time", "")).startswith("<time"):
        words = ("manager", "apiVersion", "subresource")
    return str(entry.get("operation")), *(str(entry.get(word, "")) for word in words)


def _managers_in_order(found: re.Match[str]) -> str:
    return found[1] + "},{".join(sorted(found[2].split("},{"))) + found[3]


def _is_service_ip(text: str) -> bool:
    try:
        return any(ipaddress.ip_address(text) in network for network in SERVICES)
    except ValueError:
        return False


def _time(found: re.Match[str]) -> str:
    """A time of these days, by its precision; other times are the case's own."""
    when = datetime.fromisoformat(found[0].partition(".")[0].rstrip("Z")).replace(tzinfo=UTC)
    if abs(when - datetime.now(UTC)) > timedelta(days=2):
        return found[0]
    return f"<time {len(found[1])} digits>" if found[1] else "<time>"


def differences(theirs: Any, ours: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Where two values differ: path, what upstream has, what we have."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        for key in sorted({*theirs, *ours}, key=str):
            yield from differences(
                theirs.get(key, MISSING), ours.get(key, MISSING), f"{path}.{key}"
            )
    elif isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        for position, (one, other) in enumerate(zip(theirs, ours, strict=True)):
            yield from differences(one, other, f"{path}[{position}]")
    elif type(theirs) is not type(ours) or theirs != ours:
        yield path or ".", theirs, ours


class _Missing:
    """Where one of the two has nothing."""

    def __repr__(self) -> str:
        return "nothing"


MISSING = _Missing()
Change = Callable[[Any], Any]
