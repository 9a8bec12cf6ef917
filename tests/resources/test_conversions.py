"""The same object in several versions."""

from copy import deepcopy
from typing import Any

import pytest

from pykube_cp.machinery.gvk import GVK
from pykube_cp.resources.catalog import builtin
from tests.api.serving import Api
from tests.resources.test_refusals import collection, recorded

CATALOG = builtin({"api/all": "true"})


def converted() -> list[Any]:
    """Each recorded base with the versions that its kind has besides."""
    found = []
    for param in recorded():
        base = param.values[0]
        own = CATALOG.kind(GVK.of(base))
        assert own is not None
        for row in CATALOG.all():
            if (row.group, row.kind) == (own.group, own.kind) and row.version != own.version:
                found.append(pytest.param(base, row.version, id=f"{param.id}-{row.version}"))
    return found


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize(("base", "version"), converted())
async def test_there_and_back(everything: Api, base: Any, version: str) -> None:
    """What was written in one version and read in another can be written in that as it is."""
    obj = deepcopy(base)
    obj["metadata"]["name"] += "-converted"
    path, name = collection(obj), obj["metadata"]["name"]
    other = path.replace(f"/{base['apiVersion'].rpartition('/')[2]}/", f"/{version}/")
    if (await everything("POST", path, obj)).status != 201:
        pytest.skip("named after what it is about")
    before = (await everything("GET", f"{path}/{name}")).json
    seen = (await everything("GET", f"{other}/{name}")).json
    assert seen["apiVersion"] == f"{base['apiVersion'].partition('/')[0]}/{version}"
    answer = await everything("PUT", f"{other}/{name}", seen)
    if "pkixPublicKey" in base["spec"]:
        assert answer.status == 422  # v1 has no such field
    else:
        assert answer.status == 200, answer.body
        after = (await everything("GET", f"{path}/{name}")).json
        for each in (before, after):
            del each["metadata"]["managedFields"]
        assert after == before
    await everything("DELETE", f"{path}/{name}")
