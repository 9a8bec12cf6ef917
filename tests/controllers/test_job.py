import asyncio
from typing import Any

import pytest

from pykube_cp.client.interface import DeleteOptions
from pykube_cp.controllers.interface import Controller, ControllerContext, Watch
from pykube_cp.controllers.job import CONTROLLER
from pykube_cp.controllers.shared.job_indexes import completion_index
from pykube_cp.controllers.shared.job_policies import TRACKING_FINALIZER
from pykube_cp.controllers.shared.kinds import JOBS, PODS
from pykube_cp.machinery import clock, objects
from pykube_cp.testing.controllers import Harness, running
from tests.controllers.workloads import NS, meta, template

pytestmark = pytest.mark.virtual_time


def job(**spec: Any) -> dict[str, Any]:
    defaults = {
        "parallelism": 2,
        "completions": 3,
        "backoffLimit": 6,
        "completionMode": "NonIndexed",
        "podReplacementPolicy": "TerminatingOrFailed",
        "selector": {"matchLabels": {"app": "web"}},
        "template": template(restartPolicy="Never"),
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": meta("job"),
        "spec": {**defaults, **spec},
    }


def runner(*, fails: Any = lambda _pod: False, code: int = 1, seconds: float = 5) -> Controller:
    """Lets every pod run for a while and then succeed or fail."""

    async def end(ctx: ControllerContext, key: str) -> None:
        pod = ctx.lister(PODS).get(key)
        if pod is None:
            return
        if objects.is_deleting(pod):
            options = DeleteOptions(grace_period_seconds=0)
            await ctx.client.delete(PODS, objects.name(pod), NS, options=options)
            return
        if pod.get("status"):
            return
        running_pod = {**objects.deep_copy(pod), "status": {"phase": "Running"}}
        pod = await ctx.client.update(PODS, running_pod, subresource="status")
        await asyncio.sleep(seconds)
        failed = fails(pod)
        terminated = {"exitCode": code if failed else 0, "finishedAt": clock.timestamp()}
        status = {
            "phase": "Failed" if failed else "Succeeded",
            "containerStatuses": [{"name": "main", "state": {"terminated": terminated}}],
        }
        live = ctx.lister(PODS).get(key)
        if live is not None and not objects.is_deleting(live):
            ended = {**objects.deep_copy(live), "status": status}
            await ctx.client.update(PODS, ended, subresource="status")

    return Controller(
        name="runner", identity="runner", watches=(Watch(PODS),), reconcile=end, workers=50
    )


def status(run: Harness) -> dict[str, Any]:
    found = run.client.find(JOBS, "job", NS)
    assert found is not None
    result: dict[str, Any] = found.get("status", {})
    return result


def conditions(run: Harness) -> list[tuple[str, str]]:
    return [(c["type"], c["reason"]) for c in status(run).get("conditions", [])]


async def test_runs_to_completion_and_counts_each_pod_once() -> None:
    async with running(CONTROLLER, runner(), objects=(job(),)) as run:
        assert len(run.client.all(PODS)) == 2
        assert status(run)["active"] == 2
        assert "startTime" in status(run)
        (first, _) = run.client.all(PODS)
        assert objects.finalizers(first) == [TRACKING_FINALIZER]
        await run.settle(30)
        assert conditions(run) == [
            ("SuccessCriteriaMet", "CompletionsReached"),
            ("Complete", "CompletionsReached"),
        ]
        assert status(run)["succeeded"] == 3
        assert status(run)["uncountedTerminatedPods"] == {}
        assert "completionTime" in status(run)
        assert "active" not in status(run)
        assert all(not objects.finalizers(pod) for pod in run.client.all(PODS))
        assert ("Normal", "Completed", "Job completed") in run.events()


async def test_failures_back_off_and_exceed_the_limit() -> None:
    spec = job(parallelism=1, completions=1, backoffLimit=2)
    async with running(CONTROLLER, runner(fails=lambda _: True), objects=(spec,)) as run:
        await run.settle(10)
        assert status(run)["failed"] == 1
        assert len(run.client.all(PODS)) == 1
        await run.settle(120)
        assert len(run.client.all(PODS)) == 3
        assert status(run)["failed"] == 3
        assert conditions(run) == [
            ("FailureTarget", "BackoffLimitExceeded"),
            ("Failed", "BackoffLimitExceeded"),
        ]
        message = "Job has reached the specified backoff limit"
        assert ("Warning", "BackoffLimitExceeded", message) in run.events()
        starts = sorted(
            clock.parse_time(p["metadata"]["creationTimestamp"]) for p in run.client.all(PODS)
        )
        assert starts[1] - starts[0] >= 15
        assert starts[2] - starts[1] >= 25


