"""Versions that differ in nothing but their name."""

from collections.abc import Callable

from pykube_cp.machinery.objects import Object
from pykube_cp.registry.resource import Conversion


def renamed(api_version: str) -> Callable[[Object], Object]:
    """A function that changes ``apiVersion`` in place."""

    def rename(obj: Object) -> Object:
        obj["apiVersion"] = api_version
        return obj

    return rename


def between(stored: str, served: str) -> Conversion:
    """Both given as ``apiVersion``."""
    return Conversion(to_storage=renamed(stored), from_storage=renamed(served))
