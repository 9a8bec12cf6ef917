"""How fast and how far an autoscaler may go, and what it remembers to know it."""
# upstream: pkg/controller/podautoscaler/horizontal.go normalizeDesiredReplicas

import math
from dataclasses import dataclass, field

from pykube_cp.machinery import clock
from pykube_cp.machinery.objects import Object

_UP_FACTOR = 2
_UP_MINIMUM = 4
_WITHIN_RANGE = ("DesiredWithinRange", "the desired count is within the acceptable range")
_TOO_MANY = (
    "TooManyReplicas",
    "the desired replica count is more than the maximum replica count",
)
_TOO_FEW = ("TooFewReplicas", "the desired replica count is less than the minimum replica count")
_UP_LIMIT = (
    "ScaleUpLimit",
    "the desired replica count is increasing faster than the maximum scale rate",
)
_DOWN_LIMIT = (
    "ScaleDownLimit",
    "the desired replica count is decreasing faster than the maximum scale rate",
)
_READY = ("ReadyForNewScale", "recommended size matches current size")
_DOWN_STABILIZED = (
    "ScaleDownStabilized",
    (
        "recent recommendations were higher than current one, applying the highest recent "
        "recommendation"
    ),
)
_UP_STABILIZED = (
    "ScaleUpStabilized",
    "recent recommendations were lower than current one, applying the lowest recent recommendation",
)

Reason = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Sample:
    """A number of replicas at a time."""

    replicas: int
    time: float


@dataclass(frozen=True, slots=True)
class Limited:
    """Replicas after all limits; why they are able to scale, and whether and how limited."""

    replicas: int
    able: Reason
    is_limited: bool
    limit: Reason


@dataclass(frozen=True, slots=True)
class Range:
    """Where the number of replicas is and may go."""

    current: int
    minimum: int
    maximum: int


@dataclass(slots=True)
class History:
    """What one autoscaler remembers: recommendations before limits, and steps taken."""

    recommendations: list[Sample] = field(default_factory=list)
    ups: list[Sample] = field(default_factory=list)
    downs: list[Sample] = field(default_factory=list)

    def begin(self, current: int) -> None:
        """The first recommendation is to stay."""
        if not self.recommendations:
            self.recommendations.append(Sample(current, clock.now()))

    def record_step(self, behavior: Object | None, before: int, after: int) -> None:
        if behavior is None:
            return
        grows = after > before
        steps, rules = (self.ups, "scaleUp") if grows else (self.downs, "scaleDown")
        policies = behavior[rules].get("policies") or ()
        period = max((policy["periodSeconds"] for policy in policies), default=0)
        _forget(steps, clock.now() - period)
        steps.append(Sample(abs(after - before), clock.now()))

    def limit(self, desired: int, within: Range, window: float) -> Limited:
        """Apply the default limits; ``window`` seconds of recommendations hold it up."""
        cutoff = clock.now() - window
        recent = [item.replicas for item in self.recommendations if item.time >= cutoff]
        stabilized = max([desired, *recent])
        self._recommend(desired, cutoff)
        able = _READY if stabilized == desired else _DOWN_STABILIZED
        replicas, limit = _within_default_limits(stabilized, within)
        return Limited(replicas, able, replicas != stabilized, limit)

    def limit_by_behavior(
        self, desired: int, within: Range, behavior: Object, window: float
    ) -> Limited:
        """Apply the limits of ``spec.behavior``."""
        # upstream: pkg/controller/podautoscaler/horizontal.go
        # normalizeDesiredReplicasWithBehaviors
        stabilized = self._stabilize(desired, within.current, behavior, window)
        able = _READY
        if stabilized != desired:
            able = _UP_STABILIZED if desired >= within.current else _DOWN_STABILIZED
        replicas, limit = self._within_rate(stabilized, within, behavior)
        return Limited(replicas, able, replicas != stabilized, limit)

    def _stabilize(self, desired: int, current: int, behavior: Object, window: float) -> int:
        now = clock.now()
        up_cutoff = now - (behavior["scaleUp"].get("stabilizationWindowSeconds") or 0)
        down_window = behavior["scaleDown"].get("stabilizationWindowSeconds")
        down_cutoff = now - (window if down_window is None else down_window)
        samples = self.recommendations
        lowest = min([desired, *(item.replicas for item in samples if item.time > up_cutoff)])
        highest = max([desired, *(item.replicas for item in samples if item.time > down_cutoff)])
        self._recommend(desired, min(up_cutoff, down_cutoff))
        return min(max(current, lowest), highest)

    def _recommend(self, desired: int, cutoff: float) -> None:
        _forget(self.recommendations, cutoff)
        self.recommendations.append(Sample(desired, clock.now()))

    def _within_rate(self, desired: int, within: Range, behavior: Object) -> tuple[int, Reason]:
        # upstream: pkg/controller/podautoscaler/horizontal.go
        # convertDesiredReplicasWithBehaviorRate
        if desired > within.current:
            rate = max(self._up_limit(within.current, behavior["scaleUp"]), within.current)
            most, reason = min((within.maximum, _TOO_MANY), (rate, _UP_LIMIT), key=_first)
            if desired > most:
                return most, reason
        elif desired < within.current:
            rate = min(self._down_limit(within.current, behavior["scaleDown"]), within.current)
            least, reason = max((within.minimum, _TOO_FEW), (rate, _DOWN_LIMIT), key=_first)
            if desired < least:
                return least, reason
        return desired, _WITHIN_RANGE

    def _up_limit(self, current: int, rules: Object) -> int:
        if rules.get("selectPolicy") == "Disabled":
            return current
        proposals = []
        for policy in rules.get("policies") or ():
            start = self._at_period_start(current, policy["periodSeconds"])
            if policy["type"] == "Pods":
                proposals.append(start + policy["value"])
            else:
                proposals.append(math.ceil(start * (1 + policy["value"] / 100)))
        return (min if rules.get("selectPolicy") == "Min" else max)(proposals, default=current)

    def _down_limit(self, current: int, rules: Object) -> int:
        if rules.get("selectPolicy") == "Disabled":
            return current
        proposals = []
        for policy in rules.get("policies") or ():
            start = self._at_period_start(current, policy["periodSeconds"])
            if policy["type"] == "Pods":
                proposals.append(start - policy["value"])
            else:
                proposals.append(int(start * (1 - policy["value"] / 100)))
        return (max if rules.get("selectPolicy") == "Min" else min)(proposals, default=current)

    def _at_period_start(self, current: int, period: float) -> int:
        cutoff = clock.now() - period
        added = sum(item.replicas for item in self.ups if item.time > cutoff)
        removed = sum(item.replicas for item in self.downs if item.time > cutoff)
        return current - added + removed


def _first(pair: tuple[int, Reason]) -> int:
    return pair[0]


def _forget(samples: list[Sample], cutoff: float) -> None:
    samples[:] = [item for item in samples if item.time >= cutoff]


def _within_default_limits(desired: int, within: Range) -> tuple[int, Reason]:
    # upstream: pkg/controller/podautoscaler/horizontal.go convertDesiredReplicasWithRules
    rate = max(_UP_FACTOR * within.current, _UP_MINIMUM)
    most, reason = min((within.maximum, _TOO_MANY), (rate, _UP_LIMIT), key=_first)
    if desired < within.minimum:
        return within.minimum, _TOO_FEW
    if desired > most:
        return most, reason
    return desired, _WITHIN_RANGE
