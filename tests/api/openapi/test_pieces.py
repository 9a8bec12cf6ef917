from dataclasses import replace
from typing import Any

import pytest
import yaml

from pykube_cp.api.openapi import fixed, operations, proto, proto_v2, proto_v3, v2, v3
from pykube_cp.api.openapi.definitions import Definitions
from pykube_cp.api.openapi.names import article, operation_id_and_tag
from pykube_cp.registry.catalog import Catalog
from pykube_cp.registry.descriptions import Descriptions
from pykube_cp.registry.resource import Resource
from pykube_cp.resources import core
from pykube_cp.resources.catalog import GROUPS, RESOURCES

POD = "io.k8s.api.core.v1.Pod"
WIDGET = Resource(
    group="stable.example.com", version="v1", kind="Widget", plural="widgets", is_custom=True
)


@pytest.mark.parametrize(
    ("name", "path", "found"),
    [
        ("listNamespacedPod", "/api/v1/namespaces/{namespace}/pods", "listCoreV1NamespacedPod"),
        ("deletecollectionPod", "/api/v1/pods", "deleteCoreV1CollectionPod"),
        ("getAPIGroup", "/apis/apps/", "getAppsAPIGroup"),
        ("getAPIVersions", "/apis/", "getAPIVersions"),
        (
            "readClusterRole",
            "/apis/rbac.authorization.k8s.io/v1/clusterroles/{name}",
            "readRbacAuthorizationV1ClusterRole",
        ),
    ],
)
def test_operation_ids(name: str, path: str, found: str) -> None:
    assert operation_id_and_tag(name, path)[0] == found


@pytest.mark.parametrize(
    ("noun", "found"), [("Pod", " a "), ("Event", " an "), ("Endpoints", " "), ("Class", " a ")]
)
def test_articles(noun: str, found: str) -> None:
    assert article(noun) == found


def test_operation_ids_are_unique() -> None:
    catalog = Catalog(RESOURCES, GROUPS, lambda _row: True)
    found = [operation for each in fixed.of_roots(catalog).values() for operation in each]
    for row in catalog.all():
        found += operations.of_row(row)
    assert len({operation.id for operation in found}) == len(found) > 1000


def test_parameters_that_all_operations_share_are_set_apart() -> None:
    document = v3.document(operations.of_row(core.POD), definitions(3), "api/v1")
    path = document["paths"]["/api/v1/namespaces/{namespace}/pods/{name}"]
    assert [parameter["name"] for parameter in path["parameters"]] == [
        "name",
        "namespace",
        "pretty",
    ]
    assert "parameters" not in path["get"]
    assert [found["name"] for found in path["patch"]["parameters"]] == [
        "dryRun",
        "fieldManager",
        "fieldValidation",
        "force",
    ]
    log = document["paths"]["/api/v1/namespaces/{namespace}/pods/{name}/log"]
    assert "sinceSeconds" in {parameter["name"] for parameter in log["parameters"]}
    assert "sinceTime" not in {parameter["name"] for parameter in log["parameters"]}


def test_parameters_have_upstreams_hashed_names() -> None:
    document = v2.document(operations.of_row(core.POD), definitions(2))
    path = document["paths"]["/api/v1/namespaces/{namespace}/pods"]
    # Upstream's names: they are the same as long as the parameters are, byte for byte.
    names = {parameter["$ref"] for parameter in path["parameters"]}
    assert names == {"#/parameters/namespace-vgWSWtn3", "#/parameters/pretty-tJGM1-ng"}
    assert "body-2Y1dVQaQ" in document["parameters"]
    assert "body-78PwaGsr" in document["parameters"]


def definitions(version: int, **said: Any) -> Definitions:
    return Definitions(version, Descriptions(**said))


def test_references_with_siblings() -> None:
    said = {"fields": {POD: {"spec": "What it should be."}}}
    third = definitions(3, **said).closure([POD])[POD]["properties"]
    name = "io.k8s.api.core.v1.PodSpec"
    assert third["spec"] == {
        "allOf": [{"$ref": f"#/components/schemas/{name}"}],
        "description": "What it should be.",
        "default": {},
    }
    second = definitions(2, **said).closure([POD])[POD]["properties"]
    assert second["spec"] == {
        "$ref": f"#/definitions/{name}",
        "description": "What it should be.",
    }


def test_possible_values_are_listed_after_the_text() -> None:
    name = "io.k8s.api.core.v1.ContainerPort"
    said = {"fields": {name: {"protocol": "Which."}}}
    found = definitions(3, **said).closure([name])[name]["properties"]["protocol"]
    assert found["description"] == (
        'Which.\n\nPossible enum values:\n - `"SCTP"`\n - `"TCP"`\n - `"UDP"`'
    )
    assert "description" not in definitions(3).closure([name])[name]["properties"]["protocol"]


