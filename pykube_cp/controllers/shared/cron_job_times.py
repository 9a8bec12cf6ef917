"""When a CronJob is due: the last time it should have started, and the next."""

# upstream: pkg/controller/cronjob/utils.go

from datetime import UTC, datetime
from enum import Enum, auto
from typing import NamedTuple

from pykube_cp.controllers.shared import pods as pod_state
from pykube_cp.machinery import cron, objects
from pykube_cp.machinery.objects import Object

# A little after the minute, so that clocks that differ slightly see it as past.
_NEXT_DELTA = 0.1
_MANY_MISSED = 100


class Missed(Enum):
    """How many starts were missed."""

    NONE = auto()
    FEW = auto()
    MANY = auto()


class Due(NamedTuple):
    """The last time the job should have started, None if it is not due."""

    earliest: float
    at: float | None
    missed: Missed


class ScheduleError(Exception):
    """The schedule makes no sense."""


def schedule_text(cron_job: Object) -> str:
    """The schedule with its time zone, if that is known."""
    # upstream: cronjob_controllerv2.go formatSchedule
    text: str = cron_job["spec"]["schedule"]
    zone = cron_job["spec"].get("timeZone")
    if "TZ" in text or zone is None:
        return text
    try:
        cron.load_zone(zone)
    except ValueError:
        return text
    return f"TZ={zone} {text}"


def last_scheduled(cron_job: Object) -> float | None:
    return pod_state.parse_optional(objects.nested(cron_job, "status", "lastScheduleTime"))


def most_recent(
    cron_job: Object, schedule: cron.Schedule, now: float, *, with_deadline: bool
) -> Due:
    """When the job should last have started; looks no further back than the starting deadline."""
    # upstream: utils.go mostRecentScheduleTime
    last = last_scheduled(cron_job)
    earliest = pod_state.created(cron_job) if last is None else last
    deadline = cron_job["spec"].get("startingDeadlineSeconds")
    if with_deadline and deadline is not None:
        earliest = max(earliest, now - deadline)
    first = schedule.next(earliest)
    second = None if first is None else schedule.next(first)
    if first is None or now < first:
        return Due(earliest, None, Missed.NONE)
    if second is None or now < second:
        return Due(earliest, first, Missed.NONE)
    period = round(second - first)
    if period < 1:
        raise ScheduleError("time difference between two schedules is less than 1 second")
    missed = int(now - first) // period + 1
    at: float | None = None
    candidate = schedule.next(first + (missed - 2) * period)
    while candidate is not None and candidate <= now:
        at = candidate
        candidate = schedule.next(candidate)
    return Due(earliest, at, Missed.MANY if missed > _MANY_MISSED else Missed.FEW)


def until_next(cron_job: Object, schedule: cron.Schedule, now: float) -> float | None:
    """Seconds until the next start, None if there is none."""
    # upstream: utils.go nextScheduleTimeDuration
    try:
        due = most_recent(cron_job, schedule, now, with_deadline=False)
    except ScheduleError:
        after = now
    else:
        after = due.earliest if due.missed is Missed.NONE else now
        if due.at is not None:
            after = due.at
    upcoming = schedule.next(after)
    return None if upcoming is None else upcoming + _NEXT_DELTA - now


def rfc1123(seconds: float) -> str:
    """As Go's ``time.RFC1123Z`` in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%a, %d %b %Y %H:%M:%S +0000")
