"""In which order upstream tells what is wrong with the volumes and the containers of a pod."""
# upstream: pkg/apis/core/validation/validation.go ValidatePodSpec, validateContainerCommon

import re

from pykube_cp.machinery.field_errors import ErrorType, FieldError

_PLACE = re.compile(r"(\w+)(?:\[(\d+)\](?:\.(\w+))?)?")
_LISTS = (
    "terminationGracePeriodSeconds",
    "volumes",
    "resourceClaims",
    "containers",
    "initContainers",
    "ephemeralContainers",
)
_CONTAINERS = frozenset(_LISTS[3:])
_MEMBERS = (
    "name",
    "image",
    "terminationMessagePolicy",
    "ports",
    "env",
    "envFrom",
    "volumeMounts",
    "volumeDevices",
    "imagePullPolicy",
    "resources",
    "resizePolicy",
    "securityContext",
)
"""What all containers have in common; the rest comes as it is found."""
_LAST = 1 << 31


def rank(field: str, error: FieldError) -> tuple[int, int, int]:
    """Where ``error`` comes, by its field below the PodSpec."""
    found = _PLACE.match(field)
    place, index, member = found.groups() if found else ("", None, None)
    section = _LISTS.index(place) if place in _LISTS else len(_LISTS)
    at = -1 if index is None else int(index)
    if place not in _CONTAINERS or member is None:
        return section, at, 0
    is_twice = error.type == ErrorType.DUPLICATE
    if place == "containers" and is_twice and field.endswith(".hostPort"):
        return section, _LAST, 0
    if member not in _MEMBERS or (member == "name" and is_twice) or _is_of_kind(error):
        return section, at, len(_MEMBERS)
    return section, at, _MEMBERS.index(member)


def _is_of_kind(error: FieldError) -> bool:
    """Something that this kind of container may not have."""
    return error.type == ErrorType.FORBIDDEN and error.detail.startswith(("cannot be", "may not"))
