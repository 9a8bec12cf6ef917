from typing import Any

import pytest

from pykube_cp.controllers.shared import deployment_replica_sets as sets
from pykube_cp.controllers.shared.templates import (
    canonical,
    equal_ignoring_hash,
    int_or_percent,
    template_hash,
)


def deployment(replicas: int, surge: Any = "25%", unavailable: Any = "25%") -> dict[str, Any]:
    rolling = {"maxSurge": surge, "maxUnavailable": unavailable}
    strategy = {"type": "RollingUpdate", "rollingUpdate": rolling}
    return {"metadata": {}, "spec": {"replicas": replicas, "strategy": strategy}}


def replica_set(replicas: int, name: str = "rs", **annotations: str) -> dict[str, Any]:
    keys = {"max": sets.MAX_REPLICAS, "revision": sets.REVISION}
    return {
        "metadata": {
            "name": name,
            "annotations": {keys[key]: value for key, value in annotations.items()},
        },
        "spec": {"replicas": replicas},
    }


@pytest.mark.parametrize(
    ("replicas", "surge", "unavailable", "expected"),
    [
        (2, "0%", "1%", (0, 1)),
        (2, "1%", "25%", (1, 0)),
        (10, "25%", "25%", (3, 2)),
        (1, 0, 0, (0, 1)),
        (3, 2, 1, (2, 1)),
    ],
)
def test_fenceposts(replicas: int, surge: Any, unavailable: Any, expected: Any) -> None:
    assert sets.fenceposts(deployment(replicas, surge, unavailable)) == expected


def test_new_replica_set_grows_into_the_surge() -> None:
    wanted = deployment(10, 3, 0)
    old, new = replica_set(10), replica_set(0)
    assert sets.new_replica_set_size(wanted, [old, new], new) == 3
    assert sets.new_replica_set_size(wanted, [replica_set(4), new], new) == 9


def test_proportions_of_upstreams_example() -> None:
    # From 10 to 15 replicas with a surge of 3, in the middle of a rollout.
    wanted = deployment(15, 3, 2)
    old = [replica_set(8, max="13"), replica_set(5, max="13")]
    to_add = 18 - 13
    first = sets.proportion(old[0], wanted, to_add, 0)
    second = sets.proportion(old[1], wanted, to_add, first)
    assert (first, second) == (3, 2)
    assert sets.proportion(replica_set(5, max="13"), deployment(0), -5, 0) == -5


def test_revision_history_is_kept() -> None:
    source = {"metadata": {"annotations": {"note": "x", sets.REVISION: "9"}}, **deployment(1)}
    source["metadata"] = {"annotations": {"note": "x", sets.REVISION: "9"}}
    new = replica_set(1, revision="2")
    assert sets.set_new_annotations(source, new, 5, exists=True)
    assert new["metadata"]["annotations"] == {
        "note": "x",
        sets.REVISION: "5",
        sets.REVISION_HISTORY: "2",
    }
    assert not sets.set_new_annotations(source, new, 4, exists=True)


def test_last_revision_is_the_second_highest() -> None:
    found = [replica_set(1, revision=number) for number in ("3", "1", "x", "7")]
    assert sets.last_revision(found) == 3
    assert sets.max_revision(found) == 7


def template(**spec: Any) -> dict[str, Any]:
    container = {"name": "c", "image": "i", "resources": {}}
    return {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [container], **spec}}


def test_templates_are_compared_as_go_structures() -> None:
    labeled = template(volumes=[], hostNetwork=False)
    labeled["metadata"]["labels"]["pod-template-hash"] = "abc"
    assert equal_ignoring_hash(template(), labeled)
    assert not equal_ignoring_hash(template(), template(enableServiceLinks=False))
    assert not equal_ignoring_hash(template(), template(nodeName="n"))
    assert canonical({"b": [], "a": {"c": None}, "d": 0}) == b'{"d":0}'


def test_template_hash_is_stable_and_depends_on_collisions() -> None:
    assert template_hash(template(), None) == template_hash(template(volumes=[]), None)
    assert template_hash(template(), None) != template_hash(template(), 0)
    assert len(template_hash(template(), 1)) <= 10


def test_int_or_percent() -> None:
    assert int_or_percent("25%", 10, round_up=True) == 3
    assert int_or_percent("25%", 10, round_up=False) == 2
    assert int_or_percent(7, 10, round_up=True) == 7
    with pytest.raises(ValueError, match="string is not a percentage"):
        int_or_percent("7", 10, round_up=True)
