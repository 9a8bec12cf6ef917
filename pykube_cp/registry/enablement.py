"""Which built-in resources are served: the defaults, and what ``--runtime-config`` says.

Keys are ``api/all``, ``api/ga``, ``api/beta``, ``api/alpha``, ``GROUP/VERSION`` and
``GROUP/VERSION/RESOURCE``; the more particular one decides, wherever it stands.
"""
# upstream: apiserver pkg/server/resourceconfig/helpers.go MergeAPIResourceConfigs

import re
from collections.abc import Collection, Mapping

from pykube_cp.machinery.go_numbers import parse_bool
from pykube_cp.machinery.go_text import quote
from pykube_cp.machinery.gvk import GVR, GroupVersion
from pykube_cp.registry.resource import Resource

ALL = "api/all"
_SWITCHES: dict[str, re.Pattern[str]] = {
    ALL: re.compile(""),
    "api/ga": re.compile(r"v\d+$"),
    "api/beta": re.compile(r"v\d+beta\d+$"),
    "api/alpha": re.compile(r"v\d+alpha\d+$"),
}
"""Versions that a key stands for; later ones overrule earlier ones."""


class RuntimeConfigError(ValueError):
    """What is wrong with ``--runtime-config``."""


def parse(text: str) -> dict[str, str]:
    """``key=value`` and ``key``, separated by commas."""
    # upstream: component-base cli/flag/configuration_map.go ConfigurationMap.Set
    pairs = (part.partition("=") for part in text.split(",") if part)
    found = {key.strip(): value.strip() for key, _, value in pairs}
    found.pop("api/legacy", None)
    return {_core(key): value for key, value in found.items()}


def _core(key: str) -> str:
    """The core group has had several names."""
    # upstream: pkg/controlplane/apiserver/options/options.go Options.Complete
    old = key in {"v1", "api/v1"} or key.startswith(("v1/", "api/v1/"))
    return "/v1" if old else key


class Enablement:
    """Says of each row whether it is served.

    Args:
        settings: of ``--runtime-config``.
        registered: every version that upstream has types for, served or not.

    Raises:
        RuntimeConfigError: a key or a value means nothing.
    """

    def __init__(self, settings: Mapping[str, str], registered: Collection[GroupVersion]) -> None:
        _check(settings, {known.group for known in registered})
        self._switches = [
            (pattern, _switch(key, settings[key]))
            for key, pattern in _SWITCHES.items()
            if key in settings
        ]
        self._versions: dict[GroupVersion, bool] = {}
        self._resources: dict[GVR, bool] = {}
        for key, value in settings.items():
            if key not in _SWITCHES:
                self._prefer(key, value, registered)

    def _prefer(self, key: str, value: str, registered: Collection[GroupVersion]) -> None:
        group, version, *resource = key.split("/")
        known = GroupVersion(group, version)
        if known not in registered:
            text = f"group version {known.api_version} that has not been registered"
            raise RuntimeConfigError(text)
        enabled = _truth(key, value)
        if not resource:
            self._versions[known] = enabled
            return
        if resource[0] != resource[0].lower():
            raise RuntimeConfigError(
                f"invalid key {key}: group/version/resource and resource is always lowercase "
                f"plural, not {quote(resource[0])}"
            )
        self._resources[GVR(group, version, resource[0])] = enabled

    def is_served(self, row: Resource) -> bool:
        enabled = self._resources.get(row.gvr)
        if enabled is None:
            enabled = self._versions.get(GroupVersion(row.group, row.version))
        if enabled is None:
            enabled = row.served_by_default
            for pattern, switch in self._switches:
                if pattern.match(row.version):
                    enabled = switch
        return enabled


def _check(settings: Mapping[str, str], groups: Collection[str]) -> None:
    # upstream: apiserver pkg/server/options/api_enablement.go APIEnablementOptions.Validate
    if settings == {ALL: "false"}:
        raise RuntimeConfigError(f"invalid runtime-config with only {ALL}=false")
    keys = [key.split("/") for key in settings if key not in _SWITCHES]
    for parts in keys:
        if len(parts) not in {2, 3}:
            raise RuntimeConfigError(f"runtime-config invalid key {'/'.join(parts)}")
    named = [GroupVersion(group, version) for group, version, *_ in keys]
    unknown = {each.api_version for each in named if each.group not in groups}
    if unknown:
        raise RuntimeConfigError(f"unknown api groups {','.join(sorted(unknown))}")


def _switch(key: str, value: str) -> bool:
    if value not in {"true", "false"}:
        raise RuntimeConfigError(f"invalid value {key}={value}")
    return value == "true"


def _truth(key: str, value: str) -> bool:
    if not value:
        return True
    try:
        return parse_bool(value)
    except ValueError as error:
        raise RuntimeConfigError(f"invalid value of {key}: {value}, err: {error}") from None
