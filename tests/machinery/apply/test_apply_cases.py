"""Scripts of operations on one object, with what upstream's field manager makes of them."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pykube_cp.machinery import schema, structural
from pykube_cp.machinery.apply import fields, manager

CASES = Path(__file__).parents[2] / "cases" / "apply"
TIME = "2026-01-01T00:00:00Z"


def _cases() -> Iterator[Any]:
    for file in sorted(CASES.glob("*.yaml")):
        for case in yaml.safe_load(file.read_text()):
            yield pytest.param(case, id=f"{file.stem}: {case['name']}")


class Script:
    """The object of one case, as the operations leave it."""

    def __init__(self, case: dict[str, Any]) -> None:
        self.head = {"apiVersion": case["apiVersion"], "kind": case["kind"]}
        self.type = schema.type_named(case["type"]) if case.get("type") else None
        self.reset = {f"f:{name}": {} for name in case.get("reset", ())}
        live = case.get("live")
        self.live: dict[str, Any] | None = {**self.head, **live} if live else None

    def run(self, step: dict[str, Any]) -> None:
        operation = "update" if "update" in step else "apply"
        obj = {**self.head, **copy.deepcopy(step[operation])}
        arguments = {
            "described": self.type,
            "manager": step["manager"],
            "subresource": step.get("subresource", ""),
            "time": TIME,
            "api_version": self.head["apiVersion"],
            "reset_fields": self.reset,
        }
        before = copy.deepcopy((self.live, obj))
        if operation == "update":
            made = manager.update(self.live, self._sent(obj), **arguments)
        else:
            force = step.get("force", False)
            made = manager.apply(self.live, obj, force=force, **arguments)
        assert before == (self.live, obj)
        self.live = copy.deepcopy(made)
        self.live["metadata"]["uid"] = "u"

    def _sent(self, obj: dict[str, Any]) -> dict[str, Any]:
        obj = copy.deepcopy(obj)
        entries = obj["metadata"].get("managedFields")
        if self.type is not None:
            obj = structural.normalize(obj, self.type, strict=False)[0]
        if entries is None and self.live is not None:
            entries = self.live["metadata"].get("managedFields")
        if entries is not None:
            obj["metadata"]["managedFields"] = entries
        return obj

    def managers(self) -> dict[str, list[str]]:
        assert self.live is not None
        made = {}
        for entry in self.live["metadata"].get("managedFields", ()):
            parts = [entry["manager"], entry["operation"], entry["apiVersion"]]
            parts += [entry["subresource"]] if entry.get("subresource") else []
            parts += [] if "time" in entry else ["(no time)"]
            paths = fields.paths(entry["fieldsV1"])
            made[" ".join(parts)] = [fields.path_text(path) for path in paths]
        return made

    def object(self) -> dict[str, Any]:
        assert self.live is not None
        left_out = {"managedFields", "uid"}
        meta = {k: v for k, v in self.live["metadata"].items() if k not in left_out}
        return {k: v for k, v in self.live.items() if k not in self.head} | {"metadata": meta}


@pytest.mark.parametrize("case", list(_cases()))
def test_case(case: dict[str, Any]) -> None:
    script = Script(case)
    for step in case["steps"]:
        expect = step["expect"]
        if "error" in expect:
            with pytest.raises(manager.ApplyError) as caught:
                script.run(step)
            assert str(caught.value) == expect["error"]
            if isinstance(caught.value, manager.ApplyConflict):
                assert [cause["field"] for cause in caught.value.causes] == expect["fields"]
            continue
        script.run(step)
        assert script.managers() == expect["managers"]
        if "object" in expect:
            assert script.object() == expect["object"]
