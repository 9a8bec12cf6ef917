"""The rows are what upstream's own discovery said: ``tests/cases/resources.tsv``."""

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from pykube_cp.machinery import schema
from pykube_cp.registry.resource import Resource, Subresource
from pykube_cp.resources.catalog import RESOURCES, builtin

CASES = Path(__file__).parents[1] / "cases"


def recorded() -> dict[tuple[str, str, str], dict[str, str]]:
    with (CASES / "resources.tsv").open() as file:
        rows = csv.DictReader(file, delimiter="\t")
        return {(row["group"], row["version"], row["resource"]): row for row in rows}


def described(row: Resource, sub: Subresource | None) -> dict[str, str]:
    kind = row.kind_of(sub)
    other = (kind.group, kind.version) != (row.group, row.version)
    return {
        "group": row.group,
        "version": row.version,
        "resource": row.plural if sub is None else f"{row.plural}/{sub.name}",
        "kind": kind.kind,
        "namespaced": str(row.namespaced).lower(),
        "verbs": ",".join(sorted(row.verbs if sub is None else sub.verbs)),
        "shortNames": "" if sub else ",".join(row.short_names),
        "categories": "" if sub else ",".join(row.categories),
        "singular": "" if sub else row.singular,
        "speaks": kind.api_version if other else "",
        "storageVersionHash": "" if sub else row.storage_version_hash,
        "served": "default" if row.served_by_default else "off",
        "deprecated": "" if sub or "list" not in row.verbs else warned_of(row),
    }


def warned_of(row: Resource) -> str:
    return schema.deprecation_warning(row.gvk).partition(" is deprecated in ")[2]


def ours() -> Iterator[dict[str, str]]:
    for row in RESOURCES:
        yield described(row, None)
        for sub in row.subresources:
            yield described(row, sub)


def key(row: dict[str, str]) -> tuple[str, str, str]:
    return row["group"], row["version"], row["resource"]


def test_there_are_as_many() -> None:
    assert sorted(map(key, ours())) == sorted(recorded())


@pytest.mark.parametrize("row", list(ours()), ids=lambda row: "/".join(key(row)))
def test_row(row: dict[str, str]) -> None:
    assert row == recorded()[key(row)]


@pytest.mark.parametrize(("settings", "count"), [({}, 121), ({"api/all": "true"}, 162)])
def test_what_is_served(settings: dict[str, str], count: int) -> None:
    rows = recorded().values()
    if not settings:
        rows = [row for row in rows if row["served"] == "default"]
    served = builtin(settings).all()
    names = {(row.group, row.version, row.plural) for row in served}
    assert names == {key(row) for row in rows if "/" not in row["resource"]}
    assert len(list(rows)) == count
    versions = {
        (group.name, version) for group in builtin(settings).groups() for version in group.versions
    }
    assert versions == {(row["group"], row["version"]) for row in rows}


def test_order_of_groups() -> None:
    groups = list(dict.fromkeys(row["group"] for row in recorded().values()))
    assert [group.name for group in builtin({"api/all": "true"}).groups()] == groups


def test_order_of_versions() -> None:
    for group in builtin({"api/all": "true"}).groups():
        found = dict.fromkeys(
            row["version"] for row in recorded().values() if row["group"] == group.name
        )
        assert list(group.versions) == list(found)
