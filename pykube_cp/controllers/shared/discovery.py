"""What resources the API serves, asked for the way clients do."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson

from pykube_cp.client.interface import Client
from pykube_cp.machinery.gvk import GVR, GroupVersion
from pykube_cp.machinery.objects import Object

_AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
_HEADERS = {"Accept": f"{_AGGREGATED},application/json"}


@dataclass(frozen=True, slots=True)
class ApiResource:
    """One resource in one version; subresources are not listed."""

    gvr: GVR
    kind: str
    namespaced: bool
    verbs: frozenset[str]

    def supports(self, *verbs: str) -> bool:
        return self.verbs.issuperset(verbs)


class DiscoveryError(Exception):
    """Nothing could be discovered at all."""


@dataclass(frozen=True, slots=True)
class Discovery:
    """All served resources.

    Attributes:
        resources: every version of every resource, preferred versions first.
        failures: group version -> why its resources are not known.
    """

    resources: tuple[ApiResource, ...]
    failures: dict[str, str] = field(default_factory=dict)

    def preferred(self) -> list[ApiResource]:
        """Each resource once, in the version the server prefers."""
        # upstream: client-go discovery/discovery_client.go ServerPreferredResources
        chosen: dict[tuple[str, str], ApiResource] = {}
        for resource in self.resources:
            chosen.setdefault((resource.gvr.group, resource.gvr.resource), resource)
        return list(chosen.values())

    def find_kind(self, api_version: str, kind: str) -> ApiResource | None:
        """The resource of a kind: in that version, else in any version of its group."""
        try:
            wanted = GroupVersion.parse(api_version)
        except ValueError:
            return None
        of_kind = [
            resource
            for resource in self.resources
            if resource.kind == kind and resource.gvr.group == wanted.group
        ]
        exact = (found for found in of_kind if found.gvr.version == wanted.version)
        return next(exact, None) or next(iter(of_kind), None)

    def failure_message(self) -> str:
        # upstream: client-go discovery/discovery_client.go ErrGroupDiscoveryFailed.Error
        texts = ", ".join(f"{version}: {why}" for version, why in sorted(self.failures.items()))
        return f"unable to retrieve the complete list of server APIs: {texts}"


async def discover(client: Client) -> Discovery:
    """Ask for everything, with two requests where the server aggregates discovery."""
    resources: list[ApiResource] = []
    failures: dict[str, str] = {}
    for path in ("/api", "/apis"):
        answer = await _get(client, path)
        if answer.get("kind") == "APIGroupDiscoveryList":
            for group in answer.get("items") or []:
                _read_group(group, resources, failures)
        else:
            await _read_legacy(client, path, answer, resources, failures)
    if not resources:
        raise DiscoveryError("unable to get all supported resources from server")
    return Discovery(tuple(resources), failures)


async def _get(client: Client, path: str) -> Any:
    response = await client.request("GET", path, headers=_HEADERS)
    if response.status != 200:
        raise DiscoveryError(f"discovery of {path} failed with status {response.status}")
    return orjson.loads(response.body)


def _read_group(group: Object, resources: list[ApiResource], failures: dict[str, str]) -> None:
    name = (group.get("metadata") or {}).get("name", "")
    for version in group.get("versions") or []:
        group_version = GroupVersion(name, version["version"])
        if version.get("freshness") == "Stale":
            text = group_version.api_version
            failures[text] = f"stale GroupVersion discovery: {text}"
            continue
        for found in version.get("resources") or []:
            resources.append(
                ApiResource(
                    GVR(*group_version, found["resource"]),
                    (found.get("responseKind") or {}).get("kind", ""),
                    found.get("scope") == "Namespaced",
                    frozenset(found.get("verbs") or ()),
                )
            )


async def _read_legacy(
    client: Client,
    path: str,
    answer: Object,
    resources: list[ApiResource],
    failures: dict[str, str],
) -> None:
    """``APIVersions`` or ``APIGroupList``, then one request for each group version."""
    for version in _legacy_versions(answer):
        try:
            found = await _get(client, f"{path}/{version}")
        except DiscoveryError as error:
            failures[version] = str(error)
            continue
        group_version = GroupVersion.parse(version)
        for resource in found.get("resources") or []:
            if "/" not in resource["name"]:
                resources.append(_legacy_resource(group_version, resource))


def _legacy_versions(answer: Object) -> Iterable[str]:
    yield from answer.get("versions") or []
    for group in answer.get("groups") or []:
        preferred = (group.get("preferredVersion") or {}).get("groupVersion", "")
        versions = [version["groupVersion"] for version in group.get("versions") or []]
        yield from sorted(versions, key=lambda version: version != preferred)


def _legacy_resource(group_version: GroupVersion, resource: Object) -> ApiResource:
    return ApiResource(
        GVR(*group_version, resource["name"]),
        resource.get("kind", ""),
        bool(resource.get("namespaced")),
        frozenset(resource.get("verbs") or ()),
    )
