#!/usr/bin/env python3
"""make compare-documents: what kube-apiserver and pykube-cp say of themselves, compared.

Discovery, OpenAPI, versions, health, metrics and whatever else is no resource: every document in every
form, as administrator and as nobody. Prints each difference and closes with "N passed, N failed". What
differs on purpose is in MEANT, with the reason in docs/compatibility.md.
"""

import argparse
import http.client
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import metrics
import servers
from exchange import Server
from normalise import differences

from pykube_cp.api.openapi import proto_v2, proto_v3
from pykube_cp.machinery.codec.catalog import PROTOBUF
from pykube_cp.machinery.codec.protobuf import open_envelope
from pykube_cp.machinery.gvk import GVK

JSON = "application/json"
YAML = "application/yaml"
OBJECT_PROTOBUF = PROTOBUF.media_type
AGGREGATED = "g=apidiscovery.k8s.io;v={};as=APIGroupDiscoveryList"
V2 = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
V3 = "application/com.github.proto-openapi.spec.v3.v1.0+protobuf"

HEADERS = (
    "Allow",
    "Cache-Control",
    "Content-Encoding",
    "Content-Type",
    "Location",
    "Vary",
    "Warning",
    "Www-Authenticate",
    "X-Content-Type-Options",
)
"""Compared as they are; of PRESENT only whether they are there."""
PRESENT = ("Audit-Id", "Process-Start-Time-Unix", "ETag", "Expires", "Last-Modified", "Retry-After")

Change = Callable[[str], str]
MEANT: tuple[tuple[str, Change], ...] = (
    # The values of an enumeration are listed, but not explained.
    (r"\.description$", lambda text: re.sub(r"\n+Possible enum values:[\s\S]*", "", text)),
    # Line breaks in two parameters, and so their names in version 2.
    (r"\.description$", lambda text: " ".join(text.split()) if _is_broken(text) else text),
    (r"\.\$ref$", lambda text: _BROKEN_NAME.sub(r"\1", text)),
)
"""Texts, by their path, that are compared after a change."""
_BROKEN_NAME = re.compile(r"(#/parameters/(?:sendInitialEvents|shardSelector))-.{8}$")
NOT_DESCRIBED = re.compile(r"\.(?:Quantity|IntOrString)\.description$")
"""Paths where only upstream says something."""
ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+:\d{4,5}")
"""Where a server says it is."""
CHECK = re.compile(r"^\[[+-]\](\S+)", re.MULTILINE)
"""The name of a health check in a report."""
HOOK = re.compile(r"^/(?:healthz|livez|readyz)/")
HEADS_ONLY = ("/statusz", "/flagz")
"""Pages whose text is random on purpose, and not meant to be compared."""
OWN = re.compile(r"^\.(?:goVersion|compiler|gitCommit|gitTreeState|buildDate)$")
"""Of /version: what names the build."""


def _is_broken(text: str) -> bool:
    return text.startswith(("`sendInitialEvents=true`", "shardSelector restricts"))


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def head(self) -> dict[str, Any]:
        """Status and headers, comparable."""
        kept = {name: self.headers[name] for name in HEADERS if name in self.headers}
        there = {name: "present" for name in PRESENT if name in self.headers}
        return {"status": self.status, **kept, **there}


class Asker:
    """One server, asked by one user."""

    def __init__(self, server: Server, user: str = "admin") -> None:
        where = urlsplit(server.url)
        self._connection = http.client.HTTPSConnection(
            where.hostname or "", where.port, context=server.contexts[user], timeout=60
        )

    def get(self, path: str, method: str = "GET", **headers: str) -> Answer:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        self._connection.request(method, path, headers={"User-Agent": "documents", **given})
        answer = self._connection.getresponse()
        found: dict[str, str] = {}
        for name, value in answer.getheaders():
            found[name.title()] = (
                f"{found[name.title()]}, {value}" if name.title() in found else value
            )
        return Answer(answer.status, found, answer.read())


