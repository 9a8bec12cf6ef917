"""``pykube-cp certificate``: a certificate of the cluster's CA, for a node's serving port and the like."""

import argparse
from pathlib import Path
from typing import Any

from pykube_cp import pki
from pykube_cp.cli import options as common
from pykube_cp.cli.kubeconfig import load_ca


def add(commands: Any) -> None:
    parser = commands.add_parser(
        "certificate",
        help="issue a certificate with the cluster's CA",
        description="Write BASE.crt and BASE.key, signed by the cluster's CA, for clients and servers.",
    )
    common.add_data_dir(parser)
    parser.add_argument("--user", required=True, help="common name")
    parser.add_argument("--group", action="append", default=[], help="may be given several times")
    parser.add_argument("--dns", action="append", default=[], help="DNS name it serves")
    parser.add_argument("--ip", action="append", default=[], help="address it serves")
    parser.add_argument("base", type=Path, metavar="BASE", help="where to write, without ending")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    subject = pki.Subject(
        common_name=options.user,
        organizations=tuple(options.group),
        dns_names=tuple(options.dns),
        ips=tuple(options.ip),
        extended_usage="server auth" if options.dns or options.ip else "client auth",
    )
    pair = pki.issue(load_ca(options), subject)
    options.base.parent.mkdir(parents=True, exist_ok=True)
    pki.write_file(options.base.with_name(options.base.name + ".crt"), pair.certificate, 0o644)
    pki.write_file(options.base.with_name(options.base.name + ".key"), pair.key)
    return 0
