from typing import Any

import pytest

from pykube_cp.machinery import schema
from pykube_cp.machinery.gvk import GVK
from pykube_cp.machinery.schema import Compiler, Field, Leaf, ListOf, MapOf, Scalar, Type, Visitor

POD = GVK("", "v1", "Pod")


def field(kind: GVK, *path: str) -> Field:
    found: Any = schema.type_of(kind)
    for step in path[:-1]:
        found = found.fields[step].type
        while isinstance(found, ListOf | MapOf):
            found = found.items if isinstance(found, ListOf) else found.values
    return found.fields[path[-1]]


def test_every_type_can_be_built_and_every_kind_has_one() -> None:
    for name in schema.type_names():
        assert schema.type_named(name).name == name
    for gvk in schema.kinds():
        assert schema.type_of(gvk)


def test_facts_of_a_list() -> None:
    ports = field(GVK("", "v1", "Service"), "spec", "ports")
    assert ports.list_type == "map"
    assert ports.list_map_keys == ["port", "protocol"]
    assert (ports.patch_strategy, ports.merge_key) == (("merge",), "port")
    assert ports.go_type == "[]v1.ServicePort"


def test_inlined_structs_stand_in_place() -> None:
    host_path = field(POD, "spec", "volumes", "hostPath")
    assert [(embed.go_name, embed.number) for embed in host_path.embeds] == [("VolumeSource", 2)]
    assert host_path.pointer
    assert not field(POD, "spec", "volumes", "name").embeds


def test_two_patch_strategies() -> None:
    strategy = field(GVK("apps", "v1", "Deployment"), "spec", "strategy")
    assert strategy.patch_strategy == ("retainKeys",)
    volumes = field(POD, "spec", "volumes")
    assert volumes.patch_strategy == ("merge", "retainKeys")


def test_go_types_of_named_scalars() -> None:
    assert field(POD, "spec", "restartPolicy").type == Scalar("string", "v1.RestartPolicy")
    modes = field(GVK("", "v1", "PersistentVolume"), "spec", "accessModes").type
    assert isinstance(modes, ListOf)
    assert modes.items.go_type == "v1.PersistentVolumeAccessMode"


def test_meta_kinds_belong_to_every_group() -> None:
    assert schema.type_of(GVK("apps", "v1", "DeleteOptions")).go_name == "DeleteOptions"
    assert schema.find(GVK("apps", "v1", "Pod")) is None
    with pytest.raises(KeyError):
        schema.type_of(GVK("apps", "v1", "Pod"))


class _Finder(Visitor[Any]):
    """Collects the values of every leaf of one name."""

    def __init__(self, leaf: str) -> None:
        self._leaf = leaf
        self.structs = 0

    def scalar(self, kind: Scalar | Leaf, field: Field | None) -> Any:
        return (lambda value: [value]) if kind.name == self._leaf else None

    def list_of(self, kind: ListOf, items: Any, field: Field | None) -> Any:
        return items and (lambda value: [found for item in value for found in items(item)])

    def map_of(self, kind: MapOf, values: Any, field: Field | None) -> Any:
        return values and (lambda value: [f for item in value.values() for f in values(item)])

    def struct(self, kind: Type, members: Any) -> Any:
        self.structs += 1
        if not members:
            return None

        def run(value: Any) -> list[Any]:
            present = [
                (plan, value[member.name]) for member, plan in members if member.name in value
            ]
            return [found for plan, item in present for found in plan(item)]

        return run


def test_plans_skip_branches_without_rules() -> None:
    visitor = _Finder("Quantity")
    compiler = Compiler(visitor)
    plan = compiler.compile(schema.type_of(POD))
    assert plan is not None
    pod = {"spec": {"containers": [{"resources": {"limits": {"cpu": "1"}}}], "nodeName": "n"}}
    assert plan(pod) == ["1"]
    compiled = visitor.structs
    compiler.compile(schema.type_of(POD))
    assert visitor.structs == compiled
    assert Compiler(_Finder("JSON")).compile(schema.type_of(POD)) is None


def test_plans_of_types_that_contain_themselves() -> None:
    crd = schema.type_of(GVK("apiextensions.k8s.io", "v1", "CustomResourceDefinition"))
    compiler = Compiler(_Finder("JSON"))
    plan = compiler.compile(crd)
    assert plan is not None
    inner = {"properties": {"a": {"allOf": [{"default": 1}]}}, "default": 2}
    versions = [{"schema": {"openAPIV3Schema": inner}}]
    assert sorted(plan({"spec": {"versions": versions}})) == [1, 2]
    assert Compiler(_Finder("Nothing")).compile(crd) is None