def test_kinds_of_all_groups_are_narrowed_in_version_3_only() -> None:
    rows = [row for row in RESOURCES if row.group == "apps"]
    found = [operation for row in rows for operation in operations.of_row(row)]
    name = "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions"
    key = "x-kubernetes-group-version-kind"
    third = v3.document(found, definitions(3), "apis/apps/v1")["components"]["schemas"][name]
    assert [kind["group"] for kind in third[key]] == ["", "apps"]
    assert len(v2.document(found, definitions(2))["definitions"][name][key]) > 50


def test_custom_kinds() -> None:
    made = Definitions(3, Descriptions(), [WIDGET])
    document = v3.document(operations.of_row(WIDGET), made, "apis/stable.example.com/v1")
    schemas = document["components"]["schemas"]
    name = "com.example.stable.v1.Widget"
    assert schemas[name]["x-kubernetes-group-version-kind"][0]["kind"] == "Widget"
    items = schemas[f"{name}List"]["properties"]["items"]["items"]
    assert items == {"$ref": f"#/components/schemas/{name}"}
    assert "io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta" in schemas
    patch = document["paths"]["/apis/stable.example.com/v1/namespaces/{namespace}/widgets/{name}"][
        "patch"
    ]
    assert set(patch["requestBody"]["content"]) == {
        "application/json-patch+json",
        "application/merge-patch+json",
        "application/apply-patch+yaml",
    }
    assert set(patch["responses"]["200"]["content"]) == {"application/json", "application/yaml"}


def test_deleted_objects_are_given_back_where_upstream_says_so() -> None:
    def gives(row: Resource) -> str:
        found = {operation.action: operation for operation in operations.of_row(row)}
        return found["delete"].answers[0][2].rpartition(".")[2]

    assert [gives(row) for row in (core.POD, core.CONFIG_MAP, core.NAMESPACE)] == [
        "Pod",
        "Status",
        "Status",
    ]


def message(number: int, *parts: bytes) -> bytes:
    """A field of bytes; all that these tests write is short."""
    data = b"".join(parts)
    return bytes((number << 3 | 2, len(data))) + data


def test_protobuf_of_version_2() -> None:
    operation = {"tags": ["a"], "responses": {"200": {"description": "OK"}}, "x-k": "get"}
    document = {
        "swagger": "2.0",
        "info": {"title": "T", "version": "1"},
        "paths": {"/p": {"get": operation}},
        "definitions": {"D": {"type": "object", "additionalProperties": {"type": "string"}}},
        "security": [{"B": []}],
    }
    response = message(1, message(1, b"200"), message(2, message(1, message(1, b"OK"))))
    extension = message(13, message(1, b"x-k"), message(2, message(2, b"get\n")))
    get = message(2, message(1, b"a"), message(9, response), extension)
    encoded = proto_v2.DOCUMENT(document)
    assert encoded.startswith(message(1, b"2.0") + message(2, message(1, b"T"), message(2, b"1")))
    assert message(8, message(2, message(1, b"/p"), message(2, get))) in encoded
    assert b"\xaa\x01\x0d\x0a\x0b\xb2\x01\x08\x0a\x06string" in encoded
    assert encoded.endswith(message(12, message(1, message(1, b"B"), message(2))))


@pytest.mark.parametrize(
    "value",
    ["", "map", "merge,retainKeys", "true", "*", "it's", "a: b", "two\nlines", "1", "No", "é"],
)
def test_yaml_texts_read_back(value: str) -> None:
    assert yaml.safe_load(proto.yaml(value)) == value


def test_yaml_as_go_writes_it() -> None:
    kinds = [{"group": "", "kind": "Pod", "version": "v1"}]
    assert proto.yaml(kinds) == '- group: ""\n  kind: Pod\n  version: v1'
    unions = [{"discriminator": "type", "fields-to-discriminateBy": {"a": "A"}}]
    assert proto.yaml(unions) == ("- discriminator: type\n  fields-to-discriminateBy:\n    a: A")
    nested = {"a": {"b": ["c", {"d": True}]}, "e": [], "f": "*"}
    assert yaml.safe_load(proto.yaml(nested)) == nested


def test_defaults_of_version_3_keep_their_kind() -> None:
    schema = {"components": {"schemas": {"S": {"default": False}}}}
    assert proto_v3.DOCUMENT(schema).endswith(b"\x8a\x02\x02\x10\x00")
    schema["components"]["schemas"]["S"] = {"default": ""}  # type: ignore[dict-item]
    assert proto_v3.DOCUMENT(schema).endswith(b"\x8a\x02\x02\x1a\x00")
    schema["components"]["schemas"]["S"] = {"default": {}}  # type: ignore[dict-item]
    assert proto_v3.DOCUMENT(schema).endswith(b"\x8a\x02\x00")


def test_rows_without_watch_are_only_listed() -> None:
    row = replace(core.CONFIG_MAP, verbs=("get", "list"))
    found = {operation.id: operation for operation in operations.of_row(row)}
    assert found["listCoreV1NamespacedConfigMap"].description == "list objects of kind ConfigMap"
    assert not any(identifier.startswith("watch") for identifier in found)
