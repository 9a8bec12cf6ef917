"""Templates within templates, which a feature gate keeps off; texts are upstream's."""

from typing import Any

from pykube_cp.machinery.field_errors import Path
from pykube_cp.resources.shared import workload_templates

COMPOSITES = "compositePodGroupTemplates"


def errors(spec: Any) -> list[str]:
    found = workload_templates.check(spec, Path("spec"))
    return [str(error).removeprefix(f"spec.{COMPOSITES}[0]") for error in found]


def composite(name: str, *below: Any, groups: tuple[str, ...] = ()) -> dict[str, Any]:
    made: dict[str, Any] = {"name": name}
    if below:
        made[COMPOSITES] = list(below)
    if groups:
        made["podGroupTemplates"] = [{"name": group} for group in groups]
    return made


def test_names_are_unique_in_the_whole_tree() -> None:
    inner = composite("inner", groups=("a", "b"))
    spec = {
        "podGroupTemplates": [{"name": "a"}],
        COMPOSITES: [composite("outer", inner)],
    }
    where = f".{COMPOSITES}[0].podGroupTemplates[0].name"
    assert errors(spec) == [f'{where}: Duplicate value: "a"']
    inner["podGroupTemplates"] = [{"name": "outer"}]
    assert errors(spec) == [f'{where}: Duplicate value: "outer"']


def test_trees_are_not_deep() -> None:
    tree = composite("d", groups=("a",))
    for name in "cb":
        tree = composite(name, tree)
    assert errors({COMPOSITES: [tree]}) == []
    [error] = errors({COMPOSITES: [composite("a1", tree)]})
    assert error.startswith(": Invalid value: [{")
    assert error.endswith(": maximum template hierarchy depth is 4")
