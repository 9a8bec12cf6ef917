"""Options that several commands share, and running until a signal comes."""

import argparse
import asyncio
import gc
import logging
import signal
import socket
import sys
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

DEFAULT_DATA_DIR = Path("/var/lib/pykube-cp")


def add_data_dir(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data-dir",
        type=Path,
        default=DEFAULT_DATA_DIR,
        metavar="DIR",
        help="database, keys and kubeconfigs (default: %(default)s)",
    )


def add_server(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--bind-address", default="0.0.0.0", metavar="IP", help="where to listen (default: all)"
    )
    parser.add_argument(
        "--port", "--secure-port", type=int, default=6443, help="where to listen (default: 6443)"
    )
    parser.add_argument(
        "--advertise-address",
        default="",
        metavar="IP",
        help="where nodes reach the API server (default: this machine's address)",
    )
    parser.add_argument(
        "--service-cidr",
        default="10.96.0.0/16",
        metavar="CIDR",
        help="addresses of services (default: %(default)s)",
    )
    parser.add_argument(
        "--runtime-config",
        action="append",
        default=[],
        metavar="KEY=BOOL,...",
        help="which APIs to serve: api/all, api/ga, api/beta, api/alpha, GROUP/VERSION or "
        "GROUP/VERSION/RESOURCE, each =true or =false",
    )
    parser.add_argument(
        "--feature-gates",
        action="append",
        default=[],
        metavar="KEY=BOOL,...",
        help="upstream's feature gates that can be switched: CBORServingAndStorage=true|false "
        "(default: false)",
    )
    parser.add_argument(
        "--etcd-compaction-interval",
        type=_seconds,
        default="5m0s",
        metavar="DURATION",
        help="how often to forget what is older than that; 0s: never (default: %(default)s)",
    )


def add_cluster(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--cluster-cidr",
        default="",
        metavar="CIDR",
        help="addresses of pods, shared out to nodes (default: nodes bring their own)",
    )
    parser.add_argument(
        "--node-cidr-mask-size", type=int, default=24, metavar="BITS", help="of a node's share"
    )


def add_verbosity(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-v", "--verbose", action="count", default=0, help="say more; twice: requests as well"
    )


def _seconds(text: str) -> float:
    """Of a duration as Go writes it."""
    from pykube_cp.machinery import leaves, structural  # noqa: PLC0415 - not for --help

    try:
        return leaves.parse_duration(text) / 1e9
    except structural.DecodeError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def runtime_config(texts: Sequence[str]) -> dict[str, str]:
    """``--runtime-config``, which may be given several times."""
    from pykube_cp.registry import enablement  # noqa: PLC0415 - not for --help

    return enablement.parse(",".join(texts))


def feature_gates(texts: Sequence[str]) -> dict[str, bool]:
    """``--feature-gates``, which may be given several times."""
    from pykube_cp.registry import feature_gates  # noqa: PLC0415 - not for --help

    return feature_gates.parse(",".join(texts))


def own_address() -> str:
    """This machine's address towards others; loopback when it has no other."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # documentation range: nothing is sent
        except OSError:
            return "127.0.0.1"
        address: str = probe.getsockname()[0]
    return address


def log_to_stderr(verbose: int) -> None:
    level = [logging.WARNING, logging.INFO, logging.DEBUG][min(verbose, 2)]
    logging.basicConfig(
        stream=sys.stderr,
        level=level,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    logging.getLogger("asyncio").setLevel(logging.WARNING)


def run(main: Callable[[asyncio.Event], Coroutine[Any, Any, None]]) -> int:
    """Run ``main`` on uvloop until SIGTERM or SIGINT sets the event."""

    async def guarded() -> None:
        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()
        for each in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(each, stopped.set)
        await main(stopped)

    # Cached objects live long and hold no cycles: collect seldom.
    gc.set_threshold(50_000, 20, 50)
    try:
        import uvloop  # noqa: PLC0415 - optional
    except ImportError:
        asyncio.run(guarded())
    else:
        uvloop.run(guarded())
    return 0


def keep_all() -> None:
    """While a server starts nearly all that is made stays: to look for garbage is time lost."""
    gc.disable()


def collect_again() -> None:
    """From now on, without what the start has made."""
    gc.freeze()
    gc.enable()


async def run_stoppable(work: Coroutine[Any, Any, None], stopped: asyncio.Event) -> None:
    """Run until the work ends or a signal comes; a failure of the work is raised."""
    working = asyncio.ensure_future(work)
    waiting = asyncio.ensure_future(stopped.wait())
    await asyncio.wait({working, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if not working.done():
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
    else:
        working.result()
