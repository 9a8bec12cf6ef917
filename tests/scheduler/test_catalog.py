import inspect
from pathlib import Path

import pytest

from pykube_cp.config import SchedulerProfile
from pykube_cp.scheduler import catalog, plugins
from pykube_cp.scheduler.interface import ScorePlugin
from tests.scheduler.scheduling import knowing

# Name and weight of each plugin, in upstream's order.
UPSTREAM = [
    "SchedulingGates",
    "PrioritySort",
    "NodeName",
    "NodeUnschedulable",
    "TaintToleration:3",
    "NodeAffinity:2",
    "NodePorts",
    "NodeResourcesFit:1",
    "VolumeRestrictions",
    "NodeVolumeLimits",
    "VolumeBinding:1",
    "VolumeZone",
    "PodTopologySpread:2",
    "InterPodAffinity:2",
    "DefaultPreemption",
    "NodeResourcesBalancedAllocation:1",
    "ImageLocality:1",
    "DefaultBinder",
    "NodeDeclaredFeatures",
]


def test_the_catalogue_is_upstreams() -> None:
    assert [
        f"{entry.name}:{entry.weight}" if entry.weight else entry.name for entry in catalog.PLUGINS
    ] == UPSTREAM
    for entry in catalog.PLUGINS:
        assert bool(entry.weight) == issubclass(entry.factory, ScorePlugin)


def test_each_page_is_in_the_catalogue() -> None:
    pages = {path.stem for path in Path(plugins.__path__[0]).glob("*.py")} - {"__init__"}
    listed = {Path(inspect.getfile(entry.factory)).stem for entry in catalog.PLUGINS}
    assert listed == pages


@pytest.mark.virtual_time
async def test_profiles_choose_plugins_and_weights() -> None:
    scheduler = knowing([], disabled=("ImageLocality", "NodePorts"), enabled={"TaintToleration": 7})
    profile = scheduler.handle.profiles["default-scheduler"]
    names = [plugin.name for plugin in profile.plugins]
    assert "ImageLocality" not in names
    assert "NodePorts" not in names
    assert profile._weights["TaintToleration"] == 7
    assert SchedulerProfile().disabled == ()
