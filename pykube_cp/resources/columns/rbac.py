"""Columns of rbac.authorization.k8s.io; roles have none of their own."""
# upstream: pkg/printers/internalversion/printers.go printRoleBinding

from pykube_cp.machinery.objects import Object
from pykube_cp.registry import table
from pykube_cp.registry.resource import Column
from pykube_cp.resources.shared import cells


def _role(obj: Object) -> str:
    role = obj.get("roleRef") or {}
    return f"{role.get('kind') or ''}/{role.get('name') or ''}"


def _subject(subject: Object) -> str:
    name = subject.get("name") or ""
    if subject.get("kind") == "ServiceAccount":
        return f"{subject.get('namespace') or ''}/{name}"
    return name


def _subjects(kind: str) -> cells.Value:
    def value(obj: Object) -> str:
        found = (item for item in cells.items(obj, "subjects") if item.get("kind") == kind)
        return ", ".join(map(_subject, found))

    return value


def _columns(binding: str) -> tuple[Column, ...]:
    kinds = {"Users": "User", "Groups": "Group", "ServiceAccounts": "ServiceAccount"}
    subjects = (
        Column(name, _subjects(kind), priority=1, description=f"{name} in the {binding}")
        for name, kind in kinds.items()
    )
    return (table.NAME, Column("Role", _role), table.AGE, *subjects)


ROLE_BINDING = _columns("roleBinding")
CLUSTER_ROLE_BINDING = _columns("clusterRoleBinding")
