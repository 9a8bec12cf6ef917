import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = ["one", "two", "three"]
E2E = "#!/bin/sh\n" + "".join(f"echo '    x.go:1: {name} [Conformance]'\n" for name in TESTS)
# Stands in for ginkgo: each test whose name is in $PASS passes; in $ONCE it fails the first time.
GINKGO = f"""#!{sys.executable}
import os, pathlib, re, sys
report = pathlib.Path(next(a for a in sys.argv if a.startswith("--output-dir=")).partition("=")[2])
name = next(a for a in sys.argv if a.startswith("--junit-report=")).partition("=")[2]
rows = []
for flag in sys.argv:
    if not flag.startswith("--focus="):
        continue
    test = re.sub(r"\\\\(.)", r"\\1", flag[8:-1])
    first = report / f"{{test.split()[0]}}.tried"
    bad = test.split()[0] in os.environ.get("ONCE", "") and not first.exists()
    first.touch()
    if test.split()[0] in os.environ.get("LOST", ""):
        continue
    status = "failed" if bad or test.split()[0] in os.environ.get("BAD", "") else "passed"
    rows.append(f'<testcase name="[It] {{test}}" status="{{status}}" time="1">'
                + ("<failure message='no'/>" if status == "failed" else "") + "</testcase>")
(report / name).write_text("<testsuites>" + "".join(rows) + "</testsuites>")
"""


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    for name, text in (("e2e.test", E2E), ("ginkgo", GINKGO)):
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(path.stat().st_mode | stat.S_IEXEC)
    return tmp_path / "bin"


def run(
    conformance: Path, programs: Path, *options: str, **env: str
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(conformance / "run.py"), "--bin", str(programs)]
    command += ["--kubeconfig", "k", "--server", "https://x"]
    command += ["--dir", str(programs.parent / "results"), *options]
    return subprocess.run(
        command, env={**os.environ, **env}, capture_output=True, text=True, check=False
    )


def last_line(done: subprocess.CompletedProcess[str]) -> str:
    return done.stdout.splitlines()[-1]


@pytest.mark.slow
def test_closing_line_and_status(conformance: Path, programs: Path) -> None:
    done = run(conformance, programs)
    assert (done.returncode, last_line(done)) == (0, "3 passed, 0 failed, 0 skipped")
    done = run(conformance, programs, BAD="two", LOST="three")
    assert (done.returncode, last_line(done)) == (1, "1 passed, 2 failed, 0 skipped")


@pytest.mark.slow
def test_retry_forgives_one_failure(conformance: Path, programs: Path) -> None:
    done = run(conformance, programs, "--retry", ONCE="one", BAD="two")
    assert (done.returncode, last_line(done)) == (1, "2 passed, 1 failed, 0 skipped")


@pytest.mark.slow
def test_resume_leaves_out_what_has_a_result(conformance: Path, programs: Path) -> None:
    assert last_line(run(conformance, programs, "--focus", "one")).startswith("1 passed")
    done = run(conformance, programs, "--resume")
    assert "2 tests," in done.stderr
    assert last_line(done) == "3 passed, 0 failed, 0 skipped"


@pytest.mark.slow
def test_a_list_with_unknown_names_is_refused(conformance: Path, programs: Path) -> None:
    names = programs.parent / "names"
    names.write_text("two [Conformance]\nnine [Conformance]\n")
    done = run(conformance, programs, "--list", str(names))
    assert done.returncode == 1
    assert "nine [Conformance]" in done.stderr
