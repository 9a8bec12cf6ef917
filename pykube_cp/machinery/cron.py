"""Cron schedules as CronJobs write them: five fields, macros, ``@every``, time zones.

A schedule with a time zone prefix (``TZ=Europe/Rome 0 3 * * *``) runs by the clocks of that place,
so it follows daylight saving time.
"""

# upstream: github.com/robfig/cron/v3 parser.go, spec.go, constantdelay.go

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_YEARS_AHEAD = 5
_SECONDS = {
    "ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0,
}  # fmt: skip
_DURATION_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)")


class Schedule(Protocol):
    """When something happens."""

    def next(self, after: float) -> float | None:
        """The first time after ``after`` (unix seconds), None if there is none within 5 years."""
        ...


@dataclass(frozen=True, slots=True)
class _Bounds:
    minimum: int
    maximum: int
    names: tuple[str, ...] = ()


_MINUTES = _Bounds(0, 59)
_HOURS = _Bounds(0, 23)
_DAYS = _Bounds(1, 31)
_MONTHS = _Bounds(
    1,
    12,
    ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"),
)
_WEEKDAYS = _Bounds(0, 6, ("sun", "mon", "tue", "wed", "thu", "fri", "sat"))
_PLACES = (_MINUTES, _HOURS, _DAYS, _MONTHS, _WEEKDAYS)
_MACROS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}


@dataclass(frozen=True, slots=True)
class _Field:
    values: frozenset[int]
    star: bool


@dataclass(frozen=True, slots=True)
class FieldSchedule:
    """Minute, hour, day of month, month and day of week, in a time zone."""

    minute: _Field
    hour: _Field
    day: _Field
    month: _Field
    weekday: _Field
    zone: tzinfo

    def next(self, after: float) -> float | None:
        """Walk month by month, day by day; within a day by real time, which keeps DST right."""
        moment = datetime.fromtimestamp(int(after) + 60 - int(after) % 60, self.zone)
        last_year = moment.year + _YEARS_AHEAD
        while moment.year <= last_year:
            if moment.month not in self.month.values:
                moment = self._month_after(moment)
            elif not self._day_matches(moment):
                moment = self._day_after(moment)
            elif moment.hour not in self.hour.values:
                moment = self._later(moment, 3600 - moment.minute * 60)
            elif moment.minute not in self.minute.values:
                moment = self._later(moment, 60)
            else:
                return moment.timestamp()
        return None

    def _day_matches(self, moment: datetime) -> bool:
        day = moment.day in self.day.values
        weekday = moment.isoweekday() % 7 in self.weekday.values
        if self.day.star or self.weekday.star:
            return day and weekday
        return day or weekday

    def _month_after(self, moment: datetime) -> datetime:
        year, month = (
            (moment.year + 1, 1) if moment.month == 12 else (moment.year, moment.month + 1)
        )
        return self._real(datetime(year, month, 1, tzinfo=self.zone))

    def _day_after(self, moment: datetime) -> datetime:
        midnight = datetime(moment.year, moment.month, moment.day, tzinfo=self.zone)
        return self._real(midnight + timedelta(days=1))

    def _later(self, moment: datetime, seconds: int) -> datetime:
        return datetime.fromtimestamp(moment.timestamp() + seconds, self.zone)

    def _real(self, moment: datetime) -> datetime:
        """The same moment as clocks show it: a midnight that DST skips becomes the hour after."""
        return datetime.fromtimestamp(moment.timestamp(), self.zone)


@dataclass(frozen=True, slots=True)
class EverySchedule:
    """A fixed delay in whole seconds."""

    delay: int

    def next(self, after: float) -> float | None:
        return float(int(after) + self.delay)


def load_zone(name: str) -> tzinfo:
    """The time zone of that name, UTC for none; ``ValueError`` as Go words it if unknown."""
    if name in {"", "UTC"}:
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"unknown time zone {name}") from None


def parse(spec: str) -> Schedule:
    """Parse a schedule; ``ValueError`` with upstream's text otherwise."""
    if not spec:
        raise ValueError("empty spec string")
    zone: tzinfo = UTC
    if spec.startswith(("TZ=", "CRON_TZ=")):
        prefix, _, spec = spec.partition(" ")
        name = prefix.partition("=")[2]
        try:
            zone = load_zone(name)
        except ValueError as error:
            raise ValueError(f"provided bad location {name}: {error}") from None
        spec = spec.strip()
    if spec.startswith("@every "):
        return EverySchedule(max(1, int(_duration(spec[len("@every ") :]))))
    if spec.startswith("@"):
        if spec not in _MACROS:
            raise ValueError(f"unrecognized descriptor: {spec}")
        spec = _MACROS[spec]
    fields = spec.split()
    if len(fields) != len(_PLACES):
        raise ValueError(f"expected exactly 5 fields, found {len(fields)}: [{' '.join(fields)}]")
    minute, hour, day, month, weekday = map(_field, fields, _PLACES)
    return FieldSchedule(minute, hour, day, month, weekday, zone)


def _field(text: str, bounds: _Bounds) -> _Field:
    values: set[int] = set()
    star = False
    for part in filter(None, text.split(",")):
        numbers, is_star = _range(part, bounds)
        values.update(numbers)
        star = star or is_star
    return _Field(frozenset(values), star)


def _range(text: str, bounds: _Bounds) -> tuple[range, bool]:
    span, *steps = text.split("/")
    low, *high = span.split("-")
    star = low in {"*", "?"}
    if star:
        start, end = bounds.minimum, bounds.maximum
    else:
        if len(high) > 1:
            raise ValueError(f"too many hyphens: {text}")
        start = _number(low, bounds)
        end = _number(high[0], bounds) if high else start
    if len(steps) > 1:
        raise ValueError(f"too many slashes: {text}")
    step = 1
    if steps:
        step = _integer(steps[0])
        if not high:
            end = bounds.maximum
        star = star and step <= 1
    _check(start, end, step, bounds, text)
    return range(start, end + 1, step), star


def _check(start: int, end: int, step: int, bounds: _Bounds, text: str) -> None:
    if start < bounds.minimum:
        raise ValueError(f"beginning of range ({start}) below minimum ({bounds.minimum}): {text}")
    if end > bounds.maximum:
        raise ValueError(f"end of range ({end}) above maximum ({bounds.maximum}): {text}")
    if start > end:
        raise ValueError(f"beginning of range ({start}) beyond end of range ({end}): {text}")
    if step == 0:
        raise ValueError(f"step of range should be a positive number: {text}")


def _number(text: str, bounds: _Bounds) -> int:
    if text.lower() in bounds.names:
        return bounds.names.index(text.lower()) + bounds.minimum
    return _integer(text)


def _integer(text: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]+", text):
        raise ValueError(
            f'failed to parse int from {text}: strconv.Atoi: parsing "{text}": invalid syntax'
        )
    number = int(text)
    if number < 0:
        raise ValueError(f"negative number ({number}) not allowed: {text}")
    return number


def _duration(text: str) -> float:
    """Seconds of a Go duration such as ``1h30m``."""
    parts = _DURATION_PART.findall(text)
    if text != "0" and (not parts or "".join(map("".join, parts)) != text.lstrip("+-")):
        raise ValueError(f'failed to parse duration {text}: time: invalid duration "{text}"')
    sign = -1 if text.startswith("-") else 1
    return sign * sum(float(number) * _SECONDS[unit] for number, unit in parts)
