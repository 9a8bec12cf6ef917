"""A network of the run's own, in which every pod and node is the machine itself.

API servers refuse to connect to loopback addresses on behalf of a client, so nodes and pods need other
ones. In a network namespace they can have them without anybody else's noticing; nothing in there
reaches the outside, so that answers do not depend on whose DNS there is either.
"""

import os
import shutil
import subprocess
import sys

MACHINE = "192.0.2.1"
"""What nodes have as their address."""
_INSIDE = "DIFFERENTIAL_NETWORK"
_SETUP = f"""
ip link set lo up
ip link add name machine type veth peer name nobody
ip address add {MACHINE}/24 dev machine
ip link set machine up
ip link set nobody up
ip route add default dev machine
ip route add local 0.0.0.0/0 dev lo
"""


def is_own() -> bool:
    """Whether this process is in such a network."""
    return _INSIDE in os.environ


def enter() -> None:
    """Start the program again inside; it goes on outside where the machine does not allow that."""
    if is_own() or not (command := _command()):
        return
    os.environ[_INSIDE] = "yes"
    script = f'set -e; {_SETUP} exec "$0" "$@"'
    os.execvp(command[0], [*command, "sh", "-c", script, sys.executable, *sys.argv])


def _command() -> list[str]:
    if not (shutil.which("unshare") and shutil.which("ip")):
        return []
    command = ["unshare", "--net", *([] if os.geteuid() == 0 else ["--map-root-user"])]
    test = [*command, "ip", "link", "set", "lo", "up"]
    return command if subprocess.run(test, check=False, capture_output=True).returncode == 0 else []
