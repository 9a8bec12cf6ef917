"""Admission plugins in order: all mutate, later all validate."""
# upstream: apiserver pkg/admission/chain.go

from collections.abc import Sequence

from pykube_cp.admission.interface import Attributes, Operation, Plugin, Services

_ANY = "*"


class AdmissionChain:
    """Calls the plugins that care about a write; which ones, is looked up once per kind of write."""

    def __init__(self, plugins: Sequence[Plugin]) -> None:
        self._plugins = tuple(plugins)
        self._interested: dict[tuple[Operation, str, str], tuple[Plugin, ...]] = {}

    def start(self, services: Services) -> None:
        for plugin in self._plugins:
            plugin.start(services)

    async def admit(self, attributes: Attributes) -> bool:
        """Let plugins change the object; whether any had the chance to."""
        plugins = self._for(attributes)
        for plugin in plugins:
            await plugin.admit(attributes)
        return bool(plugins)

    async def validate(self, attributes: Attributes) -> None:
        for plugin in self._for(attributes):
            await plugin.validate(attributes)

    def _for(self, attributes: Attributes) -> tuple[Plugin, ...]:
        group, _, resource = attributes.resource
        key = (attributes.operation, group, resource)
        found = self._interested.get(key)
        if found is None:
            found = tuple(
                plugin
                for plugin in self._plugins
                if attributes.operation in plugin.operations
                and _matches(plugin.resources, group, resource)
            )
            self._interested[key] = found
        return found


def _matches(wanted: frozenset[tuple[str, str]], group: str, resource: str) -> bool:
    return bool(wanted & {(group, resource), (group, _ANY), (_ANY, resource), (_ANY, _ANY)})
