"""managedFields of a scale and of its object, after upstream's own test."""

from typing import Any

import pytest

from pykube_cp.machinery.apply.scale import to_parent, to_scale

PATHS = {"apps/v1": ("f:spec", "f:replicas")}
REPLICAS = {"f:spec": {"f:replicas": {}}}
BOTH = {"f:spec": {"f:replicas": {}, "f:selector": {}}}
SELECTOR = {"f:spec": {"f:selector": {}}}


def entry(
    manager: str, operation: str, version: str, fields: Any, subresource: str = ""
) -> dict[str, Any]:
    made = {
        "manager": manager,
        "operation": operation,
        "apiVersion": version,
        "fieldsType": "FieldsV1",
        "fieldsV1": fields,
    }
    return {**made, "subresource": subresource} if subresource else made


def test_only_who_manages_replicas_manages_the_scale() -> None:
    found = to_scale(
        [
            {**entry("one", "Apply", "apps/v1", BOTH), "time": "t"},
            entry("two", "Update", "apps/v1", SELECTOR),
            entry("three", "Apply", "apps/v10", REPLICAS),
        ],
        PATHS,
    )
    assert found == [{**entry("one", "Apply", "autoscaling/v1", REPLICAS), "time": "t"}]


@pytest.mark.parametrize("operation", ["Apply", "Update"])
def test_the_scale_takes_replicas_over(operation: str) -> None:
    parent = [entry("one", "Apply", "apps/v1", BOTH)]
    scale = [entry("two", operation, "autoscaling/v1", REPLICAS, "scale")]
    assert to_parent(parent, scale, PATHS, "apps/v1") == [
        entry("one", "Apply", "apps/v1", SELECTOR),
        entry("two", operation, "apps/v1", REPLICAS, "scale"),
    ]


@pytest.mark.parametrize("operation", ["Apply", "Update"])
def test_who_still_manages_the_scale_keeps_replicas(operation: str) -> None:
    parent = [entry("one", operation, "apps/v1", BOTH)]
    assert to_parent(parent, to_scale(parent, PATHS), PATHS, "apps/v1") == parent


def test_a_manager_left_with_nothing_goes() -> None:
    parent = [entry("one", "Apply", "apps/v1", REPLICAS), entry("x", "Apply", "apps/v9", BOTH)]
    scale = [entry("two", "Update", "autoscaling/v1", REPLICAS, "scale")]
    made = [entry("two", "Update", "apps/v1", REPLICAS, "scale")]
    assert to_parent(parent, scale, PATHS, "apps/v1") == made
