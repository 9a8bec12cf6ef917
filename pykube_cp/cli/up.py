"""``pykube-cp up``: the whole control plane in one process."""

import argparse
import asyncio
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from pykube_cp import pki
from pykube_cp.cli import options as common
from pykube_cp.config import ApiServerConfig, ControllerManagerConfig, SchedulerConfig
from pykube_cp.machinery import clock


def add(commands: Any) -> None:
    parser = commands.add_parser(
        "up",
        help="run API server, controllers and scheduler in one process",
        description="Run API server, controllers and scheduler in one process, on an embedded "
        "database. Keys and DIR/admin.conf, a kubeconfig for kubectl, are made on the first start.",
    )
    common.add_data_dir(parser)
    common.add_server(parser)
    common.add_cluster(parser)
    common.add_verbosity(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    common.log_to_stderr(options.verbose)

    async def main(stopped: asyncio.Event) -> None:
        await serve(options, stopped)

    return common.run(main)


async def serve(options: argparse.Namespace, stopped: asyncio.Event) -> None:
    """Start in order, say so, run until told to stop."""
    common.keep_all()
    from pykube_cp import controlplane  # noqa: PLC0415 - not for --help

    begin = clock.monotonic()
    config = server_config(options)
    keys = ensure_keys(options.data_dir, config)
    config = replace(with_keys(config, keys), components_beside=True)
    storage = controlplane.make_storage(options.data_dir)
    server = await controlplane.start_api_server(config, keys, storage)
    write_kubeconfigs(options.data_dir, keys, server.config)
    seconds = clock.monotonic() - begin
    print(
        f"pykube-cp: ready at {server_url(server.config)} after {seconds:.2f} s; "
        f"kubeconfig: {options.data_dir / 'admin.conf'}",
        file=sys.stderr,
        flush=True,
    )
    common.collect_again()
    host = "pykube-cp"
    await controlplane.start_controllers(server, controller_config(options, config, keys), host)
    await controlplane.start_scheduler(server, SchedulerConfig(), host)
    await controlplane.run_until(stopped, server, lambda: None)


def server_config(options: argparse.Namespace) -> ApiServerConfig:
    address = options.advertise_address or options.bind_address
    if address in {"0.0.0.0", "::", ""}:
        address = common.own_address()
    return ApiServerConfig(
        bind_address=options.bind_address,
        port=options.port,
        advertise_address=address,
        service_cidrs=tuple(options.service_cidr.split(",")),
        runtime_config=common.runtime_config(options.runtime_config),
        feature_gates=common.feature_gates(options.feature_gates),
        compaction_seconds=options.etcd_compaction_interval,
    )


def ensure_keys(data_dir: Path, config: ApiServerConfig) -> pki.ClusterPki:
    import ipaddress  # noqa: PLC0415 - not for --help

    network = ipaddress.ip_network(config.service_cidrs[0])
    ips = {config.advertise_address, str(network[1]), "127.0.0.1"}
    if config.bind_address not in {"0.0.0.0", "::"}:
        ips.add(config.bind_address)
    names = ("kubernetes.default.svc.cluster.local", "localhost")
    return pki.ensure_cluster(data_dir / "pki", names, sorted(ips))


def with_keys(config: ApiServerConfig, keys: pki.ClusterPki) -> ApiServerConfig:
    base = keys.directory / "apiserver-kubelet-client"
    return replace(
        config,
        kubelet_client_certificate=f"{base}.crt",
        kubelet_client_key=f"{base}.key",
    )


def controller_config(
    options: argparse.Namespace, config: ApiServerConfig, keys: pki.ClusterPki
) -> ControllerManagerConfig:
    cidrs = tuple(part for part in options.cluster_cidr.split(",") if part)
    return ControllerManagerConfig(
        controllers=("*", "bootstrap-signer-controller", "token-cleaner-controller"),
        allocate_node_cidrs=bool(cidrs),
        cluster_cidrs=cidrs,
        service_cidrs=config.service_cidrs,
        node_cidr_mask_size_ipv4=options.node_cidr_mask_size,
        root_ca_pem=keys.ca.certificate.decode(),
        signing_cert_pem=keys.ca.certificate.decode(),
        signing_key_pem=keys.ca.key.decode(),
        service_account_key_pem=keys.service_account_key.decode(),
    )


def server_url(config: ApiServerConfig) -> str:
    return f"https://{config.advertise_address}:{config.port}"


def write_kubeconfigs(data_dir: Path, keys: pki.ClusterPki, config: ApiServerConfig) -> None:
    """Kubeconfigs for people and components, as kubeadm names them."""
    url = server_url(config)
    users = (
        ("admin", "kubernetes-admin", ("system:masters",)),
        ("controller-manager", "system:kube-controller-manager", ()),
        ("scheduler", "system:kube-scheduler", ()),
    )
    for name, user, groups in users:
        pki.ensure_kubeconfig(data_dir / f"{name}.conf", url, keys.ca, user, groups)
