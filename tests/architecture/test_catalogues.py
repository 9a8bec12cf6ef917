"""Folder = list, for the families whose own tests do not say so already."""

import importlib
import inspect
import pkgutil
from pathlib import Path
from types import ModuleType

import pytest

from pykube_cp import resources
from pykube_cp.admission import plugins
from pykube_cp.admission.catalog import PLUGINS
from pykube_cp.api import filters, verbs
from pykube_cp.api.pipeline import FILTERS
from pykube_cp.api.router import VERBS
from pykube_cp.resources import rules, subresources
from pykube_cp.resources.catalog import GROUPS, RESOURCES
from pykube_cp.resources.rules_catalog import RULES
from pykube_cp.resources.subresources.catalog import PAGES


def pages_of(package: ModuleType, *mechanism: str) -> dict[str, ModuleType]:
    """The package's modules by name, without sub-packages and what is no page."""
    return {
        found.name: importlib.import_module(f"{package.__name__}.{found.name}")
        for found in pkgutil.iter_modules(package.__path__)
        if not found.ispkg and found.name not in mechanism
    }


def file_of(thing: object) -> str:
    assert inspect.isclass(thing) or inspect.isfunction(thing)
    return Path(inspect.getfile(thing)).stem


def test_admission_plugins() -> None:
    assert sorted(map(file_of, PLUGINS)) == sorted(pages_of(plugins))
    assert len({plugin.name for plugin in PLUGINS}) == len(PLUGINS)


def test_filters() -> None:
    assert {page.__name__.rpartition(".")[2] for page in FILTERS} == set(pages_of(filters))
    assert len(set(FILTERS)) == len(FILTERS)


def test_verbs() -> None:
    assert {file_of(handler) for handler in VERBS.values()} == set(pages_of(verbs))


def test_subresources() -> None:
    offered = [
        page
        for module in pages_of(subresources, "catalog", "interface").values()
        for page in module.PAGES
    ]
    assert {(page.resource, page.subresource) for page in offered} == set(PAGES)
    assert len(offered) == len(PAGES), "two pages serve the same path"


@pytest.mark.parametrize("name", sorted(pages_of(rules)))
def test_rules(name: str) -> None:
    offered = pages_of(rules)[name].RULES
    assert offered
    assert all(any(rule is listed for listed in RULES) for rule in offered)


def test_rules_have_one_page_each() -> None:
    offered = [rule for page in pages_of(rules).values() for rule in page.RULES]
    assert len(offered) == len(RULES)


def test_rows() -> None:
    pages = pages_of(resources, "catalog", "rules_catalog")
    offered = [row.gvr for page in pages.values() for row in page.RESOURCES]
    assert sorted(offered) == sorted(row.gvr for row in RESOURCES)
    assert len(set(offered)) == len(offered), "two rows for one resource"
    served = {(group.name, version) for group in GROUPS for version in group.versions}
    assert {(row.group, row.version) for row in RESOURCES} <= served
