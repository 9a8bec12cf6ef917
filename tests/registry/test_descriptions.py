import importlib
from pathlib import Path

import orjson
import pytest

from pykube_cp.machinery import schema
from pykube_cp.registry import descriptions, table
from pykube_cp.resources.catalog import RESOURCES

POD = "io.k8s.api.core.v1.Pod"
LIST_OPTIONS = "io.k8s.apimachinery.pkg.apis.meta.v1.ListOptions"
CLIENT = """
class CoreV1Api:
    def list_namespace(
        self,
        pretty: Annotated[Optional[StrictStr], Field(description="Nicely.")] = None,
        _continue: Annotated[Optional[StrictStr], Field(description="Go \\"on\\".  Or not.")] = None,
        limit: Annotated[Optional[Annotated[int, Field(ge=0)]], Field(description="So many.")] = None,
        async_req: Optional[bool] = None,
    ) -> None:
        pass
    def read_namespaced_pod_log(
        self,
        tail_lines: Annotated[Optional[StrictInt], Field(description="The last.  Lines.")] = None,
    ) -> None:
        pass
"""


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Packages that may be read but not imported."""
    for name in ("kubernetes_validate", "kubernetes"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise AssertionError")
    for version, text in (("1.36.4", "old"), ("1.37.0", "ours"), ("1.38.0", "new")):
        add(tmp_path, version, text)
    client = tmp_path / "kubernetes/client/api"
    client.mkdir(parents=True)
    (client / "core_v1_api.py").write_text(CLIENT)
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    monkeypatch.delitem(importlib.sys.modules, "kubernetes", raising=False)  # type: ignore[attr-defined]
    return tmp_path


def add(folder: Path, version: str, text: str) -> None:
    made = {POD: {"description": text, "properties": {"spec": {"description": f"{text}\n\nspec"}}}}
    schemas = folder / f"kubernetes_validate/kubernetes-json-schema/v{version}-local"
    schemas.mkdir(parents=True)
    (schemas / "_definitions.json").write_bytes(orjson.dumps({"$defs": made}))


def test_the_schemas_of_our_release_are_read(packages: Path) -> None:
    found = descriptions.load()
    assert found.of_type(POD) == "ours"
    assert found.of_field(POD, "spec") == "ours\n\nspec"
    assert (found.of_type("x"), found.of_field(POD, "x"), found.of_field("x", "x")) == ("", "", "")


def test_parameters_are_read_from_the_client(packages: Path) -> None:
    found = descriptions.load()
    assert found.of_parameter(LIST_OPTIONS, "continue") == 'Go "on".\n\nOr not.'
    assert found.of_parameter(LIST_OPTIONS, "limit") == "So many."
    assert found.of_parameter(LIST_OPTIONS, "pretty") == "Nicely."
    log = "io.k8s.api.core.v1.PodLogOptions"
    assert found.of_parameter(log, "tailLines") == "The last.  Lines."
    assert found.of_parameter(log, "follow") == ""


def test_parameters_that_are_fields_of_a_known_type(packages: Path) -> None:
    assert descriptions.load().of_parameter(POD, "spec") == "ours\n\nspec"


def test_unreadable_packages_are_passed_over(
    packages: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for file in packages.glob("kubernetes_validate/*/*/_definitions.json"):
        file.write_text("{")
    assert descriptions.load() == descriptions.Descriptions()
    assert "cannot be read" in caplog.text


def test_without_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(descriptions, "find_spec", lambda name: None)
    assert descriptions.load() == descriptions.Descriptions()


def test_fields_by_their_short_places(packages: Path) -> None:
    found = descriptions.of_fields({"core.v1.Pod.spec", "core.v1.Pod.nothing"})
    assert found == {"core.v1.Pod.spec": "ours\n\nspec", "core.v1.Pod.nothing": ""}


def test_a_type_by_its_short_place(packages: Path) -> None:
    said = descriptions.load().of_type(POD)
    assert said
    assert descriptions.of_fields({"core.v1.Pod."}) == {"core.v1.Pod.": said}


def test_fields_without_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(descriptions, "find_spec", lambda name: None)
    assert descriptions.of_fields({"core.v1.Pod.spec"}) == {"core.v1.Pod.spec": ""}


def test_columns_name_fields_that_there_are() -> None:
    places = {
        column.described_by
        for row in RESOURCES
        for column in table.columns_of(row)
        if column.described_by
    }
    assert len(places) > 90
    for place in places:
        type_name, _, field = descriptions.full_name(place).rpartition(".")
        known = schema.type_named(type_name).fields
        assert not field or field in known, place
