#!/usr/bin/env python3
"""Time from process start to /readyz on an empty disk, and memory at rest, beside upstream's.

Both start with empty data directories on the loopback interface. Ours makes its keys and
certificates within the time; upstream's are made beforehand.
"""

import argparse
import contextlib
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import kube
from kube import Client, Tally

PORT, REFERENCE_PORT = 16443, 16444
LIMIT = 1.0


def ready(port: int) -> bool:
    client = Client(f"https://127.0.0.1:{port}", kube.tls(None), timeout=2)
    with contextlib.suppress(OSError, ValueError):
        return client.request("GET", "/readyz").code == 200
    return False


@contextlib.contextmanager
def ours(directory: Path) -> Iterator[tuple[float, list[int]]]:
    """Seconds until ready, and the process."""
    program = os.environ.get("PYKUBE_CP", str(kube.CONFORMANCE.parent / ".venv/bin/pykube-cp"))
    command = [program, "up", "--data-dir", str(directory / "data"), "--bind-address", "127.0.0.1"]
    command += ["--advertise-address", "127.0.0.1", "--port", str(PORT)]
    with (directory / "log").open("wb") as log:
        begin = time.monotonic()
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        while not ready(PORT):
            if process.poll() is not None or time.monotonic() - begin > 60:
                sys.exit(f"pykube-cp does not start:\n{(directory / 'log').read_text()[-2000:]}")
            time.sleep(0.005)
        yield time.monotonic() - begin, [process.pid]
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


@contextlib.contextmanager
def upstream(directory: Path) -> Iterator[tuple[float, list[int]]]:
    """Seconds until kube-apiserver on etcd is ready, and the four processes."""
    environment = {
        **os.environ,
        "PYKUBE_CP_STATE": str(directory),
        "HOST_IP": "127.0.0.1",
        "API_PORT": str(REFERENCE_PORT),
        "ETCD_PORT": "22379",
        "KCM_PORT": "20257",
        "SCHEDULER_PORT": "20259",
        "CONTROL_PLANE": "reference",
    }
    run = [kube.CONFORMANCE / "refcp.sh"]
    subprocess.run([kube.CONFORMANCE / "pki.sh", "reference"], check=True, env=environment)
    try:
        done = subprocess.run(
            [*run, "up"], env=environment, check=True, capture_output=True, text=True
        )
        took = re.search(r"/readyz after (\d+) ms", done.stderr)
        files = sorted((directory / "run").glob("*.pid"))
        pids = [int(file.read_text().split()[0]) for file in files]
        yield int(took[1]) / 1000 if took else float("nan"), pids
    finally:
        subprocess.run([*run, "down"], env=environment, check=True)


def resident(pids: list[int]) -> dict[str, float]:
    """MiB of each process and its children, by program."""
    sizes: dict[str, float] = {}
    for pid in [*pids, *children(pids)]:
        status = Path(f"/proc/{pid}/status").read_text()
        name = re.search(r"Name:\s+(.*)", status)
        size = re.search(r"VmRSS:\s+(\d+)", status)
        if name and size:
            sizes[f"{name[1]}[{pid}]"] = int(size[1]) / 1024
    return sizes


def children(pids: list[int]) -> list[int]:
    found = []
    for pid in pids:
        for task in Path(f"/proc/{pid}/task").glob("*/children"):
            found += [int(child) for child in task.read_text().split()]
    return found + (children(found) if found else [])


def measure(what: str, rest: float, rounds: int) -> tuple[float, float]:
    """Median of the start times, and the memory after the last start."""
    times: list[float] = []
    total = 0.0
    for index in range(rounds):
        with tempfile.TemporaryDirectory() as directory:
            begin = ours if what == "pykube-cp" else upstream
            with begin(Path(directory)) as (took, pids):
                times.append(took)
                if index == rounds - 1:
                    time.sleep(rest)
                    sizes = resident(pids)
                    total = sum(sizes.values())
                    print(f"{what}: " + ", ".join(f"{n} {s:.0f} MiB" for n, s in sizes.items()))
    print(f"{what}: /readyz after " + ", ".join(f"{took:.2f}" for took in times) + " s")
    return statistics.median(times), total


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rest", type=float, default=20, help="seconds until memory is measured")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    theirs = measure("upstream", options.rest, options.rounds)
    mine = measure("pykube-cp", options.rest, options.rounds)
    print(f"{'':12}{'start to /readyz':>18}{'memory at rest':>18}")
    for name, (took, size) in (("upstream", theirs), ("pykube-cp", mine)):
        print(f"{name:12}{took:16.2f} s{size:14.0f} MiB")
    print(f"{'ratio':12}{mine[0] / theirs[0]:16.2f}  {mine[1] / theirs[1]:14.2f}")
    tally = Tally()
    tally.check(f"ready in less than {LIMIT} s", holds=mine[0] < LIMIT, saw=f"{mine[0]:.2f} s")
    return tally.status()


if __name__ == "__main__":
    sys.exit(main())
