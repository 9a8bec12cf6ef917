#!/usr/bin/env python3
"""client-go's shared informers follow 10,000 objects over kill -9 and restarts of the API server.

The API server runs alone on its database, without nodes. Five informers, some in JSON and some in
protobuf, follow ConfigMaps that writers create, change and delete, while the server is killed or stopped
and started again on the same data. At the end each informer must have been told every change exactly once
and in order, without listing again, and its cache must be what a list shows. CONTROL_PLANE=reference asks
the same of kube-apiserver, whose informers do list again.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import kube

SERVERS = {"swapped": "apiserver", "reference": "etcd kube-apiserver"}
"""What runs of a control plane of env.sh."""


def settings(state: Path, port: int) -> None:
    os.environ.setdefault("CONTROL_PLANE", "swapped")
    os.environ |= {
        "PYKUBE_CP_STATE": str(state),
        "HOST_IP": "127.0.0.1",
        "API_PORT": str(port),
        "ETCD_PORT": str(port + 1),
        "ONLY": SERVERS[os.environ["CONTROL_PLANE"]],
    }


def restart(env: dict[str, str], how: str) -> None:
    begin = time.monotonic()
    kube.script(env["CONTROL_SCRIPT"], how)
    kube.script(env["CONTROL_SCRIPT"], "up")
    print(f"{how} and up again in {time.monotonic() - begin:.1f} s", flush=True)


def disturb(env: dict[str, str], seconds: float, restarts: int) -> None:
    """Spread over the time: mostly kill -9, sometimes an orderly end, which closes the watches."""
    end = time.monotonic() + seconds
    for number in range(restarts):
        time.sleep(max(0.0, (end - time.monotonic()) / (restarts - number + 1)))
        restart(env, "down" if number % 3 == 2 else "kill")
    time.sleep(max(0.0, end - time.monotonic()))


def follow(env: dict[str, str], options: argparse.Namespace) -> int:
    """Exit status of the Go program, which judges."""
    command = [f"{env['BIN']}/informer", f"--kubeconfig={env['ADMIN_KUBECONFIG']}"]
    command += [f"--objects={options.objects}", f"--informers={options.informers}"]
    if os.environ["CONTROL_PLANE"] == "reference":
        # upstream's watch cache begins anew with the process, and a watch from before it has expired
        command.append("--relist")
    command += [f"--rate={options.rate}"]
    log = Path(env["STATE"]) / "log/informer.log"
    with (
        log.open("wb") as errors,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as process,
    ):
        assert process.stdin
        assert process.stdout
        for line in process.stdout:
            if line.strip() == "ready":
                disturb(env, options.seconds, options.restarts)
                process.stdin.close()
            else:
                print(line, end="", flush=True)
    if process.returncode:
        print(log.read_text()[-3000:], file=sys.stderr)
    return process.returncode


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--objects", type=int, default=10_000)
    add("--seconds", type=float, default=40, help="how long it is written and restarted")
    add("--restarts", type=int, default=4, help="within that time")
    add("--informers", type=int, default=5)
    add("--rate", type=int, default=200, help="changes a second at most")
    add("--port", type=int, default=16445)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        settings(Path(directory), options.port)
        env = kube.settings()
        kube.script("tools.sh", "informer")
        kube.script(env["CONTROL_SCRIPT"], "up")
        try:
            return follow(env, options)
        finally:
            kube.script(env["CONTROL_SCRIPT"], "down")


if __name__ == "__main__":
    sys.exit(main())
