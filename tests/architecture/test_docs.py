import re
from pathlib import Path

import pytest

from pykube_cp.admission.catalog import PLUGINS as ADMISSION_PLUGINS
from pykube_cp.api.pipeline import FILTERS
from pykube_cp.cli.main import COMMANDS
from pykube_cp.controllers.catalog import CONTROLLERS
from pykube_cp.scheduler.catalog import PLUGINS as SCHEDULER_PLUGINS

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "pykube_cp"
NAMES = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md")
DOCUMENTS = [ROOT / name for name in NAMES] + sorted((ROOT / "docs").rglob("*.md"))
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")
PATH = re.compile(r"[\w.-]+(/[\w.-]+)*(/|\.(py|md|sh|txt|toml|yaml|json))")
LINK = re.compile(r"\]\(([^)#:]+)\)")

documents = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)


def named_paths(text: str) -> list[str]:
    spans = SPAN.findall(FENCE.sub("", text))
    return [span for span in spans if PATH.fullmatch(span) and "NAME" not in span]


def code_of(text: str) -> str:
    """Spans, fences and indented lines."""
    indented = [line for line in text.splitlines() if line.startswith("    ")]
    return "\n".join([*SPAN.findall(text), *FENCE.findall(text), *indented])


def tree_of(text: str) -> list[str]:
    """Paths of the drawn tree: each line's first word, below the lines it is indented under."""
    fence = FENCE.search(text, text.index("## The house"))
    assert fence is not None
    found: list[str] = []
    above: list[str] = []
    for line in fence.group().splitlines()[1:-1]:
        depth = (len(line) - len(line.lstrip())) // 2
        above[depth:] = [line.split()[0]]
        found.append("".join(above))
    return found


def section(text: str, title: str) -> str:
    return text.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]


@documents
def test_every_path_named_is_there(document: Path) -> None:
    paths = named_paths(document.read_text())
    missing = {
        path
        for path in paths
        if not any((base / path).exists() for base in (ROOT, PACKAGE, document.parent))
    }
    assert not missing


@documents
def test_every_link_leads_somewhere(document: Path) -> None:
    links = LINK.findall(document.read_text())
    assert not {link for link in links if not (document.parent / link).exists()}


def test_the_tree_is_there_and_whole() -> None:
    tree = tree_of((ROOT / "ARCHITECTURE.md").read_text())
    assert not {path for path in tree if not (ROOT / path).exists()}
    packages = {f"pykube_cp/{path.parent.name}/" for path in PACKAGE.glob("*/__init__.py")}
    assert packages <= set(tree)


def test_the_layers_are_those_of_the_contract() -> None:
    contract = (ROOT / ".importlinter").read_text().partition("layers =\n")[2]
    held = [line.strip() for line in contract.partition("exhaustive")[0].splitlines()]
    drawn = section((ROOT / "ARCHITECTURE.md").read_text(), "Layers").split("```")[1]
    assert drawn.strip().splitlines() == [line.replace("pykube_cp.", "") for line in held if line]


@pytest.mark.parametrize("name", ["ARCHITECTURE.md", "docs/request.md"])
def test_the_filters_are_printed_in_their_order(name: str) -> None:
    rows = [line for line in (ROOT / name).read_text().splitlines() if line.startswith("| ")]
    steps = [row for row in rows if re.search(r"`api/filters/\w+\.py` \|", row)]
    printed = [match.group(1) for row in steps if (match := re.search(r"filters/(\w+)\.py", row))]
    assert printed == [page.__name__.rpartition(".")[2] for page in FILTERS]


@documents
def test_every_command_named_is_there(document: Path) -> None:
    code = code_of(document.read_text())
    files = [ROOT / "Makefile", *ROOT.glob("*/Makefile.inc")]
    made = "\n".join(file.read_text() for file in files)
    targets = set(re.findall(r"^([a-z-]+):", made, re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z][a-z-]*)", code)) <= targets
    commands = {page.__name__.rpartition(".")[2].replace("_", "-") for page in COMMANDS}
    assert set(re.findall(r"\bpykube-cp ([a-z][a-z-]*)", code)) <= commands


def test_what_is_said_to_be_missing_is_missing() -> None:
    listed = section((ROOT / "docs" / "compatibility.md").read_text(), "Not there")
    said = {row.split("|")[1].strip(): set(SPAN.findall(row)) for row in listed.splitlines() if row}
    there = {
        "admission plugins": {plugin.name for plugin in ADMISSION_PLUGINS} - {"NodeRestriction"},
        "controllers": {controller.name for controller in CONTROLLERS},
        "scheduler plugins": {entry.name for entry in SCHEDULER_PLUGINS},
    }
    for family, names in there.items():
        assert said[family], family
        assert not said[family] & names, family
