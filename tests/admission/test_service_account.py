"""Which secrets a pod may refer to whose account says so, and where its token is mounted."""

from typing import Any, cast

import pytest

from pykube_cp.admission.interface import Attributes, Operation, Services
from pykube_cp.admission.plugins.service_account import ServiceAccount
from pykube_cp.client.interface import Client
from pykube_cp.machinery import errors
from pykube_cp.machinery.gvk import GVK, GVR
from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.user import UserInfo

NOT_SAID = "is not allowed because service account a does not reference that"
ENV = [{"name": "X", "valueFrom": {"secretKeyRef": {"name": "bad", "key": "k"}}}]
FROM = [{"secretRef": {"name": "bad"}}]
MOUNT = {
    "name": "kube-api-access-one",
    "readOnly": True,
    "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount",
}


class _Client:
    def __init__(self, enforce: str) -> None:
        self._enforce = enforce

    async def get(self, _gvr: GVR, name: str, _namespace: str = "") -> Object:
        annotations = {"kubernetes.io/enforce-mountable-secrets": self._enforce}
        return {
            "metadata": {"name": name, "annotations": annotations},
            "secrets": [{"name": "ok"}],
            "imagePullSecrets": [{"name": "pull"}],
        }


def _asked(enforce: str, subresource: str, spec: Object) -> tuple[ServiceAccount, Attributes]:
    plugin = ServiceAccount()
    plugin.start(Services(client=cast(Client, _Client(enforce))))
    containers = {"containers": [{"name": "c", "image": "i"}]}
    pod = {"metadata": {"name": "p"}, "spec": containers | {"serviceAccountName": "a"} | spec}
    attributes = Attributes(
        operation=Operation.UPDATE if subresource else Operation.CREATE,
        resource=GVR("", "v1", "pods"),
        kind=GVK("", "v1", "Pod"),
        subresource=subresource,
        namespace="n",
        name="p",
        object=pod,
        user=UserInfo("u"),
    )
    return plugin, attributes


def _container(**fields: Any) -> Object:
    return {"name": "c", "image": "i", **fields}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({}, ""),
        ({"imagePullSecrets": [{"name": "pull"}]}, ""),
        ({"volumes": [{"name": "v", "secret": {"secretName": "ok"}}]}, ""),
        ({"volumes": [{"name": "v", "projected": {"sources": [{"secret": {"name": "bad"}}]}}]}, ""),
        (
            {"volumes": [{"name": "v", "secret": {"secretName": "bad"}}]},
            f'volume with secret.secretName="bad" {NOT_SAID} secret',
        ),
        (
            {"containers": [_container(env=ENV)]},
            f'container c with envVar X referencing secret.secretName="bad" {NOT_SAID} secret',
        ),
        (
            {"initContainers": [_container(envFrom=FROM)]},
            f'init container c with envFrom referencing secret.secretName="bad" {NOT_SAID} secret',
        ),
        (
            {"imagePullSecrets": [{"name": "ok"}]},
            f'imagePullSecrets[0].name="ok" {NOT_SAID} imagePullSecret',
        ),
    ],
)
async def test_secrets_that_the_account_does_not_name(spec: Object, expected: str) -> None:
    plugin, attributes = _asked("1", "", spec)
    text = ""
    try:
        await plugin.validate(attributes)
    except errors.StatusError as error:
        text = error.message.partition(" is forbidden: ")[2]
    assert text == expected


@pytest.mark.parametrize("enforce", ["", "false", "yes"])
async def test_an_account_that_does_not_care(enforce: str) -> None:
    plugin, attributes = _asked(enforce, "", {"containers": [_container(env=ENV)]})
    await plugin.validate(attributes)


async def test_ephemeral_containers_are_held_to_it_too() -> None:
    containers = {"ephemeralContainers": [_container(env=ENV)]}
    plugin, attributes = _asked("true", "ephemeralcontainers", containers)
    with pytest.raises(errors.StatusError) as caught:
        await plugin.validate(attributes)
    assert caught.value.code == 500
    assert caught.value.message.startswith("ephemeral container c with envVar X referencing")


async def test_the_first_volume_with_a_tokens_name_is_mounted() -> None:
    volumes = [{"name": f"kube-api-access-{each}", "emptyDir": {}} for each in ("one", "two")]
    plugin, attributes = _asked("", "", {"volumes": volumes})
    await plugin.admit(attributes)
    assert attributes.object is not None
    assert attributes.object["spec"]["containers"][0]["volumeMounts"] == [MOUNT]
    assert attributes.object["spec"]["volumes"] == volumes
