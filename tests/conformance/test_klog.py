from pathlib import Path

import components
import klog
from klog import Excuse

LOG = """\
I1130 09:47:08.448747   26859 controllermanager.go:100] Starting
E1130 09:47:09.000001   26859 replica_set.go:640] "Unhandled Error" err="sync failed"
\tgoroutine 1 [running]
W1130 09:47:10.000001   26859 reflector.go:561] failed to list *v1.Widget: not found
panic: runtime error: index out of range
"""

CASES = Path(__file__).resolve().parents[1] / "cases/klog"


def test_warnings_and_worse_with_their_places() -> None:
    assert [str(each) for each in klog.troubles(LOG)] == [
        'E replica_set.go] "Unhandled Error" err="sync failed"',
        "W reflector.go] failed to list *v1.Widget: not found",
        "F runtime] panic: runtime error: index out of range",
    ]


OWN_LOG = """\
2026-11-30 10:11:54,451 WARNING pykube_cp.controllers.manager: job-controller: a/b: jobs "b" not found
2026-11-30 10:11:55,451 ERROR pykube_cp.controllers.manager: job-controller: a/j failed
Traceback (most recent call last):
KeyError: 'spec'
"""


def test_our_own_warnings_and_errors_without_their_traces() -> None:
    needed, wrong = klog.judge(klog.own_troubles(OWN_LOG), components.OWN_EXCUSES)
    assert list(needed) == list(components.OWN_EXCUSES)
    assert [str(line) for line in wrong] == [
        "E pykube_cp.controllers.manager] job-controller: a/j failed"
    ]
    assert [line.severity for line in klog.own_troubles("Traceback (most recent call last):")] == [
        "F"
    ]


def test_what_is_excused_is_counted_and_the_rest_is_kept() -> None:
    excuse = Excuse(r"replica_set.go\] .*sync failed", "because")
    needed, wrong = klog.judge(klog.troubles(LOG), [excuse])
    assert needed == {excuse: 1}
    assert [each.severity for each in wrong] == ["W", "F"]


def test_each_excuse_covers_what_upstream_logs_on_its_own_api_server() -> None:
    lines = klog.troubles((CASES / "excused.log").read_text())
    needed, wrong = klog.judge(lines, components.EXCUSES)
    assert wrong == []
    assert list(needed) == list(components.EXCUSES)


def test_no_excuse_covers_what_speaks_against_the_api_server() -> None:
    lines = list(klog.troubles((CASES / "wrong.log").read_text()))
    assert klog.judge(lines, components.EXCUSES)[1] == lines
    assert len(lines) == 5
