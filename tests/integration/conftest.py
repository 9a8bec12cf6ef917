import itertools
from collections.abc import Iterator
from dataclasses import replace

import pytest
from kubernetes import client, config

from tests.integration import cluster
from tests.integration.cluster import ControlPlane, Kubectl

_numbers = itertools.count()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    with cluster.control_plane(tmp_path_factory.mktemp("control-plane")) as running:
        yield running


@pytest.fixture(scope="module")
def api(server: ControlPlane) -> Iterator[client.ApiClient]:
    """The official client, as its documentation configures it."""
    with config.new_client_from_config(str(server.kubeconfig)) as connected:
        yield connected


@pytest.fixture
def core(api: client.ApiClient) -> client.CoreV1Api:
    return client.CoreV1Api(api)


@pytest.fixture
def namespace(core: client.CoreV1Api) -> str:
    """A fresh one, in which Pods can be made."""
    name = f"test-{next(_numbers)}"
    core.create_namespace({"metadata": {"name": name}})

    def has_account() -> bool:
        accounts = core.list_namespaced_service_account(name).items
        return [account.metadata.name for account in accounts] == ["default"]

    assert cluster.until(has_account), "no controller makes the default service account"
    return name


@pytest.fixture(scope="module")
def anywhere(server: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Kubectl:
    """kubectl in the default namespace."""
    return Kubectl(cluster.binary("kubectl"), server, tmp_path_factory.mktemp("home"))


@pytest.fixture
def kubectl(anywhere: Kubectl) -> Kubectl:
    """kubectl in a namespace of its own."""
    name = f"test-{next(_numbers)}"
    anywhere.run("create", "namespace", name)
    own = replace(anywhere, namespace=name)
    own.within(20, "^default", "get", "serviceaccounts")
    return own
