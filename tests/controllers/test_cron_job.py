from datetime import UTC, datetime
from typing import Any

import pytest

from pykube_cp.controllers.cron_job import CONTROLLER
from pykube_cp.controllers.shared import cron_job_times as times
from pykube_cp.controllers.shared.kinds import CRON_JOBS, JOBS
from pykube_cp.machinery import clock, cron, objects
from pykube_cp.testing.controllers import Harness, running
from tests.controllers.workloads import NS, meta, template

pytestmark = pytest.mark.virtual_time


def cron_job(schedule: str = "*/1 * * * *", **spec: Any) -> dict[str, Any]:
    defaults = {
        "concurrencyPolicy": "Allow",
        "suspend": False,
        "successfulJobsHistoryLimit": 3,
        "failedJobsHistoryLimit": 1,
        "jobTemplate": {"metadata": {"labels": {"a": "b"}}, "spec": {"template": template()}},
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": meta("tick"),
        "spec": {"schedule": schedule, **defaults, **spec},
    }


async def finish(run: Harness, name: str, kind: str = "Complete") -> None:
    found = objects.deep_copy(run.client.find(JOBS, name, NS))
    now = clock.timestamp()
    found["status"] = {
        "startTime": found["metadata"]["creationTimestamp"],
        "completionTime": now,
        "conditions": [{"type": kind, "status": "True", "lastTransitionTime": now}],
    }
    await run.client.update(JOBS, found, subresource="status")
    await run.settle()


def jobs(run: Harness) -> list[str]:
    return [objects.name(found) for found in run.client.all(JOBS)]


def status(run: Harness) -> dict[str, Any]:
    found = run.client.find(CRON_JOBS, "tick", NS)
    assert found is not None
    result: dict[str, Any] = found.get("status", {})
    return result


async def test_starts_a_job_every_minute() -> None:
    async with running(CONTROLLER, objects=(cron_job(),)) as run:
        assert jobs(run) == []
        await run.settle(60)
        (job,) = run.client.all(JOBS)
        minute = int(clock.now()) // 60
        assert objects.name(job) == f"tick-{minute}"
        assert job["metadata"]["labels"] == {"a": "b"}
        scheduled = clock.format_time(minute * 60)
        assert job["metadata"]["annotations"] == {
            "batch.kubernetes.io/cronjob-scheduled-timestamp": scheduled
        }
        assert status(run)["lastScheduleTime"] == scheduled
        assert [ref["name"] for ref in status(run)["active"]] == jobs(run)
        await run.settle(60)
        assert len(jobs(run)) == 2


async def test_forbid_and_replace() -> None:
    async with running(CONTROLLER, objects=(cron_job(concurrencyPolicy="Forbid"),)) as run:
        await run.settle(150)
        assert len(jobs(run)) == 1
        assert "JobAlreadyActive" in [reason for _, reason, _ in run.events()]
        await finish(run, jobs(run)[0])
        assert status(run)["lastSuccessfulTime"]
        assert len(jobs(run)) == 2
    async with running(CONTROLLER, objects=(cron_job(concurrencyPolicy="Replace"),)) as run:
        await run.settle(150)
        assert len(jobs(run)) == 1
        assert len(status(run)["active"]) == 1


async def test_history_is_limited() -> None:
    async with running(CONTROLLER, objects=(cron_job(successfulJobsHistoryLimit=2),)) as run:
        for _ in range(4):
            await run.settle(60)
            await finish(run, jobs(run)[-1])
        assert len(jobs(run)) == 2
        deletions = [action.body for action in run.client.writes("delete", resource="jobs")]
        assert all(options.propagation == "Background" for options in deletions)


async def test_suspended_and_unparseable_schedules_start_nothing() -> None:
    broken = cron_job("every now and then") | {"metadata": meta("broken")}
    seeds = (cron_job(suspend=True), broken)
    async with running(CONTROLLER, objects=seeds) as run:
        await run.settle(300)
        assert jobs(run) == []
        assert "UnparseableSchedule" in [reason for _, reason, _ in run.events()]


async def test_missed_starts_count_only_within_the_deadline() -> None:
    created = clock.format_time(clock.now() - 3600)
    late = cron_job("30 * * * *", startingDeadlineSeconds=60)
    late["metadata"]["creationTimestamp"] = created
    caught_up = cron_job("30 * * * *") | {"metadata": meta("other", creationTimestamp=created)}
    async with running(CONTROLLER, objects=(late, caught_up)) as run:
        assert [name.rpartition("-")[0] for name in jobs(run)] == ["other"]


def test_most_recent_of_many_missed() -> None:
    def at(text: str) -> float:
        return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()

    found = cron_job()
    found["metadata"]["creationTimestamp"] = "2026-01-01T00:00:00Z"
    schedule = cron.parse("*/1 * * * *")
    now = at("2026-01-01T05:00:30")
    due = times.most_recent(found, schedule, now, with_deadline=True)
    assert due == (at("2026-01-01T00:00:00"), at("2026-01-01T05:00:00"), times.Missed.MANY)
    assert times.until_next(found, schedule, now) == pytest.approx(30.1)
