"""Columns of apiregistration.k8s.io."""
# upstream: kube-aggregator pkg/registry/apiservice/etcd/etcd.go ConvertToTable

from pykube_cp.machinery.objects import Object
from pykube_cp.registry import table
from pykube_cp.registry.resource import Column
from pykube_cp.resources.shared import cells


def _service(obj: Object) -> str:
    found = (obj.get("spec") or {}).get("service")
    if found is None:
        return "Local"
    return f"{found.get('namespace') or ''}/{found.get('name') or ''}"


def _available(obj: Object) -> str:
    found = cells.condition(obj, "Available")
    if found is None:
        return "Unknown"
    status: str = found.get("status") or ""
    if status == "True" or not found.get("reason"):
        return status
    return f"{status} ({found['reason']})"


API_SERVICE = (
    table.NAME,
    Column(
        "Service",
        _service,
        description="The reference to the service that hosts this API endpoint.",
    ),
    Column("Available", _available, description="Whether this service is available."),
    table.AGE,
)