@dataclass(slots=True)
class Pair:
    """The two servers, and what came of comparing them."""

    theirs: Asker
    ours: Asker
    shown: int
    passed: int = 0
    failed: list[str] = field(default_factory=list)

    def compare(self, title: str, theirs: Any, ours: Any) -> None:
        """Two values of the same document."""
        found = list(_unmeant(theirs, ours))
        lines = [
            f"    {path.lstrip('.')}: upstream {one}, ours {other}" for path, one, other in found
        ]
        self.judge(title, [_brief(line) for line in lines])

    def judge(self, title: str, lines: list[str]) -> None:
        if not lines:
            self.passed += 1
            return
        self.failed.append(title)
        print(f"DIFFERS {title}")
        print("\n".join(lines[: self.shown]))
        if len(lines) > self.shown:
            print(f"    and {len(lines) - self.shown} more")

    def both(self, path: str, method: str = "GET", **headers: str) -> tuple[Answer, Answer]:
        return self.theirs.get(path, method, **headers), self.ours.get(path, method, **headers)


def _brief(line: str) -> str:
    return line if len(line) < 400 else f"{line[:400]}... ({len(line)} characters)"


def _unmeant(theirs: Any, ours: Any) -> Iterator[tuple[str, Any, Any]]:
    for path, one, other in differences(theirs, ours):
        if NOT_DESCRIBED.search(path) and isinstance(one, str) and not isinstance(other, str):
            continue
        if _changed(path, one) != _changed(path, other):
            yield path, one, other


def _changed(path: str, value: Any) -> Any:
    for pattern, change in MEANT:
        if isinstance(value, str) and re.search(pattern, path):
            value = change(value)
    return value


def discovery(pair: Pair) -> None:
    """Groups, versions and resources, in every form and each on its own."""
    paths = ["/api", "/apis", "/api/v1"]
    for group in pair.theirs.get("/apis").json["groups"]:
        paths.append(f"/apis/{group['name']}")
        paths += [f"/apis/{version['groupVersion']}" for version in group["versions"]]
    for path in paths:
        for accept in (JSON, OBJECT_PROTOBUF):
            documents(pair, path, accept)
    for path in ("/api", "/apis"):
        for media_type in (JSON, OBJECT_PROTOBUF):
            documents(pair, path, f"{media_type};{AGGREGATED.format('v2')}")
        for accept in (YAML, "text/html", f"{JSON};{AGGREGATED.format('v2beta1')}", "*/*", ""):
            documents(pair, path, accept)
        documents(pair, path, f"{JSON},{JSON};{AGGREGATED.format('v2')};profile=nopeer")
        _unchanged(pair, path, Accept=f"{JSON};{AGGREGATED.format('v2')}")


def documents(pair: Pair, path: str, accept: str) -> None:
    """A document of one media type."""
    theirs, ours = pair.both(path, Accept=accept) if accept else pair.both(path)
    title = f"GET {path}" + (f" as {accept}" if accept else "")
    pair.compare(f"{title}: head", theirs.head(), ours.head())
    pair.compare(title, _read(theirs), _read(ours))


def _read(answer: Answer) -> Any:
    """The body: objects as they are, everything else as text."""
    media_type = answer.headers.get("Content-Type", "").partition(";")[0]
    if media_type == OBJECT_PROTOBUF:
        version = open_envelope(answer.body)[0]
        found = PROTOBUF.decode(answer.body, GVK("", "v1", ""))
        return {**json.loads(ADDRESS.sub("SERVER", json.dumps(found))), "apiVersion": version}
    text = ADDRESS.sub("SERVER", answer.body.decode(errors="replace"))
    return json.loads(text) if media_type.endswith("json") and text else text


def _unchanged(pair: Pair, path: str, **headers: str) -> None:
    """What the client has already is not sent again."""
    found = []
    for asker in (pair.theirs, pair.ours):
        tag = asker.get(path, **headers).headers.get("Etag", "")
        answer = asker.get(path, **headers, If_None_Match=tag)
        found.append(
            {**answer.head(), "body": answer.body, "same": answer.headers.get("Etag") == tag}
        )
    pair.compare(f"GET {path} again", *found)


