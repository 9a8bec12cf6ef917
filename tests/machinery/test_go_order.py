"""The order in which Go writes the members of an object."""

import json

from pykube_cp.machinery import schema
from pykube_cp.machinery.go_order import in_go_order
from pykube_cp.machinery.gvk import GVK

POD = schema.type_of(GVK("", "v1", "Pod"))


def test_members_stand_as_they_are_declared_and_keys_of_maps_sorted() -> None:
    pod = {
        "spec": {"containers": [{"image": "i", "name": "c"}], "volumes": []},
        "metadata": {"labels": {"b": "1", "a": "2"}, "name": "p"},
        "kind": "Pod",
        "apiVersion": "v1",
    }
    assert json.dumps(in_go_order(pod, POD)) == json.dumps(
        {
            "kind": "Pod",
            "apiVersion": "v1",
            "metadata": {"name": "p", "labels": {"a": "2", "b": "1"}},
            "spec": {"volumes": [], "containers": [{"name": "c", "image": "i"}]},
        }
    )


def test_sets_of_fields_stand_in_the_order_of_their_elements() -> None:
    fields = {"f:b": {}, 'k:{"name":"a"}': {"f:name": {}, ".": {}}, "f:a": {}, ".": {}}
    pod = {"metadata": {"managedFields": [{"fieldsV1": fields}]}}
    (entry,) = in_go_order(pod, POD)["metadata"]["managedFields"]
    assert list(entry["fieldsV1"]) == [".", "f:a", "f:b", 'k:{"name":"a"}']
    assert list(entry["fieldsV1"]['k:{"name":"a"}']) == [".", "f:name"]
