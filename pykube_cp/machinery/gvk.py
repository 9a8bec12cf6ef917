"""Names of kinds and resources."""

from typing import NamedTuple


class GroupVersion(NamedTuple):
    """An API group in one version; the core group is ``""``."""

    group: str
    version: str

    @property
    def api_version(self) -> str:
        """As written in ``apiVersion``: ``v1``, ``apps/v1``."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @classmethod
    def parse(cls, api_version: str) -> "GroupVersion":
        """Parse ``v1`` or ``apps/v1``; ``ValueError`` with upstream's text otherwise."""
        # upstream: apimachinery pkg/runtime/schema/group_version.go ParseGroupVersion
        if api_version.count("/") > 1:
            raise ValueError(f"unexpected GroupVersion string: {api_version}")
        group, _, version = api_version.rpartition("/")
        return cls(group, version)


class GVK(NamedTuple):
    """Group, version and kind."""

    group: str
    version: str
    kind: str

    @property
    def api_version(self) -> str:
        return GroupVersion(self.group, self.version).api_version

    @classmethod
    def of(cls, obj: dict[str, object]) -> "GVK":
        """What the object's ``apiVersion`` and ``kind`` say."""
        group, version = GroupVersion.parse(str(obj.get("apiVersion") or ""))
        return cls(group, version, str(obj.get("kind") or ""))


def internal_package(group: str) -> str:
    """The Go package of a group's internal types, which some messages name."""
    if group == "internal.apiserver.k8s.io":
        return "apiserverinternal"
    return group.partition(".")[0] or "core"


class GVR(NamedTuple):
    """Group, version and plural resource, as in a URL."""

    group: str
    version: str
    resource: str

    @property
    def api_version(self) -> str:
        return GroupVersion(self.group, self.version).api_version

    @property
    def group_resource(self) -> str:
        """As messages name it: ``pods``, ``deployments.apps``."""
        return f"{self.resource}.{self.group}" if self.group else self.resource
