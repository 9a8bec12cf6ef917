"""Spoiled objects are refused in upstream's words, in upstream's order."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from pykube_cp.machinery.gvk import GVK
from pykube_cp.resources.catalog import builtin
from tests.api.serving import Answer, Api

pytestmark = pytest.mark.asyncio(loop_scope="session")

CASES = Path(__file__).parents[1] / "cases/refusals"
KINDS = builtin({"api/all": "true"})
PATCHES = {
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
}


def recorded() -> list[Any]:
    return [
        pytest.param(
            each["base"], each["refused"], id=f"{file.stem}-{each['base']['kind']}-{place}"
        )
        for file in sorted(CASES.glob("*.yaml"))
        for place, each in enumerate(yaml.load(file.read_text(), _Loader))
    ]


class _Loader(yaml.CSafeLoader):
    """Times stay texts."""


_Loader.yaml_implicit_resolvers = {
    first: [each for each in found if each[0] != "tag:yaml.org,2002:timestamp"]
    for first, found in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def collection(base: Any) -> str:
    row = KINDS.kind(GVK.of(base))
    assert row is not None
    namespace = base["metadata"].get("namespace", "fixtures")
    below = f"/namespaces/{namespace}" if row.namespaced else ""
    root = f"/apis/{row.group}" if row.group else "/api"
    return f"{root}/{row.version}{below}/{row.plural}"


def spoiled(base: Any, case: Any) -> Any:
    obj = deepcopy(base)
    *above, last = case["at"]
    node = obj
    for part in above:
        node = node[part]
    if "gone" in case:
        del node[last]
    else:
        node[last] = case["to"]
    return obj


async def stored(api: Api, base: Any) -> str:
    """The version of the base once it is there, with its status if it has one."""
    path = collection(base)
    await api("DELETE", f"{path}/{base['metadata']['name']}")
    answer = await api("POST", path, base)
    assert answer.status == 201, answer.body
    if "status" in base:
        changed = deepcopy(base)
        changed["metadata"]["resourceVersion"] = answer.version
        answer = await api("PUT", f"{path}/{base['metadata']['name']}/status", changed)
        assert answer.status == 200, answer.body
    return answer.version


async def refused(api: Api, base: Any, case: Any, version: str) -> Answer:
    verb, path = case["verb"], collection(base)
    if verb in PATCHES:
        name = base["metadata"]["name"]
        return await api("PATCH", f"{path}/{name}?dryRun=All", case["to"], PATCHES[verb])
    obj = spoiled(base, case)
    meta = obj["metadata"]
    if verb == "create":
        meta["name"] += "-2"
        return await api("POST", f"{path}?dryRun=All", obj)
    meta["resourceVersion"] = version
    below = "/status" if verb == "status" else ""
    return await api("PUT", f"{path}/{meta['name']}{below}?dryRun=All", obj)


def _brief(found: list[str], wanted: list[str]) -> list[str]:
    """The same with dots for the rest of what is wanted only by its beginning."""
    wishes = (*wanted, *[""] * len(found))
    return [
        wish if wish.endswith("...") and text.startswith(wish[:-3]) else text
        for text, wish in zip(found, wishes, strict=False)
    ]


@pytest.mark.parametrize(("base", "cases"), recorded())
async def test_refused(everything: Api, base: Any, cases: list[Any]) -> None:
    version = await stored(everything, base)
    for case in cases:
        answer = await refused(everything, base, case, version)
        causes = answer.json.get("details", {}).get("causes", [])
        found = [f"{cause.get('field', '')}: {cause['message']}" for cause in causes]
        assert _brief(found, case["causes"]) == case["causes"], (case["verb"], case.get("at"))
