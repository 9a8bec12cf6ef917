"""Other forms of objects: Table for people, metadata only for those who need no more."""
# upstream: apiserver pkg/endpoints/handlers/response.go transformObject

from collections.abc import Callable, Sequence

from pykube_cp.machinery import schema, structural
from pykube_cp.machinery.gvk import GVK
from pykube_cp.machinery.objects import Object
from pykube_cp.registry import table as tables
from pykube_cp.registry.resource import Resource, TableRow


def partial(resource: Resource, api_version: str) -> Callable[[Object], Object]:
    """From an object to its PartialObjectMetadata."""
    hidden = resource.hidden_annotations

    def run(obj: Object) -> Object:
        return {
            "kind": "PartialObjectMetadata",
            "apiVersion": api_version,
            "metadata": _without(hidden, obj["metadata"]) if hidden else obj["metadata"],
        }

    return run


def _without(hidden: Sequence[str], metadata: Object) -> Object:
    kept = {
        key: value
        for key, value in (metadata.get("annotations") or {}).items()
        if key not in hidden
    }
    shown = {key: value for key, value in metadata.items() if key != "annotations"}
    return shown | {"annotations": kept} if kept else shown


def table(
    resource: Resource,
    api_version: str,
    include: str,
    objects: Sequence[Object],
    metadata: Object,
    *,
    listed: bool = True,
    stored: bool = True,
) -> Object:
    """A Table; ``include`` says what of each object goes with its row: None, Metadata, Object."""
    rows = [
        _row(resource, row, include, api_version)
        for row in tables.rows(resource, objects, listed=listed, stored=stored)
    ]
    return {
        "kind": "Table",
        "apiVersion": api_version,
        "metadata": metadata,
        "columnDefinitions": tables.definitions(resource),
        # Kinds without columns of their own go another way upstream, which shows where there are none.
        "rows": rows or ([] if resource.columns and not resource.null_rows else None),
    }


def table_of_one(
    resource: Resource, api_version: str, include: str, *, stored: bool
) -> Callable[[Object], Object]:
    """From an object, as it is stored or served, to a Table with one row."""

    def run(obj: Object) -> Object:
        metadata = {"resourceVersion": obj["metadata"].get("resourceVersion", "")}
        return table(resource, api_version, include, [obj], metadata, listed=False, stored=stored)

    return run


def empty_table(api_version: str, metadata: Object) -> Object:
    """What a bookmark is for those who watch a Table."""
    row = {
        "cells": [],
        "object": {
            "kind": "PartialObjectMetadata",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": metadata,
        },
    }
    return {
        "kind": "Table",
        "apiVersion": api_version,
        "metadata": {"resourceVersion": metadata["resourceVersion"]},
        "columnDefinitions": None,
        "rows": [row],
    }


def complete(obj: Object, gvk: GVK) -> Object:
    """With the empty members that Go writes for the kind; custom kinds stay as they are."""
    kind = schema.find(gvk)
    if kind is None:
        return obj
    full, _ = structural.normalize(obj, kind, strict=False)
    return {"kind": gvk.kind, "apiVersion": gvk.api_version, **full}


def _row(resource: Resource, row: TableRow, include: str, api_version: str) -> Object:
    made: Object = {"cells": row.cells}
    if row.conditions:
        made["conditions"] = list(row.conditions)
    if include == "Object":
        made["object"] = row.obj
    else:
        made["object"] = partial(resource, api_version)(row.obj) if include != "None" else None
    return made
