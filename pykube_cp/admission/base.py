"""What plugins have in common: they do nothing unless they say so."""

from pykube_cp.admission.interface import Attributes, Operation, Services
from pykube_cp.machinery import errors, names
from pykube_cp.machinery.go_text import quote
from pykube_cp.machinery.gvk import GVR

CREATE = frozenset({Operation.CREATE})
UPDATE = frozenset({Operation.UPDATE})
WRITES = frozenset({Operation.CREATE, Operation.UPDATE})
EVERYTHING = frozenset({("*", "*")})
PODS = frozenset({("", "pods")})


class BasePlugin:
    """A plugin that lets everything pass; pages override what they are about."""

    name = ""
    operations: frozenset[Operation] = CREATE
    resources: frozenset[tuple[str, str]] = EVERYTHING
    services: Services

    def start(self, services: Services) -> None:
        self.services = services

    async def admit(self, attributes: Attributes) -> None:
        """Nothing to change."""

    async def validate(self, attributes: Attributes) -> None:
        """Nothing to refuse."""


def group_resource(gvr: GVR) -> tuple[str, str]:
    return gvr.group, gvr.resource


def check_asked_name(name: str) -> None:
    """What upstream's plugins, which ask by URL, cannot even ask for."""
    # upstream: client-go rest/request.go Request.Name
    if not name:
        raise errors.StatusError(500, "", "resource name may not be empty")
    if wrong := names.is_path_segment_name(name):
        text = f"invalid resource name {quote(name)}: [{' '.join(wrong)}]"
        raise errors.StatusError(500, "", text)


def forbidden(attributes: Attributes, text: str) -> errors.StatusError:
    """403 in the words of ``admission.NewForbidden``."""
    # upstream: apiserver pkg/admission/errors.go NewForbidden
    obj = attributes.object or {}
    meta = obj.get("metadata") or {}
    name = attributes.name or meta.get("name", "")
    if not name and meta.get("generateName"):
        name = meta["generateName"]
    return errors.forbidden(group_resource(attributes.resource), name or "Unknown", text)
