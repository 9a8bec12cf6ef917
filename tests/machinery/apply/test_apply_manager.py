"""What scripts of operations cannot say: times, versions, broken bookkeeping."""

from typing import Any

import pytest

from pykube_cp.machinery import schema
from pykube_cp.machinery.apply import manager
from pykube_cp.machinery.apply.shapes import of_custom_resource
from pykube_cp.machinery.gvk import GVK

CONFIG_MAP = schema.type_of(GVK("", "v1", "ConfigMap"))
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def config_map(data: dict[str, str], **meta: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "c", **meta},
        "data": data,
    }


def apply(live: Any, obj: Any, name: str, time: str, **more: Any) -> dict[str, Any]:
    made = manager.apply(
        live,
        obj,
        **{
            "described": CONFIG_MAP,
            "manager": name,
            "force": False,
            "time": time,
            "api_version": "v1",
            **more,
        },
    )
    made["metadata"]["uid"] = "u"
    return made


def update(live: Any, obj: Any, name: str, time: str = "t") -> dict[str, Any]:
    return manager.update(
        live, obj, described=CONFIG_MAP, manager=name, time=time, api_version="v1"
    )


def test_only_what_changes_gets_a_new_time() -> None:
    first = apply(None, config_map({"a": "1"}), "one", "t1")
    same = apply(first, config_map({"a": "1"}), "one", "t2")
    assert same == first
    other = apply(same, config_map({"b": "1"}), "two", "t3")
    times = {entry["manager"]: entry["time"] for entry in other["metadata"]["managedFields"]}
    assert times == {"one": "t1", "two": "t3"}


def test_update_without_change_keeps_everything() -> None:
    live = update(None, config_map({"a": "1"}), "one", "t1")
    live["metadata"]["uid"] = "u"
    assert update(live, {**live}, "two", "t2") == live


def test_objects_without_managers_stay_so_on_update() -> None:
    live = config_map({"a": "1"}, uid="u")
    made = update(live, config_map({"a": "2"}, uid="u"), "one")
    assert "managedFields" not in made["metadata"]


def test_broken_managed_fields_of_the_client_do_not_replace_stored_ones() -> None:
    live = update(None, config_map({"a": "1"}), "one")
    live["metadata"]["uid"] = "u"
    broken = [{"manager": "x", "operation": "Update", "apiVersion": "v1", "fieldsType": "V2"}]
    sent = config_map({"a": "1"}, uid="u", managedFields=broken)
    made = update(live, sent, "two")
    assert made["metadata"]["managedFields"] == live["metadata"]["managedFields"]


def test_sent_fields_are_brought_into_their_one_form() -> None:
    live = config_map({}, uid="u")
    fields = {"f:x": {'k:{"b": 1, "a":"<"}': {}, "z:unknown": {}}, "f:y": {".": {}}}
    entry = {
        "manager": "x",
        "operation": "Update",
        "apiVersion": "v1",
        "fieldsType": "FieldsV1",
        "fieldsV1": fields,
    }
    made = update(live, config_map({}, uid="u", managedFields=[entry]), "two")
    (kept,) = made["metadata"]["managedFields"]
    assert kept["fieldsV1"] == {"f:x": {'k:{"a":"\\u003c","b":1}': {}}, "f:y": {}}


def test_kubectl_keeps_its_annotation_up_to_date() -> None:
    live = config_map({"a": "1"}, annotations={LAST_APPLIED: "{}"}, uid="u")
    made = apply(live, config_map({"b": "<"}), "kubectl", "t", force=True)
    assert made["metadata"]["annotations"][LAST_APPLIED] == (
        '{"apiVersion":"v1","data":{"b":"\\u003c"},"kind":"ConfigMap","metadata":{"name":"c"}}\n'
    )


def test_managers_of_other_versions() -> None:
    """A version that cannot be had is forgotten; one that can is compared in its own terms."""
    entries = [
        {
            "manager": version,
            "operation": "Update",
            "apiVersion": version,
            "time": "t",
            "fieldsType": "FieldsV1",
            "fieldsV1": {"f:data": {"f:a": {}}},
        }
        for version in ("v0", "v2")
    ]

    def convert(obj: Any, version: str) -> manager.Typed:
        if version == "v0":
            raise manager.UnknownVersionError(version)
        renamed = {name.upper(): value for name, value in (obj.get("data") or {}).items()}
        return manager.Typed(shape, {**obj, "apiVersion": version, "data": renamed})

    shape = of_custom_resource({"type": "object", "properties": {"data": {"type": "object"}}})
    live = config_map({"a": "1"}, managedFields=entries, uid="u")
    made = manager.update(
        live,
        config_map({"a": "2"}, managedFields=entries, uid="u"),
        described=CONFIG_MAP,
        manager="one",
        time="t",
        api_version="v1",
        convert=convert,
    )
    managers = [entry["manager"] for entry in made["metadata"]["managedFields"]]
    assert managers == ["one", "v2"]


def test_causes_of_a_conflict() -> None:
    live = update(None, config_map({"a": "1"}), "one")
    live["metadata"]["uid"] = "u"
    with pytest.raises(manager.ApplyConflict) as caught:
        apply(live, config_map({"a": "2"}), "two", "t")
    assert caught.value.causes == [
        {
            "reason": "FieldManagerConflict",
            "message": 'conflict with "one" using v1',
            "field": ".data.a",
        }
    ]


def test_fields_are_in_one_order_whoever_set_them() -> None:
    made = update(None, config_map({"b": "1", "a": "2"}, labels={"z": "1", "x": "2"}), "one")
    (entry,) = made["metadata"]["managedFields"]
    assert list(entry["fieldsV1"]) == ["f:data", "f:metadata"]
    assert list(entry["fieldsV1"]["f:data"]) == [".", "f:a", "f:b"]
    assert list(entry["fieldsV1"]["f:metadata"]["f:labels"]) == [".", "f:x", "f:z"]
