"""Looking into pod specs."""

from collections.abc import Iterator

from pykube_cp.machinery.field_errors import Path
from pykube_cp.machinery.objects import Object

CONTAINER_FIELDS = ("initContainers", "containers", "ephemeralContainers")
"""In the order in which upstream visits them."""


def containers(spec: Object) -> Iterator[Object]:
    """All containers: init, regular, ephemeral."""
    for field in CONTAINER_FIELDS:
        yield from spec.get(field) or ()


def containers_with_paths(spec: Object, path: Path) -> Iterator[tuple[Object, Path]]:
    """All containers with where they are; ``path`` is the spec's."""
    for field in CONTAINER_FIELDS:
        for position, container in enumerate(spec.get(field) or ()):
            yield container, path.child(field).index(position)
