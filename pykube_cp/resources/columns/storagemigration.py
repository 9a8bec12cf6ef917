"""Columns of storagemigration.k8s.io."""
# upstream: pkg/printers/internalversion/printers.go printStorageVersionMigration

from pykube_cp.machinery.objects import Object
from pykube_cp.registry import table
from pykube_cp.registry.resource import Column
from pykube_cp.resources.shared import cells

_STATES = frozenset({"Running", "Failed", "Succeeded"})


def _resource(obj: Object) -> str:
    found = (obj.get("spec") or {}).get("resource") or {}
    return cells.group_resource(found.get("group") or "", found.get("resource") or "")


def _status(obj: Object) -> str:
    found = (item["type"] for item in cells.conditions(obj) if item.get("status") == "True")
    states = [kind for kind in found if kind in _STATES]
    return states[-1] if states else "Unknown"


STORAGE_VERSION_MIGRATION = (
    Column(
        "Name",
        table.NAME.value,
        described_by="meta.v1.ObjectMeta.name",
    ),
    Column("Resource", _resource, description="GroupResource to migrate"),
    Column("Status", _status, description="Status of the migration"),
)
