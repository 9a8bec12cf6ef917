"""The ``pykube-cp`` command."""

import argparse
import sys
from collections.abc import Sequence

from pykube_cp import KUBERNETES_VERSION, VERSION
from pykube_cp.cli import apiserver, certificate, controller_manager, kubeconfig, scheduler, up

COMMANDS = (up, apiserver, controller_manager, scheduler, kubeconfig, certificate)


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line and run the command."""
    parser = argparse.ArgumentParser(
        prog="pykube-cp",
        description=f"A Kubernetes {KUBERNETES_VERSION} control plane in Python.",
        epilog="pykube-cp COMMAND --help says more about a command. "
        "A whole control plane: pykube-cp up --data-dir DIR",
    )
    parser.add_argument(
        "--version", action="version", version=f"pykube-cp {VERSION} ({KUBERNETES_VERSION})"
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for page in COMMANDS:
        page.add(commands)
    options = parser.parse_args(arguments)
    try:
        code: int = options.run(options)
    except KeyboardInterrupt:
        return 130
    except (OSError, ValueError) as error:
        print(f"pykube-cp: {error}", file=sys.stderr)
        return 1
    return code


if __name__ == "__main__":
    raise SystemExit(main())
