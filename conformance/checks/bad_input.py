#!/usr/bin/env python3
"""Wrong requests get upstream's status code, reason and text, and the server stays healthy."""

import argparse
import contextlib
import re
import socket
import ssl
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import kube
from kube import Client, Json, Tally

LIMIT = 3 * 1024 * 1024
TOO_LARGE = "413 RequestEntityTooLarge"


MAPS = "configmaps"
KEPT = "configmaps/kept"
JSON_PATCH = "application/json-patch+json"


@dataclass(frozen=True)
class Case:
    """One wrong request, its path within the namespace, and the answer; text is a regexp."""

    title: str
    method: str
    path: str
    body: Json | bytes | None
    answer: str
    text: str = ""
    content_type: str = "application/json"


def config_map(name: str, **more: object) -> Json:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, **more}


def stale() -> Json:
    changed = config_map("kept", data={"a": "2"})
    changed["metadata"]["resourceVersion"] = "1"
    return changed


POD: Json = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {}}
WIDGET: Json = {**config_map("w"), "kind": "Widget"}

BODIES = [
    Case("malformed body", "POST", MAPS, b'{"kind":', "400 BadRequest", "unexpected end of JSON"),
    Case("not JSON at all", "POST", MAPS, b"\xff\xfe", "400 BadRequest", "invalid character"),
    Case(
        "wrong type of a field",
        "POST",
        MAPS,
        config_map("n", data=["x"]),
        "400 BadRequest",
        "cannot be handled as a ConfigMap: json: cannot unmarshal array into Go struct field "
        "ConfigMap.data of type map",
    ),
    Case(
        "unknown field under strict validation",
        "POST",
        f"{MAPS}?fieldValidation=Strict",
        config_map("n", bogus=1),
        "400 BadRequest",
        'strict decoding error: unknown field "bogus"',
    ),
    Case("body over 3 MiB", "POST", MAPS, b" " * (LIMIT + 1), TOO_LARGE, "limit is 3145728"),
    Case(
        "unknown media type",
        "POST",
        MAPS,
        b"x",
        "415 UnsupportedMediaType",
        "the body of the request was in an unknown format - accepted media types include:",
        "text/plain",
    ),
    Case(
        "JSON patch that does not fit",
        "PATCH",
        KEPT,
        b'[{"op":"test","path":"/data/a","value":"9"}]',
        "422 Invalid",
        content_type=JSON_PATCH,
    ),
    Case("malformed JSON patch", "PATCH", KEPT, b"[{", "400 BadRequest", "", JSON_PATCH),
]

OBJECTS = [
    Case(
        "invalid name",
        "POST",
        MAPS,
        config_map("Bad_Name"),
        "422 Invalid",
        'metadata.name: Invalid value: "Bad_Name": a lowercase RFC 1123 subdomain must consist of',
    ),
    Case(
        "a Pod without containers",
        "POST",
        "pods",
        POD,
        "422 Invalid",
        "spec.containers: Required value",
    ),
    Case(
        "stale resourceVersion",
        "PUT",
        KEPT,
        stale(),
        "409 Conflict",
        "the object has been modified; please apply your changes to the latest version and try",
    ),
    Case(
        "name that exists",
        "POST",
        MAPS,
        config_map("kept"),
        "409 AlreadyExists",
        'configmaps "kept" already exists',
    ),
    Case(
        "name other than the URL's",
        "PUT",
        KEPT,
        config_map("other"),
        "400 BadRequest",
        r"the name of the object \(other\) does not match the name on the URL \(kept\)",
    ),
    Case(
        "unknown kind",
        "POST",
        MAPS,
        WIDGET,
        "400 BadRequest",
        'no kind "Widget" is registered for version "v1" in scheme',
    ),
    Case(
        "kind of another resource",
        "POST",
        MAPS,
        POD,
        "400 BadRequest",
        'Pod in version "v1" cannot be handled as a ConfigMap',
    ),
]

REQUESTS = [
    Case(
        "unknown resource",
        "GET",
        "widgets",
        None,
        "404 NotFound",
        "the server could not find the requested resource",
    ),
    Case(
        "object that is not there",
        "GET",
        f"{MAPS}/missing",
        None,
        "404 NotFound",
        'configmaps "missing" not found',
    ),
    Case(
        "verb that the resource lacks",
        "PUT",
        MAPS,
        config_map("kept"),
        "405 MethodNotAllowed",
        "the server does not allow this method on the requested resource",
    ),
    Case(
        "broken label selector",
        "GET",
        f"{MAPS}?labelSelector=a%20b%20c",
        None,
        "400 BadRequest",
        "unable to parse requirement",
    ),
    Case(
        "field that cannot be selected",
        "GET",
        f"{MAPS}?fieldSelector=data.a%3D1",
        None,
        "400 BadRequest",
        "is not a known field selector: only",
    ),
    Case(
        "broken continue token",
        "GET",
        f"{MAPS}?limit=1&continue=xyz",
        None,
        "400 BadRequest",
        "continue key is not valid",
    ),
]


