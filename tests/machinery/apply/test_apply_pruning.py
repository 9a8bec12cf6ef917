"""That pruning may be left out when an applier still applies all that he did before."""

import random
from typing import Any

import orjson
import pytest

from pykube_cp.machinery import schema
from pykube_cp.machinery.apply import manager
from pykube_cp.machinery.apply.updater import Updater
from pykube_cp.machinery.gvk import GVK

DEPLOYMENT = schema.type_of(GVK("apps", "v1", "Deployment"))
WHOLE = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "d", "labels": {"a": "1", "b": "2"}, "finalizers": ["x/y", "x/z"]},
    "spec": {
        "replicas": 1,
        "selector": {"matchLabels": {"a": "1"}},
        "template": {
            "metadata": {"labels": {"a": "1"}},
            "spec": {
                "containers": [
                    {
                        "name": "c",
                        "image": "i",
                        "args": ["x"],
                        "env": [{"name": "E", "value": "1"}, {"name": "F", "value": "2"}],
                        "ports": [{"containerPort": 1, "protocol": "TCP"}],
                    },
                    {"name": "d", "image": "i"},
                ],
                "nodeSelector": {"n": "1"},
                "tolerations": [{"key": "k"}],
            },
        },
    },
}


def some(value: Any, chance: random.Random, depth: int = 0) -> Any:
    """The value with parts left out and leaves changed; keys of list elements stay."""
    if isinstance(value, dict):
        return {
            name: item if name in {"name", "containerPort"} else some(item, chance, depth + 1)
            for name, item in value.items()
            if depth < 1 or name in {"name", "containerPort", "spec"} or chance.random() > 0.02
        }
    if isinstance(value, list):
        return [some(item, chance, depth + 1) for item in value if chance.random() > 0.02]
    return f"{value}x" if isinstance(value, str) and depth > 2 and chance.random() < 0.1 else value


def history(seed: int) -> list[bytes]:
    chance = random.Random(seed)
    live: dict[str, Any] | None = None
    states = []
    for step in range(8):
        common: Any = {
            "described": DEPLOYMENT,
            "manager": chance.choice(["one", "two"]),
            "time": f"t{step}",
            "api_version": "apps/v1",
        }
        config = {**some(WHOLE, chance), "apiVersion": "apps/v1", "kind": "Deployment"}
        if live is not None and chance.random() < 0.3:
            meta = {**config["metadata"], "managedFields": live["metadata"].get("managedFields")}
            live = manager.update(live, {**config, "metadata": meta}, **common)
        else:
            live = manager.apply(live, config, force=True, **common)
        states.append(orjson.dumps(live))
    return states


@pytest.mark.parametrize("seed", range(20))
def test_pruning_takes_nothing_where_it_is_left_out(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = history(seed)
    monkeypatch.setattr(Updater, "_keeps", lambda *_: False)
    assert history(seed) == short
