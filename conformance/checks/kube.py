"""What the checks in Python share: settings, a small API client, a tally of what held."""

import base64
import http.client
import json
import os
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

CONFORMANCE = Path(__file__).resolve().parent.parent
SETTINGS = ("ADMIN_KUBECONFIG", "API_SERVER", "BIN", "CONTROL_SCRIPT", "HOST_IP", "PKI", "STATE")

Json = dict[str, Any]


def settings() -> dict[str, str]:
    """The variables of env.sh, as the shell scripts see them."""
    echo = "; ".join(f'echo "${name}"' for name in SETTINGS)
    done = subprocess.run(
        ["bash", "-c", f'. "{CONFORMANCE}/env.sh"; {echo}'],
        check=True,
        capture_output=True,
        text=True,
    )
    return dict(zip(SETTINGS, done.stdout.splitlines(), strict=True))


def script(name: str, *args: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a script of conformance/ to its end; what it says goes to standard error."""
    return subprocess.run(
        [CONFORMANCE / name, *args],
        check=True,
        stdout=sys.stderr,
        text=True,
        env={**os.environ, **environment},
    )


@dataclass(frozen=True)
class Answer:
    """One HTTP answer; content is parsed JSON, or empty where the body is something else."""

    code: int
    headers: dict[str, str]
    content: Json
    text: str

    @property
    def reason(self) -> str:
        return str(self.content.get("reason", ""))

    @property
    def message(self) -> str:
        return str(self.content.get("message", self.text))


class Client:
    """A connection to the API server with one identity; not to be shared by threads."""

    def __init__(self, server: str, context: ssl.SSLContext, timeout: float = 30) -> None:
        self.server, self.context, self.timeout = server, context, timeout
        self.connection = self.connect()

    def connect(self) -> http.client.HTTPSConnection:
        where = urlsplit(self.server)
        return http.client.HTTPSConnection(
            where.hostname or "", where.port, context=self.context, timeout=self.timeout
        )

    def clone(self, timeout: float = 30) -> "Client":
        return Client(self.server, self.context, timeout)

    def request(
        self, method: str, path: str, body: Json | bytes | None = None, content_type: str = ""
    ) -> Answer:
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = content_type or "application/json"
        data = json.dumps(body).encode() if isinstance(body, dict) else body
        try:
            self.connection.request(method, path, body=data, headers=headers)
            answer = self.connection.getresponse()
            text = answer.read().decode(errors="replace")
        except (http.client.HTTPException, OSError):
            self.connection.close()
            raise
        return Answer(answer.status, dict(answer.getheaders()), parsed(text), text)

    def watch(self, path: str) -> Iterator[Json]:
        """Events until the server ends the stream or the connection breaks."""
        connection = self.connect()
        try:
            connection.request("GET", path, headers={"Accept": "application/json"})
            answer = connection.getresponse()
            while line := answer.readline():
                yield json.loads(line)
        finally:
            connection.close()


def parsed(text: str) -> Json:
    try:
        content = json.loads(text)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def tls(
    ca: Path | None, certificate: Path | None = None, key: Path | None = None
) -> ssl.SSLContext:
    """Without ca the server is not verified, which only a check of start-up times may do."""
    context = ssl.create_default_context(cafile=ca)
    if ca is None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if certificate:
        context.load_cert_chain(certificate, key)
    return context


def admin(env: dict[str, str]) -> Client:
    """The client that admin.conf describes."""
    command = [f"{env['BIN']}/kubectl", "--kubeconfig", env["ADMIN_KUBECONFIG"]]
    done = subprocess.run(
        [*command, "config", "view", "--raw", "-o", "json"], check=True, capture_output=True
    )
    config = json.loads(done.stdout)
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    with tempfile.TemporaryDirectory() as directory:
        return Client(cluster["server"], context_from(Path(directory), cluster, user))


def context_from(directory: Path, cluster: Json, user: Json) -> ssl.SSLContext:
    def file(source: Json, name: str) -> Path:
        if name in source:
            return Path(source[name])
        path = directory / name
        path.write_bytes(base64.b64decode(source[f"{name}-data"]))
        return path

    return tls(
        file(cluster, "certificate-authority"),
        file(user, "client-certificate"),
        file(user, "client-key"),
    )


def until(seconds: float, condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


@dataclass
class Tally:
    """Prints each thing that holds or not; the exit status of the check."""

    wrong: list[str] = field(default_factory=list)

    def check(self, title: str, *, holds: bool, saw: str = "") -> None:
        print(f"{'ok   ' if holds else 'WRONG'} {title}{': ' if saw else ''}{saw}", flush=True)
        if not holds:
            self.wrong.append(title)

    def status(self) -> int:
        print(f"{len(self.wrong)} wrong" if self.wrong else "everything holds")
        return 1 if self.wrong else 0


def namespace(client: Client, name: str) -> str:
    """A fresh namespace; its path."""
    path = f"/api/v1/namespaces/{name}"
    client.request("DELETE", path)
    gone = until(60, lambda: client.request("GET", path).code == 404)
    created = client.request("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
    if not gone or created.code != 201:
        sys.exit(f"cannot make the namespace {name}: {created.message}")
    return path