def healthy(client: Client, maps: str) -> bool:
    """Ready, and nothing that was refused has been stored."""
    names = {item["metadata"]["name"] for item in client.request("GET", maps).content["items"]}
    return client.request("GET", "/readyz").text == "ok" and names - {"kube-root-ca.crt"} == {
        "kept"
    }


def run_case(client: Client, case: Case, tally: Tally, base: str) -> None:
    try:
        got = client.request(case.method, f"{base}/{case.path}", case.body, case.content_type)
    except OSError as error:
        tally.check(case.title, holds=False, saw=f"no answer: {error}")
        return
    answer = f"{got.code} {got.reason}"
    right = answer == case.answer and bool(re.search(case.text, got.message))
    saw = f"{answer} {got.message[:160]!r}"
    if not right:
        saw += f" instead of {case.answer} {case.text!r}"
    tally.check(case.title, holds=right and healthy(client, f"{base}/{MAPS}"), saw=saw)


def identities(env: dict[str, str], tally: Tally) -> None:
    """A certificate of an unknown authority; a person without any permission; nobody."""
    ca = Path(env["PKI"]) / "ca.crt"
    with tempfile.TemporaryDirectory() as directory:
        where = Path(directory)
        openssl_self_signed(where)
        stranger = Client(env["API_SERVER"], kube.tls(ca, where / "x.crt", where / "x.key"))
        kube.script("pki.sh", "user", "jane", "people", str(where / "jane.conf"))
        jane = Client(env["API_SERVER"], kube.tls(ca, where / "jane.crt", where / "jane.key"))
    nobody = Client(env["API_SERVER"], kube.tls(ca))
    path = "/api/v1/namespaces/default/secrets"
    forbidden = (
        'secrets is forbidden: User "{}" cannot list resource "secrets" in API group "" '
        'in the namespace "default"'
    )
    for title, client, code, reason, text in (
        ("certificate of another authority", stranger, 401, "Unauthorized", "Unauthorized"),
        ("missing permission", jane, 403, "Forbidden", forbidden.format("jane")),
        ("no identity", nobody, 403, "Forbidden", forbidden.format("system:anonymous")),
    ):
        answer = refused(client, path)
        saw = f"{answer.code} {answer.reason} {answer.message!r}"
        tally.check(
            title,
            holds=(answer.code, answer.reason, answer.message) == (code, reason, text),
            saw=saw,
        )


def refused(client: Client, path: str) -> kube.Answer:
    try:
        return client.request("GET", path)
    except OSError as error:
        return kube.Answer(0, {}, {}, f"no answer: {error}")


def openssl_self_signed(where: Path) -> None:
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    subject = "/O=system:masters/CN=kubernetes-admin"
    subprocess.run(
        [*command.split(), "-subj", subject, "-keyout", where / "x.key", "-out", where / "x.crt"],
        check=True,
        capture_output=True,
    )


def garbage(env: dict[str, str], tally: Tally, client: Client, maps: str) -> None:
    """Bytes that are no HTTP, and connections that end in the middle."""
    where = urlsplit(env["API_SERVER"])
    context = kube.tls(Path(env["PKI"]) / "ca.crt")
    for content in (
        b"\x00\xff" * 4096,
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /api HTTP/1.1\r\nHost: x\r\nContent-",
    ):
        with (
            socket.create_connection((where.hostname or "", where.port or 443), 10) as raw,
            context.wrap_socket(raw, server_hostname=where.hostname) as tls,
            contextlib.suppress(OSError, ssl.SSLError),
        ):
            tls.sendall(content)
    with socket.create_connection((where.hostname or "", where.port or 443), 10) as raw:
        raw.sendall(b"this is not TLS\r\n\r\n")
    tally.check(
        "bytes that are no HTTP, or no TLS", holds=healthy(client, maps), saw="still healthy"
    )


def main() -> int:
    argparse.ArgumentParser(description=__doc__).parse_args()
    env = kube.settings()
    kube.script(env["CONTROL_SCRIPT"], "up")
    client, tally = kube.admin(env), Tally()
    base = kube.namespace(client, "check-bad-input")
    maps = f"{base}/configmaps"
    kube.until(
        10, lambda: client.request("POST", maps, config_map("kept", data={"a": "1"})).code == 201
    )
    for case in (*BODIES, *OBJECTS, *REQUESTS):
        run_case(client, case, tally, base)
    identities(env, tally)
    garbage(env, tally, client, maps)
    client.request("DELETE", base)
    return tally.status()


if __name__ == "__main__":
    sys.exit(main())
