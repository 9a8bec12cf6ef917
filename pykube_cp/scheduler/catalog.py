"""Which plugins there are, in the order in which they run, with the weights of their scores."""

# upstream: pkg/scheduler/apis/config/v1/default_plugins.go getDefaultPlugins

from importlib.metadata import entry_points

from pykube_cp.scheduler.interface import Entry
from pykube_cp.scheduler.plugins.default_binder import DefaultBinder
from pykube_cp.scheduler.plugins.default_preemption import DefaultPreemption
from pykube_cp.scheduler.plugins.image_locality import ImageLocality
from pykube_cp.scheduler.plugins.inter_pod_affinity import InterPodAffinity
from pykube_cp.scheduler.plugins.node_affinity import NodeAffinity
from pykube_cp.scheduler.plugins.node_declared_features import NodeDeclaredFeatures
from pykube_cp.scheduler.plugins.node_name import NodeName
from pykube_cp.scheduler.plugins.node_ports import NodePorts
from pykube_cp.scheduler.plugins.node_resources_balanced_allocation import (
    NodeResourcesBalancedAllocation,
)
from pykube_cp.scheduler.plugins.node_resources_fit import NodeResourcesFit
from pykube_cp.scheduler.plugins.node_unschedulable import NodeUnschedulable
from pykube_cp.scheduler.plugins.node_volume_limits import NodeVolumeLimits
from pykube_cp.scheduler.plugins.pod_topology_spread import PodTopologySpread
from pykube_cp.scheduler.plugins.priority_sort import PrioritySort
from pykube_cp.scheduler.plugins.scheduling_gates import SchedulingGates
from pykube_cp.scheduler.plugins.taint_toleration import TaintToleration
from pykube_cp.scheduler.plugins.volume_binding import VolumeBinding
from pykube_cp.scheduler.plugins.volume_restrictions import VolumeRestrictions
from pykube_cp.scheduler.plugins.volume_zone import VolumeZone

PLUGINS = (
    Entry(SchedulingGates),
    Entry(PrioritySort),
    Entry(NodeName),
    Entry(NodeUnschedulable),
    Entry(TaintToleration, weight=3),
    Entry(NodeAffinity, weight=2),
    Entry(NodePorts),
    Entry(NodeResourcesFit, weight=1),
    Entry(VolumeRestrictions),
    Entry(NodeVolumeLimits),
    Entry(VolumeBinding, weight=1),
    Entry(VolumeZone),
    Entry(PodTopologySpread, weight=2),
    Entry(InterPodAffinity, weight=2),
    Entry(DefaultPreemption),
    Entry(NodeResourcesBalancedAllocation, weight=1),
    Entry(ImageLocality, weight=1),
    Entry(DefaultBinder),
    Entry(NodeDeclaredFeatures),
)

ENTRY_POINTS = "pykube_cp.scheduler"


def extensions() -> tuple[Entry, ...]:
    """Plugins of other packages; a profile has them only if it enables them."""
    return tuple(
        Entry(point.load(), weight=1, by_default=False)
        for point in entry_points(group=ENTRY_POINTS)
    )