async def test_indexed_job_gives_each_pod_an_index() -> None:
    spec = job(completionMode="Indexed", completions=4, parallelism=3)
    async with running(CONTROLLER, runner(), objects=(spec,)) as run:
        pods = run.client.all(PODS)
        assert sorted(map(completion_index, pods)) == [0, 1, 2]
        pod = next(found for found in pods if completion_index(found) == 1)
        assert pod["metadata"]["generateName"] == "job-1-"
        assert pod["metadata"]["labels"]["batch.kubernetes.io/job-completion-index"] == "1"
        assert pod["spec"]["hostname"] == "job-1"
        variable = pod["spec"]["containers"][0]["env"][0]
        assert variable["name"] == "JOB_COMPLETION_INDEX"
        await run.settle(30)
        assert status(run)["completedIndexes"] == "0-3"
        assert status(run)["succeeded"] == 4
        assert conditions(run)[-1] == ("Complete", "CompletionsReached")


async def test_backoff_limit_per_index() -> None:
    spec = job(
        completionMode="Indexed",
        completions=3,
        parallelism=3,
        backoffLimitPerIndex=1,
        backoffLimit=2**31 - 1,
    )

    def fails(pod: dict[str, Any]) -> bool:
        return completion_index(pod) == 1

    async with running(CONTROLLER, runner(fails=fails), objects=(spec,)) as run:
        await run.settle(120)
        assert status(run)["completedIndexes"] == "0,2"
        assert status(run)["failedIndexes"] == "1"
        assert status(run)["failed"] == 2
        assert conditions(run)[-1] == ("Failed", "FailedIndexes")
        counts = sorted(
            objects.annotations(pod)["batch.kubernetes.io/job-index-failure-count"]
            for pod in run.client.all(PODS)
            if completion_index(pod) == 1
        )
        assert counts == ["0", "1"]


async def test_failure_policy_fails_the_job_at_once() -> None:
    rule = {"action": "FailJob", "onExitCodes": {"operator": "In", "values": [42]}}
    spec = job(podFailurePolicy={"rules": [rule]})
    controllers = (CONTROLLER, runner(fails=lambda _: True, code=42))
    async with running(*controllers, objects=(spec,)) as run:
        await run.settle(30)
        assert conditions(run) == [
            ("FailureTarget", "PodFailurePolicy"),
            ("Failed", "PodFailurePolicy"),
        ]


async def test_success_policy_ends_the_job_early() -> None:
    policy = {"rules": [{"succeededIndexes": "0"}]}
    spec = job(completionMode="Indexed", completions=4, parallelism=4, successPolicy=policy)

    def never_ends(pod: dict[str, Any]) -> bool:
        return completion_index(pod) != 0

    async with running(CONTROLLER, runner(fails=never_ends), objects=(spec,)) as run:
        await run.settle(60)
        assert conditions(run)[-2:] == [
            ("SuccessCriteriaMet", "SuccessPolicy"),
            ("Complete", "SuccessPolicy"),
        ]


async def test_suspend_and_resume() -> None:
    async with running(CONTROLLER, runner(seconds=600), objects=(job(),)) as run:

        async def suspend(*, value: bool) -> None:
            found = objects.deep_copy(run.client.find(JOBS, "job", NS))
            found["spec"]["suspend"] = value
            await run.client.update(JOBS, found)
            await run.settle(10)

        await suspend(value=True)
        assert run.client.all(PODS) == []
        assert conditions(run) == [("Suspended", "JobSuspended")]
        assert "startTime" not in status(run)
        await suspend(value=False)
        assert len(run.client.all(PODS)) == 2
        assert conditions(run) == [("Suspended", "JobResumed")]
        reasons = [reason for _, reason, _ in run.events()]
        assert "Suspended" in reasons
        assert "Resumed" in reasons


async def test_deadline() -> None:
    spec = job(activeDeadlineSeconds=20)
    async with running(CONTROLLER, runner(seconds=600), objects=(spec,)) as run:
        await run.settle(15)
        assert conditions(run) == []
        await run.settle(20)
        assert conditions(run)[-1] == ("Failed", "DeadlineExceeded")
        assert run.client.all(PODS) == []


async def test_replacement_waits_for_terminating_pods_if_asked_to() -> None:
    spec = job(parallelism=1, completions=1, podReplacementPolicy="Failed")
    async with running(CONTROLLER, objects=(spec,)) as run:
        (pod,) = run.client.all(PODS)
        changed = objects.deep_copy(pod)
        changed["spec"]["nodeName"] = "node"
        await run.client.update(PODS, changed)
        await run.client.delete(PODS, objects.name(pod), NS)
        await run.settle(10)
        assert len(run.client.all(PODS)) == 1
        assert status(run)["terminating"] == 1


async def test_job_managed_elsewhere_is_left_alone() -> None:
    async with running(CONTROLLER, objects=(job(managedBy="example.com/x"),)) as run:
        assert run.client.writes() == []


async def test_pods_of_a_deleted_job_lose_their_finalizer() -> None:
    async with running(CONTROLLER, runner(seconds=600), objects=(job(),)) as run:
        run.client.remove(JOBS, "job", NS)
        await run.settle(5)
        assert [objects.finalizers(pod) for pod in run.client.all(PODS)] == [[], []]
