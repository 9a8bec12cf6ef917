"""Cron jobs."""

import re

from pykube_cp.machinery import cron
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.resources.shared import checks, defaults

_SPEC = {"suspend": False, "successfulJobsHistoryLimit": 3, "failedJobsHistoryLimit": 1}


def _default_spec(spec: Object, _ctx: RuleContext) -> None:
    # upstream: pkg/apis/batch/v1/defaults.go SetDefaults_CronJob
    if not spec.get("concurrencyPolicy"):
        spec["concurrencyPolicy"] = "Allow"
    defaults.fill(spec, _SPEC)


_POLICIES = ("Allow", "Forbid", "Replace")
_ZONE_PART = re.compile(r"[A-Za-z.\-_0-9+]{1,14}")


def _validate_spec(spec: Object, path: Path, ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/batch/validation/validation.go validateCronJobSpec
    old = (ctx.old or {}).get("spec")
    found = _schedule(spec, old or {}, path.child("schedule"))
    found += checks.nonnegative(spec, path, "startingDeadlineSeconds")
    if old is None or old.get("timeZone") != spec.get("timeZone"):
        found += _time_zone(spec.get("timeZone"), path.child("timeZone"))
    return found + checks.chosen(spec, path, "concurrencyPolicy", _POLICIES)


def _validate_history(spec: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    return checks.nonnegative(spec, path, "successfulJobsHistoryLimit", "failedJobsHistoryLimit")


def _schedule(spec: Object, old: Object, path: Path) -> checks.Errors:
    schedule = spec.get("schedule") or ""
    if not schedule:
        return [FieldError.required(path)]
    found = []
    try:
        cron.parse(schedule)
    except ValueError as error:
        found.append(FieldError.invalid(path, schedule, str(error)))
    had_zone = "TZ" in (old.get("schedule") or "")
    if "TZ" in schedule and not had_zone:
        text = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
        found.append(FieldError.invalid(path, schedule, text))
    elif "TZ" in schedule and spec.get("timeZone") is not None:
        text = "cannot use both timeZone field and TZ or CRON_TZ in schedule"
        found.append(FieldError.invalid(path, schedule, text))
    return found


def _time_zone(zone: str | None, path: Path) -> checks.Errors:
    if zone is None:
        return []
    if not zone:
        return [FieldError.invalid(path, zone, "timeZone must be nil or non-empty string")]
    for part in zone.split("/"):
        if part in {".", ".."} or part.startswith("-") or not _ZONE_PART.fullmatch(part):
            return [FieldError.invalid(path, zone, f"unknown time zone {zone}")]
    if zone.lower() == "local":
        text = (
            "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"
        )
        return [FieldError.invalid(path, zone, text)]
    try:
        cron.load_zone(zone)
    except ValueError as error:
        return [FieldError.invalid(path, zone, str(error))]
    return []


RULES = (
    TypeRule(
        type="io.k8s.api.batch.v1.CronJobSpec",
        default=_default_spec,
        validate=_validate_spec,
        order=("jobTemplate", _validate_history),
    ),
)
