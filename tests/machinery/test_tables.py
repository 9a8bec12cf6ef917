import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from pykube_cp.machinery import empties, schema, structural
from pykube_cp.machinery.gvk import GVK
from pykube_cp.machinery.schema import Compiler, Type
from pykube_cp.machinery.tables import Tables

POD = schema.type_of(GVK("", "v1", "Pod"))
NODE = schema.type_of(GVK("", "v1", "Node"))
KINDS = [schema.type_of(gvk) for gvk in schema.kinds()]


@pytest.fixture
def turns() -> Iterator[None]:
    """Threads take turns all the time."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


def test_another_thread_waits_until_a_table_is_filled() -> None:
    begun, asked = threading.Event(), threading.Event()

    def fill(kind: Type, table: list[str]) -> None:
        begun.set()
        asked.wait()
        table.extend(kind.fields)

    def ask() -> list[str]:
        asked.set()
        return [*tables.of(POD)]

    tables: Tables[list[str]] = Tables(lambda _kind: [], fill)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(tables.of, POD)
        begun.wait()
        assert pool.submit(ask).result() == first.result() == [*POD.fields]


def test_a_table_that_could_not_be_filled_is_made_anew() -> None:
    failures = [ValueError("x")]

    def fill(_kind: Type, table: list[str]) -> None:
        if failures:
            raise failures.pop()
        table.append("filled")

    tables: Tables[list[str]] = Tables(lambda _kind: [], fill)
    with pytest.raises(ValueError, match="x"):
        tables.of(POD)
    assert tables.of(NODE) == tables.of(POD) == ["filled"]


@pytest.mark.usefixtures("turns")
def test_threads_that_need_the_same_passes_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = [structural.zero(kind) for kind in KINDS]
    tables = Tables(structural.Struct, lambda _kind, made: made.compile())
    monkeypatch.setattr(structural, "_structs", tables)
    with ThreadPoolExecutor(4) as pool:
        found = [pool.submit(lambda: [*map(structural.zero, KINDS)]) for _ in range(4)]
        assert all(each.result() == expected for each in found)


@pytest.mark.usefixtures("turns")
def test_threads_that_need_the_same_plans_at_once() -> None:
    def compiled(compiler: Compiler[empties.Finder]) -> list[bool]:
        return [compiler.compile(kind) is not None for kind in KINDS]

    expected = compiled(Compiler(empties.Finders()))
    shared = Compiler(empties.Finders())
    with ThreadPoolExecutor(4) as pool:
        found = [pool.submit(compiled, shared) for _ in range(4)]
        assert all(each.result() == expected for each in found)
