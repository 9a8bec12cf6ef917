from typing import Any

import pytest

from pykube_cp.config import ControllerManagerConfig
from pykube_cp.controllers.namespace import CONTROLLER
from pykube_cp.controllers.root_ca_publisher import CONTROLLER as ROOT_CA
from pykube_cp.controllers.service_account import CONTROLLER as SERVICE_ACCOUNT
from pykube_cp.controllers.shared.kinds import CONFIG_MAPS, NAMESPACES, PODS, SERVICE_ACCOUNTS
from pykube_cp.machinery import objects
from pykube_cp.testing.controllers import Harness, running
from tests.controllers.workloads import NS, meta, pod

pytestmark = pytest.mark.virtual_time


def namespace(name: str = NS, phase: str = "Active") -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": name},
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": phase},
    }


def config_map(name: str, **more: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta(name, **more)}


def conditions(run: Harness) -> dict[str, tuple[str, str]]:
    found = run.client.find(NAMESPACES, NS)
    assert found is not None
    return {c["type"]: (c["status"], c["message"]) for c in found["status"]["conditions"]}


async def test_deletes_content_and_then_the_namespace() -> None:
    seeds = (namespace(), namespace("other"), config_map("a"), pod("p"))
    async with running(CONTROLLER, objects=seeds) as run:
        await run.client.delete(NAMESPACES, NS)
        await run.settle(3)
        assert run.client.find(CONFIG_MAPS, "a", NS) is not None
        await run.settle(3)
        assert run.client.find(NAMESPACES, NS) is None
        assert run.client.find(CONFIG_MAPS, "a", NS) is None
        assert run.client.find(NAMESPACES, "other") is not None


async def test_pods_go_first_and_conditions_tell_what_remains() -> None:
    held = pod("held", finalizers=["example.com/hold"])
    async with running(CONTROLLER, objects=(namespace(), config_map("a"), held)) as run:
        await run.client.delete(NAMESPACES, NS)
        await run.settle(10)
        assert run.client.find(CONFIG_MAPS, "a", NS) is not None
        freed = objects.deep_copy(run.client.find(PODS, "held", NS))
        freed["metadata"]["finalizers"] = []
        await run.client.update(PODS, freed)
        await run.settle(30)
        assert run.client.find(NAMESPACES, NS) is None


async def test_finalizers_of_other_content_are_reported() -> None:
    held = config_map("held", finalizers=["example.com/hold"])
    async with running(CONTROLLER, objects=(namespace(), held)) as run:
        await run.client.delete(NAMESPACES, NS)
        await run.settle(10)
        assert conditions(run) == {
            "NamespaceDeletionDiscoveryFailure": (
                "False",
                "All resources successfully discovered",
            ),
            "NamespaceDeletionGroupVersionParsingFailure": (
                "False",
                "All legacy kube types successfully parsed",
            ),
            "NamespaceDeletionContentFailure": (
                "False",
                "All content successfully deleted, may be waiting on finalization",
            ),
            "NamespaceContentRemaining": (
                "True",
                "Some resources are remaining: configmaps. has 1 resource instances",
            ),
            "NamespaceFinalizersRemaining": (
                "True",
                (
                    "Some content in the namespace has finalizers remaining: "
                    "example.com/hold in 1 resource instances"
                ),
            ),
        }


async def test_default_service_account_and_root_ca_are_kept() -> None:
    controllers = (SERVICE_ACCOUNT, ROOT_CA)
    config = ControllerManagerConfig(root_ca_pem="pem")
    seeds = (namespace(), namespace("going", "Terminating"))
    async with running(*controllers, objects=seeds, config=config) as run:
        assert run.client.find(SERVICE_ACCOUNTS, "default", NS) is not None
        assert run.client.find(SERVICE_ACCOUNTS, "default", "going") is None
        published = objects.deep_copy(run.client.find(CONFIG_MAPS, "kube-root-ca.crt", NS))
        assert published["data"] == {"ca.crt": "pem"}
        published["data"] = {"ca.crt": "forged"}
        await run.client.update(CONFIG_MAPS, published)
        await run.client.delete(SERVICE_ACCOUNTS, "default", NS)
        await run.settle()
        assert run.client.find(SERVICE_ACCOUNTS, "default", NS) is not None
        found = run.client.find(CONFIG_MAPS, "kube-root-ca.crt", NS)
        assert found is not None
        assert found["data"] == {"ca.crt": "pem"}
