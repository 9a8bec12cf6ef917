from collections.abc import Mapping
from typing import Any

import orjson
import pytest

from pykube_cp.client.interface import RawResponse
from pykube_cp.controllers.horizontal_pod_autoscaler import AUTOSCALERS, CONTROLLER
from pykube_cp.controllers.shared.kinds import DEPLOYMENTS
from pykube_cp.controllers.shared.pod_metrics import duration_seconds
from pykube_cp.controllers.shared.scaling_limits import History, Range
from pykube_cp.machinery import clock, objects
from pykube_cp.machinery.gvk import GVR
from pykube_cp.machinery.objects import Object
from pykube_cp.testing.controllers import Harness, running
from pykube_cp.testing.fake_client import FakeClient
from tests.controllers.cluster import NS, Json, meta, pod


class Cluster(FakeClient):
    """Has scales of Deployments, and the metrics in ``usage``: Pod -> thousandths of a CPU."""

    usage: Mapping[str, int] | None = None

    async def get(
        self, gvr: GVR, name: str, namespace: str = "", *, subresource: str = ""
    ) -> Object:
        found = await super().get(gvr, name, namespace)
        if subresource != "scale":
            return found
        return {
            "apiVersion": "autoscaling/v1",
            "kind": "Scale",
            "metadata": found["metadata"],
            "spec": {"replicas": found["spec"]["replicas"]},
            "status": {"replicas": found["spec"]["replicas"], "selector": "app=web"},
        }

    async def update(self, gvr: GVR, obj: Object, **more: Any) -> Object:
        if more.get("subresource") != "scale":
            return await super().update(gvr, obj, **more)
        found = objects.deep_copy(await super().get(gvr, objects.name(obj), NS))
        found["spec"]["replicas"] = obj["spec"]["replicas"]
        return await super().update(gvr, found)

    async def request(self, method: str, path: str, **more: Any) -> RawResponse:
        if not path.startswith("/apis/metrics.k8s.io/"):
            return await super().request(method, path, **more)
        assert path == "/apis/metrics.k8s.io/v1beta1/namespaces/ns/pods?labelSelector=app%3Dweb"
        if self.usage is None:
            return RawResponse(404, b"404 page not found")
        items = [
            {
                "metadata": {"name": name},
                "timestamp": clock.timestamp(),
                "window": "30s",
                "containers": [{"name": "main", "usage": {"cpu": f"{use}m"}}],
            }
            for name, use in self.usage.items()
        ]
        return RawResponse(200, orjson.dumps({"items": items}))


def deployment(replicas: int) -> Json:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": meta("web"),
        "spec": {"replicas": replicas},
    }


def autoscaler(**spec: Any) -> Json:
    target = {"type": "Utilization", "averageUtilization": 50}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": meta("web", generation=1),
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "minReplicas": 1,
            "maxReplicas": 10,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
            **spec,
        },
    }


def worker(name: str) -> Json:
    container = {"name": "main", "resources": {"requests": {"cpu": "100m"}}}
    return pod(
        name,
        spec={"containers": [container]},
        status={"startTime": "2020-01-01T00:00:00Z"},
    )


def status(run: Harness) -> Json:
    found = run.client.find(AUTOSCALERS, "web", NS)
    assert found is not None
    result: Json = found["status"]
    return result


def shown(run: Harness) -> dict[str, tuple[str, str]]:
    return {item["type"]: (item["status"], item["reason"]) for item in status(run)["conditions"]}


def replicas(run: Harness) -> int:
    found = run.client.find(DEPLOYMENTS, "web", NS)
    assert found is not None
    result: int = found["spec"]["replicas"]
    return result


@pytest.mark.virtual_time
async def test_scales_by_use_of_cpu() -> None:
    client = Cluster()
    client.usage = {"p1": 100, "p2": 50}
    seeds = (deployment(2), autoscaler(), worker("p1"), worker("p2"))
    async with running(CONTROLLER, client=client, objects=seeds) as run:
        assert replicas(run) == 3
        assert shown(run) == {
            "AbleToScale": ("True", "SucceededRescale"),
            "ScalingActive": ("True", "ValidMetricFound"),
            "ScalingLimited": ("False", "DesiredWithinRange"),
            "ScaledToZero": ("False", "NotScaledToZero"),
        }
        assert status(run)["currentMetrics"] == [
            {
                "type": "Resource",
                "resource": {
                    "name": "cpu",
                    "current": {"averageUtilization": 75, "averageValue": "75m"},
                },
            }
        ]
        assert (status(run)["currentReplicas"], status(run)["desiredReplicas"]) == (2, 3)
        text = "New size: 3; reason: cpu resource utilization (percentage of request) above target"
        assert run.events() == [("Normal", "SuccessfulRescale", text)]
        client.usage = {"p1": 1, "p2": 1}
        await run.settle(60)
        assert replicas(run) == 3
        assert shown(run)["AbleToScale"] == ("True", "ScaleDownStabilized")
        await run.settle(300)
        assert replicas(run) == 1


