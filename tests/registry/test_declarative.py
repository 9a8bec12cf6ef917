from typing import Any

import pytest

from pykube_cp.machinery import declarations, schema
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.gvk import GVK
from pykube_cp.registry import declarative
from pykube_cp.registry.declarative import Declarations
from pykube_cp.resources import rules_catalog

CLAIM = GVK("resource.k8s.io", "v1", "ResourceClaim")
POD_GROUP = GVK("scheduling.k8s.io", "v1beta1", "PodGroup")


@pytest.fixture(autouse=True)
def installed() -> None:
    rules_catalog.install()


def errors(gvk: GVK, obj: Any, old: Any = None, **options: bool) -> list[str]:
    return [str(error) for error in declarative.validate(obj, gvk, old, options)]


def claim(**devices: Any) -> Any:
    return {"metadata": {}, "spec": {"devices": devices}}


def test_same_release_as_the_types() -> None:
    assert declarations.upstream_tag() == schema.upstream_tag()


@pytest.mark.parametrize("gvk", [gvk for gvk in schema.kinds() if gvk.version.startswith("v")])
def test_every_kind_compiles(gvk: GVK) -> None:
    options = dict.fromkeys(("TopologyAwareWorkloadScheduling", "DRAWorkloadResourceClaims"), True)
    assert isinstance(errors(gvk, {"metadata": {}}, None, **options), list)


def test_a_rule_that_stops_hides_the_others() -> None:
    requests = [{"name": "a"}, *({"name": "same"} for _ in range(32))]
    assert errors(CLAIM, claim(requests=requests)) == [
        "spec.devices.requests: Too many: 33: must have at most 32 items"
    ]


def test_duplicates_are_shown_in_the_order_of_the_type() -> None:
    request = {"exactly": {"count": 1, "deviceClassName": "c"}, "name": "same"}
    found = errors(CLAIM, claim(requests=[request, request]))
    shown = '{"name":"same","exactly":{"deviceClassName":"c","count":1}}'
    assert found == [f"spec.devices.requests[1]: Duplicate value: {shown}"]


def test_what_did_not_change_is_not_judged_again() -> None:
    bad = claim(constraints=[{"matchAttribute": "x"}])
    assert errors(CLAIM, bad)
    assert errors(CLAIM, bad, bad) == []


def test_immutable() -> None:
    changed = errors(CLAIM, claim(requests=[{"name": "a"}]), claim())
    assert changed == ["spec: Invalid value: null: field is immutable"]


def test_rules_behind_an_option() -> None:
    spec = {
        "schedulingPolicy": {"basic": {}},
        "disruptionMode": {"single": {}},
        "preemptionPolicy": "Never",
    }
    group = {"metadata": {}, "spec": spec}
    on = {"TopologyAwareWorkloadScheduling": False, "CompositePodGroup": False}
    where = "spec.preemptionPolicy"
    assert errors(POD_GROUP, group, **on, PodGroupPreemptionPolicy=False) == [f"{where}: Forbidden"]
    assert errors(POD_GROUP, group, **on, PodGroupPreemptionPolicy=True) == []
    undefined = 'Internal error: undefined validation option "PodGroupPreemptionPolicy"'
    assert errors(POD_GROUP, group, **on) == [f"{where}: {undefined}"]


def test_by_hand_gives_way_to_what_is_declared() -> None:
    path = Path("spec", "devices", "requests")
    covered = FieldError.too_many(path, 33, 32).by_declaration("maxItems")
    other = FieldError.too_many(path, 34, 32).with_origin("maxItems")
    unknown = FieldError.invalid(path, "x", "by hand").by_declaration()
    said = declarative.validate(
        claim(requests=[{"name": str(number)} for number in range(33)]), CLAIM, None, {}
    )
    assert declarative.merge([covered, other, unknown, other], said, Declarations()) == [
        other,
        unknown,
        *said,
    ]
