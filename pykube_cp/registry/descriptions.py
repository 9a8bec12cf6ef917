"""What is said about types, fields and parameters: upstream's prose, read from installed packages.

The project holds none of it. ``kubernetes-validate`` has JSON schemas made of upstream's OpenAPI
document, ``kubernetes`` has the parameters of operations; both are read as files, never imported.
Where a package is missing (they are the extra ``docs``), its descriptions are.
"""

import ast
import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import orjson

from pykube_cp import KUBERNETES_VERSION
from pykube_cp.machinery.schema import META

_log = logging.getLogger(__name__)
_CORE = "io.k8s.api.core.v1."
_FUNCTIONS = {
    META + "ListOptions": "list_namespace",
    META + "CreateOptions": "create_namespace",
    META + "UpdateOptions": "replace_namespace",
    META + "PatchOptions": "patch_namespace",
    _CORE + "PodLogOptions": "read_namespaced_pod_log",
    _CORE + "PodAttachOptions": "connect_get_namespaced_pod_attach",
    _CORE + "PodExecOptions": "connect_get_namespaced_pod_exec",
    _CORE + "PodPortForwardOptions": "connect_get_namespaced_pod_portforward",
    _CORE + "PodProxyOptions": "connect_get_namespaced_pod_proxy",
    _CORE + "NodeProxyOptions": "connect_get_node_proxy",
    _CORE + "ServiceProxyOptions": "connect_get_namespaced_service_proxy",
}
"""Types of query parameters, and a function of the client that takes them."""

_ARGUMENT = re.compile(r'\n {8}_?(\w+): Annotated\[.*?\bdescription=("(?:[^"\\]|\\.)*")')
_PARAGRAPH = re.compile(r"(?<! )  (?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Descriptions:
    """Texts by the names of OpenAPI definitions; empty where nothing is said.

    Attributes:
        types: definition -> text.
        fields: definition -> field -> text.
        parameters: type of options -> parameter in lower case -> text.
    """

    types: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    parameters: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def of_type(self, name: str) -> str:
        return self.types.get(name, "")

    def of_field(self, type_name: str, name: str) -> str:
        return self.fields.get(type_name, {}).get(name, "")

    def of_parameter(self, options: str, name: str) -> str:
        """Of a query parameter, which is a field of the type ``options``."""
        found = self.parameters.get(options, {}).get(name.lower())
        return found or self.of_field(options, name)


def of_fields(places: Iterable[str]) -> dict[str, str]:
    """Texts of fields: ``core.v1.Event.reason``, ``meta.v1.ObjectMeta.name``; takes some 10 ms.

    ``core.v1.Event.`` is the type itself.
    """
    try:
        definitions = _definitions()
    except (OSError, ValueError, LookupError) as error:
        _log.warning("descriptions of columns cannot be read: %r", error)
        return {}
    found = {}
    for place in places:
        type_name, _, name = full_name(place).rpartition(".")
        definition = definitions.get(type_name, {})
        said = definition.get("properties", {}).get(name, {}) if name else definition
        found[place] = said.get("description", "")
    return found


def full_name(place: str) -> str:
    rest = place.removeprefix("meta.v1.")
    return META + rest if rest != place else f"io.k8s.api.{place}"


def load() -> Descriptions:
    """All that the installed packages say; takes some 30 ms."""
    made = Descriptions()
    try:
        types, fields = _types()
        made = Descriptions(types, fields)
        return Descriptions(types, fields, _parameters())
    except (OSError, ValueError, LookupError, SyntaxError) as error:
        _log.warning("descriptions of the API cannot be read: %r", error)
        return made


def _folder(package: str) -> Path | None:
    """Where a package is installed; it is not imported."""
    found = find_spec(package)
    if found is None or not found.submodule_search_locations:
        return None
    return Path(found.submodule_search_locations[0])


def _types() -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """What ``kubernetes-validate`` says of types and of their fields."""
    definitions = _definitions()
    types = {name: made.get("description", "") for name, made in definitions.items()}
    fields = {
        name: {key: said.get("description", "") for key, said in made["properties"].items()}
        for name, made in definitions.items()
        if "properties" in made
    }
    return types, fields


def _definitions() -> dict[str, Any]:
    """The JSON schemas of ``kubernetes-validate``; none when it is not there."""
    folder = _folder("kubernetes_validate")
    found = _nearest(folder / "kubernetes-json-schema") if folder is not None else None
    if found is None:
        return {}
    made: dict[str, Any] = orjson.loads((found / "_definitions.json").read_bytes())["$defs"]
    return made


def _nearest(folder: Path) -> Path | None:
    """The schemas of the newest release that is not newer than ours."""
    ours = _number(KUBERNETES_VERSION)[:2]
    found = [each for each in folder.glob("v*-local") if _number(each.name)[:2] <= ours]
    return max(found, key=lambda each: _number(each.name), default=None)


def _number(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"[0-9]+", version)))


def _parameters() -> dict[str, dict[str, str]]:
    """What the client ``kubernetes`` says of the parameters of its functions."""
    folder = _folder("kubernetes")
    if folder is None:
        return {}
    source = (folder / "client" / "api" / "core_v1_api.py").read_text()
    return {options: dict(_arguments(source, name)) for options, name in _FUNCTIONS.items()}


def _arguments(source: str, function: str) -> Iterator[tuple[str, str]]:
    start = source.find(f"    def {function}(\n")
    is_list = function == "list_namespace"
    head = source[start : source.find(") ->", start)] if start >= 0 else ""
    for name, literal in _ARGUMENT.findall(head):
        text: str = ast.literal_eval(literal)
        # The client's generator writes line breaks as spaces; only paragraphs can be told from these.
        yield name.replace("_", ""), _PARAGRAPH.sub("\n\n", text) if is_list else text
