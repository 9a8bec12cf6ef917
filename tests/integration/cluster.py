"""A control plane as a user starts it, and the programs that talk to it from outside."""

import contextlib
import json
import os
import re
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPO = Path(__file__).resolve().parents[2]
START_LIMIT = 45.0
"""Seconds; generous, because a laptop may be busy with other things."""


@dataclass(frozen=True)
class ControlPlane:
    """One that runs: `pykube-cp up` on a free port, with its data in a directory of its own."""

    data: Path
    port: int

    @property
    def kubeconfig(self) -> Path:
        return self.data / "admin.conf"

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"


@contextlib.contextmanager
def control_plane(directory: Path) -> Iterator[ControlPlane]:
    running = ControlPlane(directory / "data", free_port())
    command = [sys.executable, "-m", "pykube_cp.cli.main", "up", "--data-dir", str(running.data)]
    command += ["--bind-address", "127.0.0.1", "--advertise-address", "127.0.0.1"]
    command += ["--port", str(running.port)]
    log = directory / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, cwd=REPO)
    try:
        if not until(lambda: process.poll() is not None or is_ready(running), START_LIMIT):
            raise TimeoutError(f"not ready after {START_LIMIT} s:\n{log.read_text()}")
        assert process.poll() is None, f"it ended:\n{log.read_text()}"
        yield running
        assert process.poll() is None, f"it ended during the tests:\n{log.read_text()}"
    finally:
        process.terminate()
        process.wait(30)


def is_ready(running: ControlPlane) -> bool:
    """Whether it answers, and its controllers have made what every Pod needs."""
    certificate = running.data / "pki/ca.crt"
    if not running.kubeconfig.exists():
        return False
    context = ssl.create_default_context(cafile=certificate)
    with contextlib.suppress(OSError):
        urllib.request.urlopen(f"{running.url}/readyz", context=context, timeout=5).close()
        return True
    return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def until(condition: Callable[[], object], seconds: float = 20) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def binary(name: str) -> Path:
    """One of the real components; a test that cannot have it fails, it is not skipped."""
    script = f'. "{REPO}/conformance/env.sh"; echo "$BIN"'
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    path = Path(done.stdout.strip()) / name
    assert path.exists(), f"no {path}: `make tools TOOLS={name}` builds it"
    return path


@dataclass(frozen=True)
class Kubectl:
    """Stock kubectl in one namespace."""

    program: Path
    server: ControlPlane
    home: Path
    namespace: str = "default"

    def command(self, *args: str) -> list[str]:
        base = [str(self.program), f"--kubeconfig={self.server.kubeconfig}"]
        return [*base, f"--namespace={self.namespace}", *args]

    def environment(self, **more: str) -> dict[str, str]:
        return {
            **os.environ,
            "HOME": str(self.home),
            "KUBECACHEDIR": str(self.home / "cache"),
            **more,
        }

    def run(self, *args: str, stdin: str = "", status: int = 0, **env: str) -> str:
        """What it prints on both outputs; its exit status must be the one that is expected."""
        done = subprocess.run(
            self.command(*args),
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=50,
            check=False,
            env=self.environment(**env),
        )
        assert done.returncode == status, (
            f"kubectl {' '.join(args)}: {done.returncode}\n{done.stdout}"
        )
        return done.stdout

    def json(self, *args: str) -> Any:
        return json.loads(self.run(*args, "-o", "json"))

    def value(self, *args: str, path: str) -> str:
        return self.run("get", *args, "-o", f"jsonpath={path}")

    def expect(self, pattern: str, *args: str, stdin: str = "", status: int = 0, **env: str) -> str:
        output = self.run(*args, stdin=stdin, status=status, **env)
        assert re.search(pattern, output, re.MULTILINE), f"no line is {pattern!r}:\n{output}"
        return output

    def within(self, seconds: float, pattern: str, *args: str) -> None:
        """The output comes to match; what controllers do takes a moment."""
        seen = ""

        def matches() -> bool:
            nonlocal seen
            seen = self.run(*args)
            return re.search(pattern, seen, re.MULTILINE) is not None

        assert until(matches, seconds), f"no line is {pattern!r}:\n{seen}"
