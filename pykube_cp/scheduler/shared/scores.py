"""Bringing scores into the range from 0 to 100."""

from collections.abc import Callable, Sequence

from pykube_cp.machinery.objects import Object
from pykube_cp.scheduler.interface import MAX_NODE_SCORE
from pykube_cp.scheduler.vectors import IntVector

_MOST_CUSTOM_SCORE = 10


def scaled_to_best(scores: IntVector, *, reverse: bool) -> IntVector:
    """The best gets 100, the others in proportion; ``reverse`` turns that round."""
    # upstream: pkg/scheduler/framework/plugins/helper/normalize_score.go DefaultNormalizeScore
    best = int(scores.max(initial=0))
    if best == 0:
        return scores + MAX_NODE_SCORE if reverse else scores
    scaled = MAX_NODE_SCORE * scores // best
    return MAX_NODE_SCORE - scaled if reverse else scaled


def broken_line(shape: Sequence[Object]) -> Callable[[int], int]:
    """The function through the points of a ``shape`` argument: utilization in percent -> score."""
    # upstream: pkg/scheduler/framework/plugins/helper/shape_score.go BuildBrokenLinearFunction
    factor = MAX_NODE_SCORE // _MOST_CUSTOM_SCORE
    points: list[tuple[int, int]] = [
        (point["utilization"], point["score"] * factor) for point in shape
    ]

    def value(utilization: int) -> int:
        previous = points[0]
        for point in points:
            if utilization <= point[0]:
                if point is points[0]:
                    return point[1]
                rise = (point[1] - previous[1]) * (utilization - previous[0])
                # Go divides towards zero.
                return previous[1] + int(rise / (point[0] - previous[0]))
            previous = point
        return points[-1][1]

    return value