@pytest.mark.virtual_time
async def test_absent_metrics_are_told() -> None:
    seeds = (deployment(2), autoscaler(), worker("p1"))
    async with running(CONTROLLER, client=Cluster(), objects=seeds) as run:
        assert replicas(run) == 2
        assert shown(run) == {
            "AbleToScale": ("True", "SucceededGetScale"),
            "ScalingActive": ("False", "FailedGetResourceMetric"),
        }
        cause = (
            "failed to get cpu utilization: unable to get metrics for resource cpu: unable to "
            "fetch metrics from resource metrics API: the server could not find the requested "
            "resource (get pods.metrics.k8s.io)"
        )
        message = next(
            item["message"] for item in status(run)["conditions"] if item["type"] == "ScalingActive"
        )
        assert message == f"the HPA was unable to compute the replica count: {cause}"
        assert ("Warning", "FailedGetResourceMetric", cause) in run.events()
        whole = (
            "invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource "
            f"metric value: {cause}"
        )
        assert ("Warning", "FailedComputeMetricsReplicas", whole) in run.events()


@pytest.mark.virtual_time
@pytest.mark.parametrize(
    ("current", "after", "reason"),
    [
        (20, 10, "Current number of replicas above Spec.MaxReplicas"),
        (1, 2, "Current number of replicas below Spec.MinReplicas"),
        (0, 0, ""),
    ],
)
async def test_bounds_need_no_metrics(current: int, after: int, reason: str) -> None:
    seeds = (deployment(current), autoscaler(minReplicas=2))
    async with running(CONTROLLER, client=Cluster(), objects=seeds) as run:
        assert replicas(run) == after
        if reason:
            assert run.events()[0][2] == f"New size: {after}; reason: {reason}"
        else:
            assert shown(run)["ScalingActive"] == ("False", "ScalingDisabled")


@pytest.mark.virtual_time
async def test_unknown_target() -> None:
    unknown = autoscaler(scaleTargetRef={"apiVersion": "x/v1", "kind": "Thing", "name": "t"})
    async with running(CONTROLLER, client=Cluster(), objects=(unknown,)) as run:
        assert shown(run) == {"AbleToScale": ("False", "FailedGetScale")}


@pytest.fixture
def time() -> Any:
    now = [1000.0]
    clock.use(lambda: now[0], lambda: now[0])
    yield now
    clock.use_system()


def test_default_limits(time: list[float]) -> None:
    history = History()
    history.begin(3)
    limited = history.limit(100, Range(3, 1, 50), 300)
    assert (limited.replicas, limited.limit[0]) == (6, "ScaleUpLimit")
    limited = history.limit(100, Range(40, 1, 50), 300)
    assert (limited.replicas, limited.limit[0]) == (50, "TooManyReplicas")
    time[0] += 301
    limited = history.limit(0, Range(40, 2, 50), 300)
    assert (limited.replicas, limited.limit[0]) == (2, "TooFewReplicas")


def test_limits_of_behavior(time: list[float]) -> None:
    behavior = {
        "scaleUp": {
            "stabilizationWindowSeconds": 0,
            "selectPolicy": "Max",
            "policies": [
                {"type": "Pods", "value": 4, "periodSeconds": 15},
                {"type": "Percent", "value": 100, "periodSeconds": 15},
            ],
        },
        "scaleDown": {
            "stabilizationWindowSeconds": 60,
            "selectPolicy": "Min",
            "policies": [{"type": "Pods", "value": 1, "periodSeconds": 30}],
        },
    }
    history = History()
    history.begin(2)
    limited = history.limit_by_behavior(50, Range(2, 1, 100), behavior, 300)
    assert (limited.replicas, limited.limit[0]) == (6, "ScaleUpLimit")
    history.record_step(behavior, 2, 6)
    time[0] += 5
    limited = history.limit_by_behavior(50, Range(6, 1, 100), behavior, 300)
    assert limited.replicas == 6
    time[0] += 15
    limited = history.limit_by_behavior(50, Range(6, 1, 100), behavior, 300)
    assert limited.replicas == 12
    limited = history.limit_by_behavior(1, Range(12, 1, 100), behavior, 300)
    assert (limited.replicas, limited.able[0]) == (12, "ScaleDownStabilized")
    time[0] += 61
    limited = history.limit_by_behavior(1, Range(12, 1, 100), behavior, 300)
    assert (limited.replicas, limited.limit[0]) == (11, "ScaleDownLimit")
    behavior["scaleDown"]["selectPolicy"] = "Disabled"
    time[0] += 61
    assert history.limit_by_behavior(1, Range(12, 1, 100), behavior, 300).replicas == 12


def test_durations() -> None:
    assert [duration_seconds(text) for text in ("30s", "1m30s", "1h0.5s", "", "x")] == [
        30.0,
        90.0,
        3600.5,
        60.0,
        60.0,
    ]
