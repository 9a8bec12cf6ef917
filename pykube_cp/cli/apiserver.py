"""``pykube-cp apiserver``: the API server alone."""

import argparse
import asyncio
import sys
from typing import Any

from pykube_cp.cli import options as common
from pykube_cp.cli import up
from pykube_cp.machinery import clock


def add(commands: Any) -> None:
    parser = commands.add_parser(
        "apiserver",
        help="run the API server alone",
        description="Run the API server alone. Controllers and scheduler, ours or upstream's, join "
        "over TLS with DIR/controller-manager.conf and DIR/scheduler.conf.",
    )
    common.add_data_dir(parser)
    common.add_server(parser)
    common.add_verbosity(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    common.log_to_stderr(options.verbose)

    async def main(stopped: asyncio.Event) -> None:
        common.keep_all()
        from pykube_cp import controlplane  # noqa: PLC0415 - not for --help

        begin = clock.monotonic()
        config = up.server_config(options)
        keys = up.ensure_keys(options.data_dir, config)
        storage = controlplane.make_storage(options.data_dir)
        server = await controlplane.start_api_server(up.with_keys(config, keys), keys, storage)
        up.write_kubeconfigs(options.data_dir, keys, server.config)
        seconds = clock.monotonic() - begin
        text = (
            f"pykube-cp: API server ready at {up.server_url(server.config)} after {seconds:.2f} s"
        )
        print(text, file=sys.stderr, flush=True)
        common.collect_again()
        await controlplane.run_until(stopped, server, lambda: None)

    return common.run(main)
