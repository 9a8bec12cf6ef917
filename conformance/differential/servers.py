"""Brings up kube-apiserver on etcd and pykube-cp's API server on one set of keys, without nodes."""

import contextlib
import os
import shutil
import signal
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from exchange import Server
from network import MACHINE
from script import UPSTREAM_ONLY

CONFORMANCE = Path(__file__).resolve().parent.parent
REPO = CONFORMANCE.parent
UPSTREAM_PORT, ETCD_PORT, OUR_PORT = 17444, 17379, 17443

USERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "admin": ("kubernetes-admin", ("system:masters",)),
    "alice": ("alice", ("developers",)),
    "node": ("system:node:node-1", ("system:nodes",)),
    "kcm": ("system:kube-controller-manager", ()),
}
"""Who may ask: common name and groups. Besides there is `anonymous`, who shows no certificate."""


@dataclass(frozen=True)
class Place:
    """Where everything of a run lies, and which ports it uses."""

    directory: Path
    shift: int

    @property
    def pki(self) -> Path:
        return self.directory / "state/reference/pki"

    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "PYKUBE_CP_STATE": str(self.directory / "state"),
            "HOST_IP": "127.0.0.1",
            "API_PORT": str(UPSTREAM_PORT + self.shift),
            "ETCD_PORT": str(ETCD_PORT + self.shift),
            "CONTROL_PLANE": "reference",
            "ONLY": "etcd kube-apiserver",
        }


def fetch() -> None:
    """Builds or fetches upstream's programs where they are missing."""
    for command in (["deps.sh", "reference"], ["tools.sh", "kubectl", "kube-apiserver"]):
        subprocess.run([CONFORMANCE / command[0], *command[1:]], check=True, stdout=sys.stderr)


@contextlib.contextmanager
def both(place: Place, flags: Sequence[str] = ()) -> Iterator[tuple[Server, ...]]:
    """Upstream's and ours, ready, on empty storage."""
    _keys(place)
    with upstream(place, flags), ours(place, flags):
        contexts = _contexts(place)
        url = f"https://127.0.0.1:{UPSTREAM_PORT + place.shift}"
        yield Server("upstream", url, contexts), _own_server(place, contexts)


@contextlib.contextmanager
def ours_alone(place: Place, flags: Sequence[str] = ()) -> Iterator[tuple[Server, ...]]:
    _keys(place)
    with ours(place, flags):
        yield (_own_server(place, _contexts(place)),)


def _own_server(place: Place, contexts: dict[str, ssl.SSLContext]) -> Server:
    return Server("ours", f"https://127.0.0.1:{OUR_PORT + place.shift}", contexts)


def _keys(place: Place) -> None:
    """Fresh keys on an empty disk."""
    shutil.rmtree(place.directory, ignore_errors=True)
    place.directory.mkdir(parents=True)
    command = [CONFORMANCE / "pki.sh", "reference"]
    subprocess.run(command, check=True, env=place.environment(), capture_output=True)


@contextlib.contextmanager
def upstream(place: Place, flags: Sequence[str]) -> Iterator[None]:
    words = [flag.removeprefix(UPSTREAM_ONLY) for flag in flags]
    environment = {**place.environment(), "APISERVER_ARGS": " ".join(words)}
    command = str(CONFORMANCE / "refcp.sh")
    subprocess.run([command, "up"], check=True, env=environment, stdout=sys.stderr)
    try:
        yield
    finally:
        subprocess.run([command, "reset"], check=True, env=environment)


@contextlib.contextmanager
def ours(place: Place, flags: Sequence[str]) -> Iterator[None]:
    data = place.directory / "pykube-cp"
    shutil.copytree(place.pki, data / "pki")
    program = os.environ.get("PYKUBE_CP", str(REPO / ".venv/bin/pykube-cp"))
    command = [program, "apiserver", "--data-dir", str(data), "--bind-address", "127.0.0.1"]
    command += ["--advertise-address", "127.0.0.1", "--port", str(OUR_PORT + place.shift)]
    command += [flag for flag in flags if not flag.startswith(UPSTREAM_ONLY)]
    with (place.directory / "pykube-cp.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=REPO)
    try:
        _await(f"https://127.0.0.1:{OUR_PORT + place.shift}/readyz", place, process)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _await(url: str, place: Place, process: subprocess.Popen[bytes]) -> None:
    context = ssl.create_default_context(cafile=place.pki / "ca.crt")
    end = time.monotonic() + 30
    while True:
        with contextlib.suppress(OSError):
            urllib.request.urlopen(url, context=context, timeout=5).close()
            return
        if process.poll() is not None or time.monotonic() > end:
            log = (place.directory / "pykube-cp.log").read_text()[-2000:]
            sys.exit(f"pykube-cp does not start:\n{log}")
        time.sleep(0.02)


def _contexts(place: Place) -> dict[str, ssl.SSLContext]:
    found = {"anonymous": ssl.create_default_context(cafile=place.pki / "ca.crt")}
    for name, (user, groups) in USERS.items():
        base = place.directory / "users" / name
        _certificate(place, base, user, groups)
        context = ssl.create_default_context(cafile=place.pki / "ca.crt")
        context.load_cert_chain(f"{base}.crt", f"{base}.key")
        found[name] = context
    return found


def node_certificate(place: Place) -> Path:
    """What a kubelet shows."""
    base = place.directory / "users/kubelet-serving"
    _certificate(place, base, "system:node:kubelet", ("system:nodes",), ("--ip", MACHINE))
    return base


def _certificate(
    place: Place, base: Path, user: str, groups: tuple[str, ...], more: tuple[str, ...] = ()
) -> None:
    base.parent.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "pykube_cp.cli.main", "certificate", "--user", user, *more]
    command += [word for group in groups for word in ("--group", group)]
    command += ["--data-dir", str(place.directory / "pykube-cp"), str(base)]
    subprocess.run(command, check=True, cwd=REPO)
