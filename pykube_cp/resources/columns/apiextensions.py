"""Columns of apiextensions.k8s.io."""
# upstream: apiextensions-apiserver pkg/registry/customresourcedefinition/tableconvertor

from pykube_cp.machinery.objects import Object
from pykube_cp.registry import table
from pykube_cp.registry.resource import Column
from pykube_cp.resources.shared import cells


def _versions(crd: Object) -> str:
    served = (item for item in cells.items(crd, "spec", "versions") if item.get("served"))
    return ",".join(
        sorted(
            f"{item['name']}(storage)" if item.get("storage") else item["name"] for item in served
        )
    )


def _is_established(crd: Object) -> bool:
    return cells.has_condition(crd, "Established")


CUSTOM_RESOURCE_DEFINITION = (
    table.NAME,
    Column("Scope", cells.at("spec", "scope"), description="Cluster/Namespaced"),
    Column("Versions", _versions, description="Served versions"),
    table.DEFAULT[1],
    Column("Group", cells.at("spec", "group"), priority=1, description="API group"),
    Column(
        "Kind", cells.at("spec", "names", "kind"), priority=1, description="CustomResource kind"
    ),
    Column(
        "ShortNames",
        cells.joined("spec", "names", "shortNames"),
        priority=1,
        description="Short names",
    ),
    Column(
        "Established",
        _is_established,
        type="boolean",
        priority=1,
        description="Established status",
    ),
)
