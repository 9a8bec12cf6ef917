"""Texts, numbers and patches, against what upstream's libraries made of them."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from pykube_cp.machinery import (
    addresses,
    json_patch,
    names,
    quantity,
    schema,
    selectors,
    strategic_patch,
)
from pykube_cp.machinery.field_errors import Path as FieldPath
from pykube_cp.machinery.gvk import GVK

CASES = Path(__file__).parents[1] / "cases"
X = FieldPath("x")

NAME_CHECKS = {
    "label": names.is_dns1123_label,
    "subdomain": names.is_dns1123_subdomain,
    "underscore": names.is_dns1123_subdomain_with_underscore,
    "1035": names.is_dns1035_label,
    "wild": names.is_wildcard_dns1123_subdomain,
    "key": names.is_qualified_name,
    "value": names.is_valid_label_value,
    "cid": names.is_cidentifier,
    "port": names.is_port_name,
    "env": names.is_env_var_name,
    "relaxed": names.is_relaxed_env_var_name,
    "cm": names.is_config_map_key,
    "percent": names.is_valid_percent,
    "header": names.is_http_header_name,
}


def cases(name: str) -> list[Any]:
    rows = yaml.safe_load((CASES / f"{name}.yaml").read_text())
    return [pytest.param(row, id=str(next(iter(row.values())))) for row in rows]


def texts(found: list[Any]) -> list[str] | None:
    return [error.error() for error in found] or None


@pytest.mark.parametrize("case", cases("quantity"))
def test_quantity(case: dict[str, Any]) -> None:
    if "error" in case:
        with pytest.raises(quantity.QuantityError) as caught:
            quantity.parse(case["text"])
        assert str(caught.value) == case["error"]
        return
    found = quantity.parse(case["text"])
    assert quantity.canonical(case["text"]) == case["canonical"]
    assert str(found + quantity.parse("1")) == case["plus one"]
    if "value" in case:
        assert (found.value(), found.milli_value()) == (case["value"], case["milli"])


@pytest.mark.parametrize("case", cases("label_selectors"))
def test_label_selector(case: dict[str, Any]) -> None:
    if "error" in case:
        with pytest.raises(selectors.SelectorError) as caught:
            selectors.parse(case["selector"])
        assert str(caught.value) == case["error"]
        return
    found = selectors.parse(case["selector"])
    assert str(found) == case["text"]
    assert found.matches({"a": "1", "b": "x"}) is case["matches a=1,b=x"]
    assert found.matches({"b": "", "in": "5"}) is case["matches b=,in=5"]


@pytest.mark.parametrize("case", cases("field_selectors"))
def test_field_selector(case: dict[str, Any]) -> None:
    if "error" in case:
        with pytest.raises(selectors.FieldSelectorError) as caught:
            selectors.parse_field_selector(case["selector"])
        assert str(caught.value) == case["error"]
        return
    assert str(selectors.parse_field_selector(case["selector"])) == case["text"]


@pytest.mark.parametrize("case", cases("addresses"))
def test_address(case: dict[str, Any]) -> None:
    if "ip" in case:
        value = case["ip"]
        legacy = addresses.is_valid_ip_for_legacy_field(X, value, strict=False)
        assert texts(addresses.is_valid_ip(X, value)) == case.get("strict")
        assert (addresses.warnings_for_ip(X, value) or None) == case.get("warn")
    else:
        value = case["cidr"]
        legacy = addresses.is_valid_cidr_for_legacy_field(X, value, strict=True)
        assert texts(addresses.is_valid_cidr(X, value)) == case.get("strict")
        assert (addresses.warnings_for_cidr(X, value) or None) == case.get("warn")
        assert texts(addresses.is_valid_interface_address(X, value)) == case.get("iface")
    assert texts(legacy) == case.get("legacy")


@pytest.mark.parametrize("case", cases("names"))
def test_name(case: dict[str, Any]) -> None:
    found = {kind: check(case["name"]) for kind, check in NAME_CHECKS.items()}
    assert {kind: wrong for kind, wrong in found.items() if wrong} == {
        kind: wrong for kind, wrong in case.items() if kind != "name"
    }


@pytest.mark.parametrize("case", cases("patch/json"))
def test_json_patch(case: dict[str, Any]) -> None:
    before = copy.deepcopy(case)
    patch = json_patch.compile_patch(case["patch"])
    if "error" in case:
        with pytest.raises(json_patch.PatchError) as caught:
            patch(case["document"])
        assert str(caught.value) == case["error"]
    else:
        assert patch(case["document"]) == case["result"]
        assert patch(case["document"]) == case["result"]
    assert case == before


@pytest.mark.parametrize("case", cases("patch/merge"))
def test_merge_patch(case: dict[str, Any]) -> None:
    before = copy.deepcopy(case)
    assert json_patch.merge_patch(case["document"], case["patch"]) == case["result"]
    assert case == before


@pytest.mark.parametrize("case", cases("patch/strategic"))
def test_strategic_patch(case: dict[str, Any]) -> None:
    before = copy.deepcopy(case)
    pod = schema.type_of(GVK("", "v1", "Pod"))
    if "error" in case:
        with pytest.raises(strategic_patch.PatchError) as caught:
            strategic_patch.apply(case["document"], case["patch"], pod)
        assert str(caught.value) == case["error"]
    else:
        assert strategic_patch.apply(case["document"], case["patch"], pod) == case["result"]
    assert case == before
