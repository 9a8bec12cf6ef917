"""Prefers nodes that have the pod's images already."""

# upstream: pkg/scheduler/framework/plugins/imagelocality/image_locality.go

from collections.abc import Iterator

import numpy as np

from pykube_cp.machinery import objects
from pykube_cp.machinery.objects import Object
from pykube_cp.scheduler.interface import MAX_NODE_SCORE, CycleState, ScorePlugin
from pykube_cp.scheduler.vectors import IntVector, Rows, zeros

_MB = 1024 * 1024
_LEAST = 23 * _MB
_MOST_PER_IMAGE = 1000 * _MB


class ImageLocality(ScorePlugin):
    """The more bytes are there the better, but an image that few nodes have counts less.

    Otherwise pods would heap up on the node that pulled their image first.
    """

    name = "ImageLocality"

    def score(self, state: CycleState, rows: Rows) -> IntVector:
        snapshot = self.handle.snapshot
        names = list(_image_names(state.pod.spec))
        found = [image for name in names if (image := snapshot.images.get(name)) is not None]
        if not found:
            return zeros(len(rows))
        nodes = snapshot.number_of_nodes
        total = zeros(snapshot.size)
        for image in found:
            spread = len(image.rows) / nodes
            total[image.rows] += int(image.size * spread)
        most = _MOST_PER_IMAGE * len(names)
        scores: IntVector = (
            MAX_NODE_SCORE * (np.clip(total[rows], _LEAST, most) - _LEAST) // (most - _LEAST)
        )
        return scores


def _image_names(spec: Object) -> Iterator[str]:
    """The image of every container and image volume, one that occurs twice twice."""
    for container in (spec.get("initContainers") or []) + (spec.get("containers") or []):
        yield _with_tag(container.get("image") or "")
    for volume in spec.get("volumes") or ():
        if volume.get("image"):
            yield _with_tag(objects.nested(volume, "image", "reference", default=""))


def _with_tag(name: str) -> str:
    return f"{name}:latest" if name.rfind(":") <= name.rfind("/") else name
