"""``pykube-cp scheduler``: the scheduler alone, over TLS."""

import argparse
import asyncio
import os
from pathlib import Path
from typing import Any

from pykube_cp.cli import options as common
from pykube_cp.config import SchedulerConfig


def add(commands: Any) -> None:
    parser = commands.add_parser(
        "scheduler",
        help="run the scheduler alone",
        description="Run the scheduler against an API server, ours or upstream's.",
    )
    parser.add_argument("--kubeconfig", type=Path, required=True, help="how to reach the server")
    common.add_verbosity(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    common.log_to_stderr(options.verbose)

    async def main(stopped: asyncio.Event) -> None:
        from pykube_cp.client.informer import Informers  # noqa: PLC0415 - not for --help
        from pykube_cp.client.recorder import Recorder  # noqa: PLC0415 - as above
        from pykube_cp.client.remote import RemoteClient  # noqa: PLC0415 - as above
        from pykube_cp.scheduler.scheduler import Scheduler  # noqa: PLC0415 - as above

        client = RemoteClient.from_kubeconfig(options.kubeconfig, component="kube-scheduler")
        informers = Informers(client)
        recorder = Recorder(client, "default-scheduler", os.uname().nodename)
        scheduler = Scheduler(client, informers, recorder, SchedulerConfig())

        async def everything() -> None:
            async with asyncio.TaskGroup() as group:
                group.create_task(recorder.run())
                group.create_task(informers.run())
                group.create_task(scheduler.run())

        try:
            await common.run_stoppable(everything(), stopped)
        finally:
            await client.close()

    return common.run(main)