def openapi_v2(pair: Pair) -> None:
    for accept in (JSON, V2, V2.replace("v2.v1", "v2@v1"), "*/*", "text/html"):
        theirs, ours = pair.both("/openapi/v2", Accept=accept)
        pair.compare(f"GET /openapi/v2 as {accept}: head", theirs.head(), ours.head())
    theirs, ours = pair.both("/openapi/v2", Accept_Encoding="gzip")
    pair.compare("GET /openapi/v2 compressed: head", theirs.head(), ours.head())
    theirs, ours = pair.both("/openapi/v2", Accept=JSON)
    _by_member(pair, "/openapi/v2", _renamed(theirs.json), _renamed(ours.json))
    _protobuf(pair, "/openapi/v2", V2, proto_v2.DOCUMENT)
    _unchanged(pair, "/openapi/v2", Accept=JSON)


def _renamed(document: Any) -> Any:
    """Parameters under the names that stay when their line breaks differ."""
    parameters = document["parameters"]
    document["parameters"] = {
        _BROKEN_NAME.sub(r"\1", f"#/parameters/{name}"): found for name, found in parameters.items()
    }
    return document


def openapi_v3(pair: Pair) -> None:
    theirs, ours = pair.both("/openapi/v3")
    pair.compare("GET /openapi/v3: head", theirs.head(), ours.head())
    pair.compare("GET /openapi/v3", list(theirs.json["paths"]), list(ours.json["paths"]))
    for root in sorted(theirs.json["paths"].keys() & ours.json["paths"].keys()):
        path = f"/openapi/v3/{root}"
        one, other = pair.both(path, Accept=JSON)
        pair.compare(f"GET {path}: head", one.head(), other.head())
        _by_member(pair, path, one.json, other.json)
        _protobuf(pair, path, V3, proto_v3.DOCUMENT)
    urls = [found.json["paths"]["version"]["serverRelativeURL"] for found in (theirs, ours)]
    one, other = pair.theirs.get(urls[0]), pair.ours.get(urls[1])
    pair.compare("GET /openapi/v3/version?hash=...: head", one.head(), other.head())
    for path in (
        "/openapi/v3/version",
        "/openapi/v3/nowhere",
        "/openapi/v3/",
        "/openapi/v3/api/v1/",
    ):
        for accept in ("*/*", "text/html", V3, V3.replace("v3.v1", "v3@v1")):
            one, other = pair.both(path, Accept=accept)
            pair.compare(f"GET {path} as {accept}: head", one.head(), other.head())
    _unchanged(pair, "/openapi/v3/version")


def _by_member(pair: Pair, path: str, theirs: Any, ours: Any) -> None:
    """A large document, a title for each of its parts."""
    for name in sorted({*theirs, *ours}):
        pair.compare(f"GET {path}: {name}", theirs.get(name), ours.get(name))


def _protobuf(pair: Pair, path: str, media_type: str, encode: Callable[[Any], bytes]) -> None:
    """Our encoder makes of both servers' JSON the bytes that each of them sends."""
    for name, asker in (("upstream", pair.theirs), ("ours", pair.ours)):
        sent = asker.get(path, Accept=media_type).body
        made = encode(asker.get(path, Accept=JSON).json)
        lines = [] if made == sent else [f"    {len(made)} bytes made, {len(sent)} sent"]
        pair.judge(f"GET {path} as protobuf, {name}", lines)


def texts(pair: Pair, user: str) -> None:
    """What is short: head and body as they are."""
    for line in ANSWERS:
        method, _, path = line.rpartition(" ")
        theirs, ours = pair.both(path, method or "GET")
        title = f"{method or 'GET'} {path} of {user}"
        pair.compare(f"{title}: head", theirs.head(), ours.head())
        if path not in HEADS_ONLY:
            pair.compare(title, *_common(_read(theirs), _read(ours)))


