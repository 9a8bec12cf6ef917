"""The two servers under measurement: started on empty data, on the loopback interface, with TLS.

Ours is ``pykube-cp apiserver``: one process, SQLite with synchronous=FULL. Upstream's are
kube-apiserver and etcd as ``conformance/refcp.sh`` starts them, with fsync. Both authenticate a
client certificate, authorize by Node and RBAC, and run their default admission plugins.
"""

import os
import resource
import shutil
import signal
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
CONFORMANCE = REPO / "conformance"
HOST = "127.0.0.1"
START_SECONDS = 60
UPSTREAM_PARTS = "etcd kube-apiserver"
MEMORY_FILE_SYSTEMS = frozenset({"tmpfs", "ramfs"})


@dataclass(frozen=True)
class Server:
    """A running server. ``protocols`` are the HTTP versions it speaks."""

    name: str
    port: int
    pids: tuple[int, ...]
    pki: Path
    protocols: tuple[str, ...]

    @property
    def url(self) -> str:
        return f"https://{HOST}:{self.port}"

    def resident(self) -> float:
        """MiB of memory."""
        return sum(_resident(pid) for pid in self.pids)


@dataclass(frozen=True)
class Place:
    """Where the servers keep their data, and the first of the ports they use."""

    state: Path
    first_port: int

    def environment(self, control_plane: str, port: int) -> dict[str, str]:
        return {
            **os.environ,
            "PYKUBE_CP_STATE": str(self.state),
            "CONTROL_PLANE": control_plane,
            "HOST_IP": HOST,
            "API_PORT": str(port),
            "ETCD_PORT": str(self.first_port + 2),
            "ONLY": UPSTREAM_PARTS,
        }


@contextmanager
def ours(place: Place) -> Iterator[Server]:
    """``pykube-cp apiserver``, until the context ends."""
    program = os.environ.get("PYKUBE_CP", str(REPO / ".venv/bin/pykube-cp"))
    port, data = place.first_port, place.state / "pykube-cp"
    command = [program, "apiserver", "--data-dir", str(data), "--port", str(port)]
    command += ["--bind-address", HOST, "--advertise-address", HOST]
    log = place.state / "log" / "pykube-cp.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        _wait_ready(process, port, log)
        yield Server("pykube-cp", port, (process.pid,), data / "pki", ("1.1",))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(START_SECONDS)


@contextmanager
def upstream(place: Place) -> Iterator[Server]:
    """kube-apiserver on etcd, until the context ends."""
    port = place.first_port + 1
    environment = place.environment("reference", port)
    script = CONFORMANCE / "refcp.sh"
    try:
        subprocess.run([script, "up"], check=True, env=environment)
        files = [place.state / "run" / f"{part}.pid" for part in UPSTREAM_PARTS.split()]
        pids = tuple(int(file.read_text().split()[0]) for file in files)
        pki = place.state / "reference" / "pki"
        yield Server("kube-apiserver + etcd", port, pids, pki, ("1.1", "2"))
    finally:
        subprocess.run([script, "down"], check=True, env=environment)


def certificate(place: Place, server: Server, user: str, group: str) -> Path:
    """A client certificate of the server's authority; the path without ``.crt`` and ``.key``."""
    folder = server.pki.parent
    path = folder / f"{user}.conf"
    environment = place.environment(folder.name, server.port)
    script = CONFORMANCE / "pki.sh"
    subprocess.run([script, "user", user, group, path], check=True, env=environment)
    return path.with_suffix("")


def prepare(place: Place, *, keep: bool) -> None:
    """An empty folder on a disk, and as many open files as a thousand watches need."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if not keep:
        remove(place)
    place.state.mkdir(parents=True, exist_ok=True)
    if _file_system(place.state) in MEMORY_FILE_SYSTEMS:
        sys.exit(f"{place.state} is in memory, where fsync costs nothing; give a --state on a disk")


def remove(place: Place) -> None:
    for part in ("pykube-cp", "reference", "run", "log"):
        shutil.rmtree(place.state / part, ignore_errors=True)


def _file_system(path: Path) -> str:
    """The type of the file system that holds the path."""
    found = ("", "")
    for line in Path("/proc/mounts").read_text().splitlines():
        _, mount, kind, *_ = line.split()
        if path.resolve().is_relative_to(mount) and len(mount) >= len(found[0]):
            found = (mount, kind)
    return found[1]


def _wait_ready(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while not _ready(port):
        if process.poll() is not None or time.monotonic() > end:
            sys.exit(f"pykube-cp does not start:\n{log.read_text()[-2000:]}")
        time.sleep(0.02)


def _ready(port: int) -> bool:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with urllib.request.urlopen(f"https://{HOST}:{port}/readyz", context=context) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _resident(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0
