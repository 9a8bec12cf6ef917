"""Scripts of requests with what kube-apiserver answered: code, message, warnings, owners, what is shown."""

import base64
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest

from pykube_cp.machinery.codec import yaml_rules
from tests.api.serving import Answer, Api

pytestmark = pytest.mark.asyncio(loop_scope="session")

CASES = Path(__file__).parents[1] / "cases" / "answers"
TYPES = {
    "json": "application/json",
    "json-patch": "application/json-patch+json",
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "apply": "application/apply-patch+yaml",
}


def _cases() -> Iterator[Any]:
    for file in sorted(CASES.glob("*.yaml")):
        for case in yaml_rules.loads(file.read_bytes()):
            yield pytest.param(case, id=f"{file.stem}: {case['name']}")


def _filled(value: Any, known: Mapping[str, str]) -> Any:
    """With ``{name}`` replaced by what is known under that name."""
    text = orjson.dumps(value).decode()
    for name, found in known.items():
        text = text.replace("{" + name + "}", found)
    return orjson.loads(text)


@pytest.mark.parametrize("case", list(_cases()))
async def test_answers_are_those_of_upstream(api: Api, case: dict[str, Any]) -> None:
    namespace = (await api.namespace()).rpartition("/")[2]
    known = {"ns": namespace}
    for number, step in enumerate(case["steps"], 1):
        answer = await _sent(api, step, known)
        where = f"step {number}: {step['do']}"
        assert answer.status == step["status"], (where, answer.body)
        if "message" in step:
            assert answer.message == step["message"], where
        expected = [f"299 - {text}" for text in step.get("warnings", ())]
        assert answer.warnings == expected, where
        if "owned" in step:
            assert _owned(answer) == step["owned"], where
        for path, value in step.get("shown", {}).items():
            assert _at(answer.json, path) == value, (where, path)
        for name, path in step.get("save", {}).items():
            known[name] = str(_at(answer.json, path))


async def _sent(api: Api, step: dict[str, Any], known: Mapping[str, str]) -> Answer:
    method, path = _filled(step["do"], known).split(" ")
    body: Any = _filled(step["body"], known) if step.get("body") is not None else None
    if "base64" in step:
        body = base64.b64decode(step["base64"])
    if "text" in step:
        body = _filled(step["text"], known).encode()
    kind = step.get("type", TYPES[step.get("form", "json")])
    headers = {"Accept": step.get("accept", "application/json"), **step.get("headers", {})}
    body = body if body is None or isinstance(body, bytes) else orjson.dumps(body)
    return await api(method, path, body, kind, user=step.get("as", "admin"), **headers)


def _at(value: Any, path: str) -> Any:
    for part in path.split("."):
        value = value.get(part, {})
    return value


def _owned(answer: Answer) -> dict[str, str]:
    entries = answer.json["metadata"].get("managedFields", ())
    return {_manager(entry): _fields(entry) for entry in entries}


def _manager(entry: dict[str, Any]) -> str:
    names = ("manager", "operation", "apiVersion", "subresource")
    return " ".join(entry[name] for name in names if entry.get(name))


def _fields(entry: dict[str, Any]) -> str:
    return orjson.dumps(entry.get("fieldsV1"), option=orjson.OPT_SORT_KEYS).decode()
