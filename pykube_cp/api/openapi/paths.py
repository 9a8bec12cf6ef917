"""Operations by path, with the parameters that all operations of a path share set apart."""
# upstream: kube-openapi pkg/builder/openapi.go buildPaths, findCommonParameters

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pykube_cp.api.openapi.operations import Operation, Parameter

METHODS = ("get", "put", "post", "delete", "options", "head", "patch")
"""In the order in which a path's operations are written."""


@dataclass(frozen=True, slots=True)
class Path:
    """A path: its operations by method, and the parameters of all of them."""

    operations: dict[str, Operation]
    shared: tuple[Parameter, ...]

    def own(self, operation: Operation) -> list[Parameter]:
        """The parameters of one operation that not all have."""
        shared = {_key(parameter) for parameter in self.shared}
        return _sorted(found for found in operation.parameters if _key(found) not in shared)

    def in_order(self) -> Iterator[tuple[str, Operation]]:
        for method in METHODS:
            if method in self.operations:
                yield method, self.operations[method]


def by_path(operations: Iterable[Operation]) -> dict[str, Path]:
    """Paths in alphabetical order."""
    found: dict[str, list[Operation]] = {}
    for operation in operations:
        found.setdefault(operation.path, []).append(operation)
    return {path: _path(found[path]) for path in sorted(found)}


def _path(operations: list[Operation]) -> Path:
    counts: dict[tuple[str, str], int] = {}
    last: dict[tuple[str, str], Parameter] = {}
    for operation in operations:
        for parameter in operation.parameters:
            key = _key(parameter)
            counts[key] = counts.get(key, 0) + 1
            last[key] = parameter
    shared = _sorted(last[key] for key, count in counts.items() if count == len(operations))
    return Path({operation.method: operation for operation in operations}, tuple(shared))


def _key(parameter: Parameter) -> tuple[str, str]:
    return parameter.name, parameter.place


def _sorted(parameters: Iterable[Parameter]) -> list[Parameter]:
    return sorted(parameters, key=_key)
