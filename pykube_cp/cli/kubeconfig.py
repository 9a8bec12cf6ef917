"""``pykube-cp kubeconfig``: a kubeconfig for anyone, signed by the cluster's CA."""

import argparse
import sys
from typing import Any

from pykube_cp import pki
from pykube_cp.cli import options as common


def add(commands: Any) -> None:
    parser = commands.add_parser(
        "kubeconfig",
        help="print a kubeconfig for a user, a node or a component",
        description="Print a kubeconfig with a client certificate of the cluster's CA. For a node: "
        "pykube-cp kubeconfig --user system:node:NAME --group system:nodes",
    )
    common.add_data_dir(parser)
    parser.add_argument("--user", required=True, help="name of the user")
    parser.add_argument("--group", action="append", default=[], help="may be given several times")
    parser.add_argument("--server", default="https://127.0.0.1:6443", help="URL of the API server")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    ca = load_ca(options)
    leaf = pki.client_certificate(ca, options.user, options.group)
    sys.stdout.write(pki.kubeconfig(options.server, ca.certificate, options.user, leaf))
    return 0


def load_ca(options: argparse.Namespace) -> pki.KeyPair:
    """The cluster's CA; a clear error when the control plane has never been started."""
    folder = options.data_dir / "pki"
    try:
        certificate, key = (folder / "ca.crt").read_bytes(), (folder / "ca.key").read_bytes()
    except FileNotFoundError:
        raise OSError(
            f"no CA in {folder}: start the control plane once, or name its --data-dir"
        ) from None
    return pki.KeyPair(certificate, key)
