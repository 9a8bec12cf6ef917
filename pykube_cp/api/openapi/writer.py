"""What both versions of OpenAPI write in the same way: paths, and references to types."""

from abc import ABC, abstractmethod
from collections.abc import Iterable

from pykube_cp.api.openapi.definitions import Definitions
from pykube_cp.api.openapi.operations import TEXT, Operation, Parameter
from pykube_cp.api.openapi.paths import Path, by_path
from pykube_cp.machinery.objects import Object


class Writer(ABC):
    """Writes paths and notes the types that occur."""

    def __init__(self, definitions: Definitions) -> None:
        self.definitions = definitions
        self.used: set[str] = set()

    def paths(self, operations: Iterable[Operation]) -> Object:
        return {path: self._path(found) for path, found in by_path(operations).items()}

    def _path(self, path: Path) -> Object:
        made: Object = {
            method: self.operation(operation, path.own(operation))
            for method, operation in path.in_order()
        }
        if path.shared:
            made["parameters"] = [self.parameter(found) for found in path.shared]
        return made

    def schema(self, name: str) -> Object:
        if name == TEXT:
            return {"type": "string"}
        self.used.add(name)
        return self.definitions.reference(name)

    @abstractmethod
    def operation(self, operation: Operation, own: list[Parameter]) -> Object:
        """``own`` are the parameters that not all operations of the path have."""

    @abstractmethod
    def parameter(self, parameter: Parameter) -> Object:
        """Written where it is used, or a reference."""
