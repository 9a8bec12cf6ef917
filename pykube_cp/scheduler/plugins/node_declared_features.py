"""Nodes must declare the features that the pod's spec makes use of."""

# upstream: pkg/scheduler/framework/plugins/nodedeclaredfeatures/nodedeclaredfeatures.go

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pykube_cp.machinery import objects
from pykube_cp.machinery.objects import Object
from pykube_cp.scheduler.events import Action, ClusterEvent, EventHint, Resource
from pykube_cp.scheduler.interface import (
    SKIP,
    CycleState,
    FilterPlugin,
    PreFilterPlugin,
    Status,
    Verdicts,
    unresolvable,
    verdicts,
)
from pykube_cp.scheduler.vectors import IntVector, Rows

_MISSING = (unresolvable("node(s) didn't match Pod's required features"),)


@dataclass(frozen=True, slots=True)
class _Required:
    features: frozenset[str]


class NodeDeclaredFeatures(PreFilterPlugin, FilterPlugin):
    """By ``status.declaredFeatures``; most pods need none of them."""

    name = "NodeDeclaredFeatures"

    def pre_filter(self, state: CycleState) -> Status | set[str] | None:
        features = required_features(state.pod.spec)
        if not features:
            return SKIP
        state.put(_Required(features))
        return None

    def filter(self, state: CycleState, rows: Rows) -> Verdicts | None:
        snapshot, features = self.handle.snapshot, state.get(_Required).features

        def missing(rows: Rows) -> IntVector:
            lacking = (not features.issubset(_declared(snapshot.nodes[row])) for row in rows)
            return np.fromiter(lacking, np.int64, len(rows))

        key = (self.name, features)
        codes = snapshot.node_vectors.get(key, snapshot.size, missing)[rows]
        return verdicts(codes, _MISSING)

    def events_to_register(self) -> tuple[EventHint, ...]:
        node = ClusterEvent(Resource.NODE, Action.ADD | Action.UPDATE_NODE_DECLARED_FEATURE)
        pod = ClusterEvent(Resource.TARGET_POD, Action.UPDATE)
        return EventHint(node, _declares_others), EventHint(pod, _requires_others)


def required_features(spec: Object) -> frozenset[str]:
    """Features that a pod with this spec cannot run without."""
    # upstream: component-helpers nodedeclaredfeatures/features, InferForScheduling of each
    found = set()
    for container in _containers(spec, "containers", "initContainers"):
        if any(
            rule.get("action") == "RestartAllContainers"
            for rule in container.get("restartPolicyRules") or ()
        ):
            found.add("RestartAllContainersOnContainerExits")
    for container in _containers(spec, "containers", "initContainers", "ephemeralContainers"):
        if any(mount.get("bindMountOptions") for mount in container.get("volumeMounts") or ()):
            found.add("VolumeBindMountOptions")
    if spec.get("hostNetwork") and spec.get("hostUsers") is False:
        found.add("UserNamespacesHostNetworkSupport")
    return frozenset(found)


def _containers(spec: Object, *fields: str) -> Iterator[Object]:
    for field in fields:
        yield from spec.get(field) or ()


def _declared(node: Object | None) -> list[str]:
    found: list[str] = objects.nested(node, "status", "declaredFeatures", default=[])
    return found


def _declares_others(_pod: Object, old: Object | None, new: Object | None) -> bool:
    return old is None or _declared(old) != _declared(new)


def _requires_others(_pod: Object, old: Object | None, new: Object | None) -> bool:
    assert old is not None
    assert new is not None
    return required_features(old["spec"]) != required_features(new["spec"])
