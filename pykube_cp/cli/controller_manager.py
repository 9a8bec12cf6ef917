"""``pykube-cp controller-manager``: the controllers alone, over TLS."""

import argparse
import asyncio
import os
from pathlib import Path
from typing import Any

from pykube_cp.cli import options as common
from pykube_cp.config import ControllerManagerConfig, LeaderElectionConfig


def add(commands: Any) -> None:
    parser = commands.add_parser(
        "controller-manager",
        help="run the controllers alone",
        description="Run the controllers against an API server, ours or upstream's.",
    )
    parser.add_argument("--kubeconfig", type=Path, required=True, help="how to reach the server")
    parser.add_argument("--pki-dir", type=Path, required=True, help="folder with ca.* and sa.key")
    parser.add_argument("--service-cidr", default="10.96.0.0/16", metavar="CIDR")
    parser.add_argument("--leader-elect", action="store_true", help="stand by for others")
    common.add_cluster(parser)
    common.add_verbosity(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    common.log_to_stderr(options.verbose)

    async def main(stopped: asyncio.Event) -> None:
        from pykube_cp.client.remote import RemoteClient, clients_by_identity  # noqa: PLC0415 - not for --help
        from pykube_cp.controllers.catalog import CONTROLLERS  # noqa: PLC0415 - as above
        from pykube_cp.controllers.manager import ControllerManager  # noqa: PLC0415 - as above

        client = RemoteClient.from_kubeconfig(
            options.kubeconfig, component="kube-controller-manager"
        )
        manager = ControllerManager(
            client,
            clients_by_identity(client),
            config_of(options),
            CONTROLLERS,
            host=os.uname().nodename,
        )
        try:
            await common.run_stoppable(manager.run(), stopped)
        finally:
            await client.close()

    return common.run(main)


def config_of(options: argparse.Namespace) -> ControllerManagerConfig:
    folder: Path = options.pki_dir
    cidrs = tuple(part for part in options.cluster_cidr.split(",") if part)
    return ControllerManagerConfig(
        controllers=("*", "bootstrap-signer-controller", "token-cleaner-controller"),
        leader_election=LeaderElectionConfig(
            lease_name="kube-controller-manager", enabled=options.leader_elect
        ),
        allocate_node_cidrs=bool(cidrs),
        cluster_cidrs=cidrs,
        service_cidrs=(options.service_cidr,),
        node_cidr_mask_size_ipv4=options.node_cidr_mask_size,
        root_ca_pem=(folder / "ca.crt").read_text(),
        signing_cert_pem=(folder / "ca.crt").read_text(),
        signing_key_pem=(folder / "ca.key").read_text(),
        service_account_key_pem=(folder / "sa.key").read_text(),
    )
