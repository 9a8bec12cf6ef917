from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from pykube_cp.machinery import cron


def upcoming(spec: str, after: str) -> str | None:
    at = cron.parse(spec).next(datetime.fromisoformat(after).timestamp())
    return None if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M")


@pytest.mark.parametrize(
    ("spec", "after", "expected"),
    [
        ("*/15 * * * *", "2026-03-01T10:07:31Z", "2026-03-01T10:15"),
        ("*/15 * * * *", "2026-03-01T10:15:00Z", "2026-03-01T10:30"),
        ("0 0 31 * *", "2026-04-01T00:00:00Z", "2026-05-31T00:00"),
        ("0 0 29 2 *", "2026-03-01T00:00:00Z", "2028-02-29T00:00"),
        ("30 8 * jan-mar mon,wed", "2026-02-27T09:00:00Z", "2026-03-02T08:30"),
        ("@hourly", "2026-12-31T23:59:59Z", "2027-01-01T00:00"),
        ("@weekly", "2026-03-04T00:00:00Z", "2026-03-08T00:00"),
        ("@every 90s", "2026-03-01T00:00:00Z", "2026-03-01T00:01"),
        ("? ? ? ? ?", "2026-03-01T00:00:10Z", "2026-03-01T00:01"),
        ("0 0 31 2 *", "2026-03-01T00:00:00Z", None),
    ],
)
def test_next(spec: str, after: str, expected: str | None) -> None:
    assert upcoming(spec, after) == expected


def test_day_of_month_or_week_when_both_are_restricted() -> None:
    assert upcoming("0 0 13 * fri", "2026-03-01T00:00:00Z") == "2026-03-06T00:00"
    # A star with a step restricts, so both have to match no more than one of them.
    assert upcoming("0 0 */10 * fri", "2026-03-01T00:00:00Z") == "2026-03-06T00:00"
    assert upcoming("0 0 * * fri", "2026-03-01T00:00:00Z") == "2026-03-06T00:00"


def test_time_zone_follows_daylight_saving() -> None:
    rome = ZoneInfo("Europe/Rome")
    spec = "TZ=Europe/Rome 30 6 * * *"
    before = datetime(2026, 3, 28, 12, tzinfo=rome).isoformat()
    assert upcoming(spec, before) == "2026-03-29T04:30"
    # 02:30 does not exist that night.
    assert upcoming("TZ=Europe/Rome 30 2 * * *", before) == "2026-03-30T00:30"


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("", "empty spec string"),
        ("* * * *", "expected exactly 5 fields, found 4: [* * * *]"),
        ("60 * * * *", "end of range (60) above maximum (59): 60"),
        ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
        ("5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1"),
        ("*/0 * * * *", "step of range should be a positive number: */0"),
        ("1-2-3 * * * *", "too many hyphens: 1-2-3"),
        (
            "x * * * *",
            'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax',
        ),
        ("@often", "unrecognized descriptor: @often"),
        (
            "TZ=Nowhere * * * * *",
            "provided bad location Nowhere: unknown time zone Nowhere",
        ),
    ],
)
def test_errors_are_upstreams(spec: str, message: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the text is compared
        cron.parse(spec)
    assert str(caught.value) == message
