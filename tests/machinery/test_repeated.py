"""Keys given twice, against what encoding/json makes of them (seen on kube-apiserver)."""

from typing import Any

import pytest

from pykube_cp.machinery import schema
from pykube_cp.machinery.codec.catalog import decode_body
from pykube_cp.machinery.gvk import GVK
from pykube_cp.machinery.repeated import overlaid

CASES: list[tuple[str, dict[str, Any]]] = [
    ('"data":{"a":"1"},"data":{"b":"2"}', {"data": {"a": "1", "b": "2"}}),
    ('"data":{"a":"1","a":"2"}', {"data": {"a": "2"}}),
    ('"data":{"a":"1"},"data":null', {}),
    ('"data":null,"data":{"b":"2"},"data":null,"immutable":true', {"immutable": True}),
    ('"immutable":true,"immutable":null', {}),
    ('"binaryData":{"a":"MQ=="},"binaryData":{"a":"Mg=="}', {"binaryData": {"a": "Mg=="}}),
]


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize(("members", "expected"), CASES)
def test_objects_go_on_top_of_what_was_there(
    members: str, expected: dict[str, Any], *, strict: bool
) -> None:
    body = f'{{"metadata":{{"name":"a"}},{members}}}'.encode()
    decoded = decode_body(
        "application/json", body, default=GVK("", "v1", "ConfigMap"), strict=strict
    )
    head = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
    assert decoded.obj == head | expected
    assert bool(decoded.strict_errors) is strict


def test_elements_of_lists_keep_members() -> None:
    body = b"""{"metadata": {"name": "a"}, "spec": {
        "containers": [{"name": "a", "image": "i"}, {"name": "c"}],
        "containers": [{"name": "b"}],
        "terminationGracePeriodSeconds": 3
    }, "spec": {"hostname": "h"}}"""
    pod = decode_body("application/json", body, default=GVK("", "v1", "Pod")).obj
    assert pod["spec"] == {
        "containers": [{"name": "b", "image": "i", "resources": {}}],
        "terminationGracePeriodSeconds": 3,
        "hostname": "h",
    }


def test_the_kind_is_found_in_any_case() -> None:
    body = b'{"APIVERSION": "v1", "kind": "ConfigMap", "Kind": "Secret"}'
    decoded = decode_body("application/json", body, default=GVK("", "v1", "ConfigMap"))
    assert decoded.gvk == GVK("", "v1", "Secret")


def test_what_came_before_is_not_copied_each_time() -> None:
    kind = schema.type_of(GVK("", "v1", "ConfigMap"))
    before = overlaid({"data": {"a": "1"}}, kind)
    data = before["data"]
    after = overlaid({"data": {}}, kind, before)
    assert after is before
    assert after["data"] is data
