"""Which daemons to create and delete: on each node, and while a new template rolls out."""

# upstream: pkg/controller/daemon/daemon_controller.go podsShouldBeOnNode,
# pkg/controller/daemon/update.go rollingUpdate

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pykube_cp.controllers.shared import daemon_pods
from pykube_cp.controllers.shared import pods as pod_state
from pykube_cp.machinery import objects
from pykube_cp.machinery.objects import Object


@dataclass(slots=True)
class Plan:
    """Names of nodes that need a daemon, and the pods to delete."""

    create_on: list[str] = field(default_factory=list)
    delete: list[Object] = field(default_factory=list)


class DaemonRollout:
    """The judgement of one reconciliation. ``hash_text`` is that of the current template."""

    def __init__(self, daemon_set: Object, hash_text: str, now: float) -> None:
        self.daemon_set = daemon_set
        self.hash_text = hash_text
        self.now = now
        self.generation = daemon_pods.template_generation(daemon_set)
        self.min_ready: int = daemon_set["spec"].get("minReadySeconds", 0)

    def is_available(self, pod: Object) -> bool:
        return pod_state.is_available(pod, self.min_ready, self.now)

    def is_updated(self, pod: Object) -> bool:
        return daemon_pods.is_updated(pod, self.hash_text, self.generation)

    # One node

    def superfluous(self, running: Sequence[Object]) -> list[Object]:
        """Of several daemons on one node, those that have to go."""
        ordered = sorted(running, key=daemon_pods.by_placement)
        if daemon_pods.max_surge(self.daemon_set, 1) == 0:
            return ordered[1:]
        if len(ordered) < 2:
            return []
        return self._superfluous_with_surge(ordered)

    def _superfluous_with_surge(self, ordered: Sequence[Object]) -> list[Object]:
        """Keep the oldest new and the oldest old one, the latter until the new one is available."""
        newest: Object | None = None
        old: Object | None = None
        excess: list[Object] = []
        for pod in ordered:
            is_new = objects.labels(pod).get(daemon_pods.HASH_LABEL) == self.hash_text
            if is_new and newest is None:
                newest = pod
            elif not is_new and old is None:
                old = pod
            else:
                excess.append(pod)
        if newest is None or old is None:
            return excess
        replaceable = not pod_state.is_ready(old) or self.is_available(newest)
        return [*excess, old] if replaceable else excess

    # Rolling update

    def _new_and_old(self, pods: Sequence[Object]) -> tuple[Object | None, Object | None] | None:
        """The new and the old daemon of a node; None while there are several of a kind."""
        # upstream: update.go findUpdatedPodsOnNode
        alive = [pod for pod in pods if not objects.is_deleting(pod)]
        new = [pod for pod in alive if self.is_updated(pod)]
        old = [pod for pod in alive if not self.is_updated(pod)]
        if len(new) > 1 or len(old) > 1:
            return None
        return next(iter(new), None), next(iter(old), None)

    def roll(self, nodes: Sequence[Object], on_node: Mapping[str, list[Object]]) -> Plan:
        """The next step of a rolling update."""
        wanted = [node for node in nodes if daemon_pods.should_run(node, self.daemon_set)[0]]
        every: dict[str, list[Object]] = {objects.name(node): [] for node in wanted}
        every.update(on_node)
        surge = daemon_pods.max_surge(self.daemon_set, len(wanted))
        unavailable = daemon_pods.max_unavailable(self.daemon_set, len(wanted))
        if surge == 0:
            return self._replace(every, unavailable or (1 if wanted else 0))
        return self._surge(every, nodes, surge, len(wanted))

    def _replace(self, on_node: Mapping[str, list[Object]], max_unavailable: int) -> Plan:
        """Delete old daemons first; those that are not available cost nothing."""
        missing = 0
        broken: list[Object] = []
        candidates: list[Object] = []
        for pods in on_node.values():
            pair = self._new_and_old(pods)
            new, old = pair or (None, None)
            if (new is None) == (old is None):
                # None at all, or both at once: a replacement is under way here.
                missing += 1
            elif new is not None:
                missing += not self.is_available(new)
            elif old is not None and not self.is_available(old):
                broken.append(old)
                missing += 1
            elif old is not None:
                candidates.append(old)
        budget = max(0, max_unavailable - missing)
        return Plan(delete=[*broken, *candidates[:budget]])

    def _surge(
        self,
        on_node: Mapping[str, list[Object]],
        nodes: Sequence[Object],
        max_surge: int,
        desired: int,
    ) -> Plan:
        """Create new daemons first; old ones go once the new one is available."""
        eligible = {
            objects.name(node) for node in nodes if daemon_pods.should_run(node, self.daemon_set)[0]
        }
        plan = Plan()
        candidates: list[str] = []
        retiring: list[Object] = []
        surging = available = 0
        for node_name, pods in on_node.items():
            pair = self._new_and_old(pods)
            if pair is None:
                surging += 1
                continue
            new, old = pair
            serving = old if old is not None else new
            available += serving is not None and self.is_available(serving)
            if old is None:
                continue
            if new is not None:
                if self.is_available(new):
                    plan.delete.append(old)
                else:
                    surging += 1
                continue
            serves = self.is_available(old)
            if node_name in eligible:
                (candidates if serves else plan.create_on).append(node_name)
            else:
                (retiring if serves else plan.delete).append(old)
        plan.delete += retiring[: max(0, available - desired)]
        plan.create_on += candidates[: max(0, max_surge - surging)]
        return plan
