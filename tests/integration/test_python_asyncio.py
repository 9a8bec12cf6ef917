"""kubernetes.aio, the same client for asyncio.

Its leader election is left out: in version 37.0 it passes `pretty=True`, which its own methods refuse.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from kubernetes.aio import client, config, utils, watch
from kubernetes.aio.client.exceptions import ApiException
from kubernetes.aio.dynamic import DynamicClient

from tests.integration.cluster import ControlPlane


@pytest.fixture
async def own(server: ControlPlane) -> AsyncIterator[client.ApiClient]:
    connected = await config.new_client_from_config(str(server.kubeconfig))
    async with connected:
        yield connected


async def test_an_object_from_creation_to_deletion(own: client.ApiClient, namespace: str) -> None:
    core = client.CoreV1Api(own)
    body = client.V1ConfigMap(metadata=client.V1ObjectMeta(name="a"), data={"x": "1"})
    await core.create_namespaced_config_map(namespace, body)
    patched = await core.patch_namespaced_config_map(
        "a", namespace, {"data": {"x": None, "y": "2"}}
    )
    assert patched.data == {"y": "2"}
    await core.delete_namespaced_config_map("a", namespace)
    with pytest.raises(ApiException) as caught:
        await core.read_namespaced_config_map("a", namespace)
    assert caught.value.status == 404


async def test_many_requests_at_once(own: client.ApiClient, namespace: str) -> None:
    core = client.CoreV1Api(own)
    bodies = [{"metadata": {"name": f"n{number}", "labels": {"n": "y"}}} for number in range(50)]
    made = await asyncio.gather(
        *(core.create_namespaced_config_map(namespace, body) for body in bodies)
    )
    versions = [int(item.metadata.resource_version) for item in made]
    assert len(set(versions)) == 50
    listed = await core.list_namespaced_config_map(namespace, label_selector="n=y")
    assert len(listed.items) == 50
    assert int(listed.metadata.resource_version) >= max(versions)


async def test_a_watch_while_others_write(own: client.ApiClient, namespace: str) -> None:
    core = client.CoreV1Api(own)
    version = (await core.list_namespaced_config_map(namespace)).metadata.resource_version

    async def write() -> None:
        for number in range(5):
            await core.create_namespaced_config_map(namespace, {"metadata": {"name": f"w{number}"}})

    writing = asyncio.create_task(write())
    seen: list[str] = []
    async with watch.Watch() as watching:
        async for event in watching.stream(
            core.list_namespaced_config_map,
            namespace,
            resource_version=version,
            field_selector="metadata.name!=kube-root-ca.crt",
            timeout_seconds=20,
        ):
            seen.append(event["object"].metadata.name)
            if len(seen) == 5:
                break
    await writing
    assert seen == [f"w{number}" for number in range(5)]


async def test_the_dynamic_client(own: client.ApiClient, namespace: str) -> None:
    async with DynamicClient(own) as dynamic:
        secrets = await dynamic.resources.get(api_version="v1", kind="Secret")
        body = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "s"},
            "stringData": {"a": "b"},
        }
        await secrets.create(body=body, namespace=namespace)
        found = await secrets.get(name="s", namespace=namespace)
        assert found.data.to_dict() == {"a": "Yg=="}


async def test_objects_are_created_from_a_file(
    own: client.ApiClient, namespace: str, tmp_path: Path
) -> None:
    path = tmp_path / "manifest.yaml"
    path.write_text("{apiVersion: v1, kind: ConfigMap, metadata: {name: f}, data: {a: b}}")
    await utils.create_from_yaml(own, str(path), namespace=namespace)
    found = await client.CoreV1Api(own).read_namespaced_config_map("f", namespace)
    assert found.data == {"a": "b"}
