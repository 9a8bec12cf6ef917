from typing import Any

import pytest

from pykube_cp.config import ControllerManagerConfig
from pykube_cp.controllers.catalog import CONTROLLERS
from pykube_cp.machinery import objects
from pykube_cp.machinery.gvk import GVR
from pykube_cp.testing.controllers import running
from pykube_cp.testing.fake_client import FakeClient

pytestmark = pytest.mark.virtual_time

PODS = GVR("", "v1", "pods")
NODES = GVR("", "v1", "nodes")
NAMESPACES = GVR("", "v1", "namespaces")
CONFIG_MAPS = GVR("", "v1", "configmaps")
DEPLOYMENTS = GVR("apps", "v1", "deployments")
REPLICA_SETS = GVR("apps", "v1", "replicasets")

CONFIG = ControllerManagerConfig(
    allocate_node_cidrs=True,
    cluster_cidrs=("10.244.0.0/16",),
    service_cidrs=("10.96.0.0/16",),
    root_ca_pem="CA",
)


def namespace(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": name},
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Active"},
    }


def deployment(name: str) -> dict[str, Any]:
    pod = {"containers": [{"name": "c", "image": "i"}]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "replicas": 3,
            "selector": {"matchLabels": {"app": name}},
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0},
            },
            "progressDeadlineSeconds": 600,
            "revisionHistoryLimit": 10,
            "template": {"metadata": {"labels": {"app": name}}, "spec": pod},
        },
    }


async def test_all_controllers_share_a_cluster(
    fake_client: FakeClient, caplog: pytest.LogCaptureFixture
) -> None:
    seeds = (namespace("default"), namespace("kube-system"))
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}, "spec": {}}
    async with running(*CONTROLLERS, client=fake_client, objects=seeds, config=CONFIG) as harness:
        fake_client.seed(node)
        await fake_client.create(DEPLOYMENTS, deployment("web"), "default")
        await harness.settle(10)
        assert len(fake_client.all(PODS)) == 3
        assert fake_client.all(DEPLOYMENTS)[0]["status"]["replicas"] == 3
        assert fake_client.all(NODES)[0]["spec"]["podCIDR"] == "10.244.0.0/24"
        published = {objects.key(found) for found in fake_client.all(CONFIG_MAPS)}
        assert published == {"default/kube-root-ca.crt", "kube-system/kube-root-ca.crt"}

        await fake_client.delete(DEPLOYMENTS, "web", "default")
        await harness.settle(30)
        assert (fake_client.all(REPLICA_SETS), fake_client.all(PODS)) == ([], [])

        await fake_client.delete(NAMESPACES, "default")
        await harness.settle(60)
        assert [objects.name(found) for found in fake_client.all(NAMESPACES)] == ["kube-system"]
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []
