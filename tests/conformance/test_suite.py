import re
from pathlib import Path

import suite

LISTING = """\
The following spec names can be used with 'ginkgo run --focus/skip':
    ../x@v1/e2e/pods.go:12: [sig-node] Pods should (not) be + special [Conformance]
    ../x@v1/e2e/gc.go:9: [sig-api-machinery] GC keeps things [Conformance] [Serial]
    ../x@v1/e2e/other.go:3: [sig-node] Pods may fail
"""
PODS = "[sig-node] Pods should (not) be + special [Conformance]"
GC = "[sig-api-machinery] GC keeps things [Conformance] [Serial]"


def test_only_conformance_tests_are_listed_without_their_place() -> None:
    assert suite.parse_list(LISTING) == [PODS, GC]


def test_focus_selects_exactly_the_named_test() -> None:
    (flag,) = suite.focus_flags([PODS])
    pattern = flag.removeprefix("--focus=")
    assert re.search(pattern, f"Kubernetes e2e suite {PODS}")
    assert not re.search(pattern, f"{PODS} [Serial]")
    # Go's regexp refuses an escaped space, which re.escape would produce
    assert "\\ " not in pattern


def test_select_by_focus_and_skip() -> None:
    assert suite.select([PODS, GC], focus=r"\[sig-node\]") == [PODS]
    assert suite.select([PODS, GC], skip="GC") == [PODS]
    assert suite.select([PODS, GC]) == [PODS, GC]


def test_known_green_grows_and_keeps_its_comment(tmp_path: Path) -> None:
    path = tmp_path / "known_green.txt"
    path.write_text(f"# what passes\n{PODS}\n")
    assert suite.grow(path, [GC]) == [GC]
    assert path.read_text() == f"# what passes\n{GC}\n{PODS}\n"
    assert suite.grow(path, [PODS]) == []
    assert suite.read_names(path) == [GC, PODS]


def test_known_green_is_sorted_and_without_repetition(conformance: Path) -> None:
    names = suite.read_names(conformance / "known_green.txt")
    assert names == sorted(set(names))
