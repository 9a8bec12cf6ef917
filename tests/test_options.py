"""Command line options."""

import argparse

import pytest

from pykube_cp.cli import options, up


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(exit_on_error=False)
    options.add_server(parser)
    return parser.parse_args(words)


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ((), 300),
        (("--etcd-compaction-interval=1.5s",), 1.5),
        (("--etcd-compaction-interval", "0s"), 0),
    ],
)
def test_the_compaction_interval(words: tuple[str, ...], seconds: float) -> None:
    found = parsed("--bind-address=127.0.0.1", *words)
    assert up.server_config(found).compaction_seconds == seconds


def test_durations_that_are_none() -> None:
    with pytest.raises(argparse.ArgumentError, match='time: invalid duration "soon"'):
        parsed("--etcd-compaction-interval=soon")
