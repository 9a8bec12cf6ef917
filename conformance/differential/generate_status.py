"""Cases about status: every field spoiled, and what else the status endpoint lets pass."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from generate import Base, Object, one_step, read_bases, spoil, spoiled
from script import Case, Step

STATUSES = Path(__file__).parent / "statuses"
OWNER = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": "1"}
META = {
    "labels": {"through": "status"},
    "annotations": {"through": "status"},
    "finalizers": ["example.com/status"],
    "ownerReferences": [OWNER],
}
"""What may or may not pass through the status endpoint besides the status."""
MERGE = "application/merge-patch+json"
_SETTLING = {"FlowSchema": 3}
"""Seconds until the servers have set a status of their own, of which the answer shows the traces."""


def setup() -> Iterator[Case]:
    """Stores the objects, then their status."""
    for base in _bases():
        path = f"{base.collection}/{base.name}/status"
        yield one_step("statuses", f"{base.title} is taken", "POST", base.collection, base.obj)
        patch = json.dumps({"status": base.obj["status"]})
        name = f"{base.title}: status is taken"
        after = _SETTLING.get(base.row.kind, 0)
        yield one_step("statuses", name, "PATCH", path, None, type=MERGE, text=patch, after=after)


def cases() -> Iterator[Case]:
    for base in _bases():
        for place, title, value in spoiled({"status": base.obj["status"]}, ()):
            body = spoil(base.obj, place, value)
            yield _put("status", f"{base.title}: {title}", base, body)
        yield from _beside(base)
        yield from _ways(base)


def _put(theme: str, name: str, base: Base, body: Object, **more: Any) -> Case:
    """The status replaced at the version that it has; many kinds take nothing else."""
    path = f"{base.collection}/{base.name}/status"
    version = {"version": "metadata.resourceVersion"}
    seen = Step(method="GET", path=path, save=version, compare=("status",))
    versioned = spoil(body, ("metadata", "resourceVersion"), "{version}")
    url = f"{path}?dryRun=All"
    step = Step(method="PUT", path=url, body=versioned, **more)
    return Case(theme=theme, name=name, steps=(seen, step), own_namespace=False)


def _bases() -> list[Base]:
    return read_bases(STATUSES.glob("*.yaml"))


def _beside(base: Base) -> Iterator[Case]:
    """Metadata and spec given to the status endpoint."""
    path = f"{base.collection}/{base.name}/status"
    for field, value in META.items():
        obj = base.changed(
            lambda obj, field=field, value=value: obj["metadata"].update({field: value})
        )
        yield _put("status meta", f"{base.title}: {field}", base, obj)
    for field in base.obj.keys() - {"apiVersion", "kind", "metadata", "status"}:
        obj = base.changed(lambda obj, field=field: obj.pop(field))
        yield _put("status meta", f"{base.title}: without {field}", base, obj)
    for name, body in (
        ("only metadata", {"metadata": META}),
        ("deletion", {"metadata": {"deletionTimestamp": "2020-01-01T00:00:00Z", "generation": 7}}),
        ("another name", {"metadata": {"name": "other"}}),
        ("no status", {"status": None}),
        ("an empty status", {"status": {}}),
        ("an unknown field", {"status": {"unheardOf": 1}}),
    ):
        url = f"{path}?dryRun=All&fieldManager=me"
        more = {"type": MERGE, "text": json.dumps(body)}
        yield one_step("status meta", f"{base.title}: {name}, patched", "PATCH", url, None, **more)


def _ways(base: Base) -> Iterator[Case]:
    """Verbs and forms."""
    path = f"{base.collection}/{base.name}/status"
    yield one_step("status forms", f"{base.title}: read", "GET", path, None)
    table = "application/json;as=Table;v=v1;g=meta.k8s.io"
    yield one_step("status forms", f"{base.title}: table", "GET", path, None, accept=table)
    yield one_step("status forms", f"{base.title}: posted", "POST", path, base.obj)
    yield one_step("status forms", f"{base.title}: deleted", "DELETE", path, None)
    url = f"{path}?dryRun=All&fieldManager=me"
    for form in ("yaml", "protobuf"):
        yield _put("status forms", f"{base.title}: {form}", base, base.obj, form=form)
    yield one_step("status forms", f"{base.title}: no version", "PUT", url, base.obj)
    head = {key: base.obj[key] for key in ("apiVersion", "kind")}
    applied = head | {"metadata": {"name": base.name}, "status": base.obj["status"]}
    more = {"type": "application/apply-patch+yaml", "text": json.dumps(applied)}
    force = f"{url}&force=true"
    yield one_step("status forms", f"{base.title}: applied", "PATCH", url, None, **more)
    yield one_step("status forms", f"{base.title}: forced", "PATCH", force, None, **more)
    missing = f"{base.collection}/missing/status"
    obj = base.changed(lambda obj: obj["metadata"].update(name="missing"))
    yield one_step("status forms", f"{base.title}: of a missing object", "PUT", missing, obj)
