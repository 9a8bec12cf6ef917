"""Warnings, as cases say that upstream has them."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from pykube_cp.registry.strategy import WriteContext
from pykube_cp.resources import catalog
from pykube_cp.resources.shared import volume_updates
from pykube_cp.testing.fake_client import FakeClient

CASES = Path(__file__).parent.parent / "cases" / "warnings.yaml"
ROWS = {f"{row.api_version} {row.kind}": row for row in catalog.RESOURCES}


@pytest.mark.parametrize("case", yaml.safe_load(CASES.read_text()), ids=lambda case: case["name"])
def test_warnings(case: dict[str, Any]) -> None:
    context = WriteContext(client=FakeClient())
    strategy = ROWS[case["row"]].strategy
    if "old" in case:
        found = strategy.warnings_on_update(context, case["obj"], case["old"])
    else:
        found = strategy.warnings_on_create(context, case["obj"])
    assert found == case["warnings"]


def test_mount_options_are_for_volumes_that_have_any() -> None:
    key = "volume.beta.kubernetes.io/mount-options"
    volume: dict[str, Any] = {"metadata": {"annotations": {key: "x"}}, "spec": {"nfs": {}}}
    assert volume_updates.check_mount_options(volume) == []
    volume["spec"] = {"nfs": None, "csi": {}}
    [error] = volume_updates.check_mount_options(volume)
    assert str(error) == (
        f"metadata.annotations.{key}: Forbidden: may not specify mount options for this volume type"
    )
