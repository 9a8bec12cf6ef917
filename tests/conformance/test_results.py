from pathlib import Path

import results
from results import Outcome, Result

JUNIT = """<?xml version="1.0"?>
<testsuites><testsuite>
<testcase name="[SynchronizedBeforeSuite]" status="passed" time="1"/>
<testcase name="[It] a [Conformance] [sig-node, Conformance]" status="passed" time="2.5"/>
<testcase name="[It] b [Conformance]" status="failed" time="3">
  <failure message="it&#10;  broke" type="failed">trace</failure></testcase>
<testcase name="[It] c [Conformance]" status="skipped" time="0">
  <skipped message="skipped - needs two nodes"/></testcase>
<testcase name="[It] d [Conformance]" status="skipped" time="0">
  <skipped message="skipped"/></testcase>
<testcase name="[It] e [Conformance]" status="interrupted" time="9">
  <error message="interrupted"/></testcase>
<testcase name="[It] f [Conformance]" status="panicked" time="1">
  <error message="nil map"/></testcase>
</testsuite></testsuites>
"""


def read(tmp_path: Path) -> dict[str, Result]:
    path = tmp_path / "junit.xml"
    path.write_text(JUNIT)
    return results.read_junit(path)


def test_junit_without_what_was_left_out_or_interrupted(tmp_path: Path) -> None:
    assert list(read(tmp_path).values()) == [
        Result("a [Conformance]", Outcome.PASS, 2.5),
        Result("b [Conformance]", Outcome.FAIL, 3, "it broke"),
        Result("c [Conformance]", Outcome.SKIP, 0, "skipped - needs two nodes"),
        Result("f [Conformance]", Outcome.FAIL, 1, "nil map"),
    ]


def test_a_file_that_is_cut_off_has_no_results(tmp_path: Path) -> None:
    path = tmp_path / "junit.xml"
    path.write_text(JUNIT[:200])
    assert results.read_junit(path) == {}
    assert results.read_junit(tmp_path / "missing.xml") == {}


def test_table_is_read_back(tmp_path: Path) -> None:
    found = read(tmp_path)
    results.write_tsv(tmp_path / "results.tsv", found.values())
    assert results.read_tsv(tmp_path / "results.tsv") == found


def test_a_test_without_result_has_failed(tmp_path: Path) -> None:
    found = results.with_missing(read(tmp_path), ["a [Conformance]", "e [Conformance]"])
    assert found["a [Conformance]"].outcome == Outcome.PASS
    assert found["e [Conformance]"].reason == "did not run to its end"
    assert results.closing_line(found.values()) == "1 passed, 3 failed, 1 skipped"