def _common(theirs: Any, ours: Any) -> tuple[Any, Any]:
    """Without what names the build, and without health checks of what only upstream has."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        if isinstance(theirs.get("paths"), list) and "paths" in ours:
            missing = {*theirs["paths"]} - {*ours["paths"]}
            return [
                path for path in theirs["paths"] if path not in missing or not HOOK.match(path)
            ], ours["paths"]
        kept = (
            {key: value for key, value in each.items() if not OWN.match(f".{key}")}
            for each in (theirs, ours)
        )
        return next(kept), next(kept)
    if isinstance(theirs, str) and isinstance(ours, str) and CHECK.search(theirs):
        checks = set(CHECK.findall(ours))
        lines = theirs.splitlines(keepends=True)
        kept_lines = [line for line in lines if checks >= set(CHECK.findall(line))]
        return "".join(kept_lines), ours
    return theirs, ours


HEALTH = ("healthz", "livez", "readyz")
ANSWERS = (
    "/version?pretty=0",
    *(f"/{name}" for name in HEALTH),
    *(f"/{name}?verbose" for name in HEALTH),
    *(f"/{name}/ping" for name in HEALTH),
    *(f"/{name}/ping?verbose" for name in HEALTH),
    *(f"/{name}/nothing" for name in HEALTH),
    *(f"/{name}?exclude=ping&exclude=nothing&verbose" for name in HEALTH),
    *(f"/{name}?exclude=nothing" for name in HEALTH),
    "/readyz/",
    "/readyz/etcd",
    "/livez/poststarthook/rbac/bootstrap-roles",
    "HEAD /readyz",
    "POST /healthz",
    "/version",
    "/version/",
    "POST /version",
    "HEAD /version",
    "/",
    "/index.html",
    "/nothing",
    "/nothing/below",
    "POST /nothing",
    "/api/",
    "/api/v2",
    "/api/v1/nothing",
    "/api/v1/namespaces/default/nothing",
    "/apis/",
    "/apis/nothing",
    "/apis/nothing/v1",
    "/apis/apps/v9",
    "/apis/apps/v1/nothing",
    "/apis/apps/",
    "POST /apis/apps",
    "DELETE /api",
    "POST /apis/apps/v1",
    "/openapi",
    "/openapi/v2/",
    "/openapi/v1",
    "POST /openapi/nothing",
    "/swaggerapi",
    "/logs",
    "/logs/",
    "/debug",
    "/debug/flags",
    "/debug/flags/v",
    "/debug/flags/",
    "/metrics/nothing",
    "/statusz",
    "/flagz",
    "/configz",
    "/ui",
    "/.well-known/openid-configuration",
    "/.well-known/openid-configuration/",
    "/.well-known",
    "/openid/v1/jwks",
    "/openid/v1/jwks/",
    "/openid",
    "/favicon.ico",
)
"""Paths, and methods before them where they are not GET."""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--only", default="", help="regular expression: only parts that match")
    add("--directory", type=Path, required=True, help="where the servers keep their state")
    add("--shift", type=int, default=0, help="added to every port")
    add(
        "--show",
        type=int,
        default=20,
        metavar="N",
        help="differences of a document that are printed",
    )
    return parser.parse_args()


PARTS: dict[str, Callable[[Pair], None]] = {
    "discovery": discovery,
    "openapi v2": openapi_v2,
    "openapi v3": openapi_v3,
    "metrics": metrics.compare,
}


def main() -> int:
    options = arguments()
    place = servers.Place(options.directory.resolve(), options.shift)
    passed, failed = 0, 0
    with servers.both(place) as (theirs, ours):
        for user in ("admin", "anonymous"):
            pair = Pair(Asker(theirs, user), Asker(ours, user), options.show)
            if re.search(options.only, "texts"):
                texts(pair, user)
            for name, part in PARTS.items():
                if user == "admin" and re.search(options.only, name):
                    part(pair)
            passed, failed = passed + pair.passed, failed + len(pair.failed)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
