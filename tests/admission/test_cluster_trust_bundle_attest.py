"""Who may say whom to trust in the name of a signer."""

from typing import Any, cast

import pytest

from pykube_cp.admission.interface import Attributes, Operation, Services
from pykube_cp.admission.plugins.cluster_trust_bundle_attest import ClusterTrustBundleAttest
from pykube_cp.authz.interface import Attributes as Question
from pykube_cp.authz.interface import Decision
from pykube_cp.machinery import errors
from pykube_cp.machinery.gvk import GVK, GVR
from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.user import UserInfo


class _Authorizer:
    name = "one"

    async def authorize(self, attributes: Question) -> tuple[Decision, str]:
        asked = (attributes.verb, attributes.resource, attributes.name)
        known = asked == ("attest", "signers", "mine.example.com/*")
        return (Decision.ALLOW if known else Decision.NO_OPINION), ""


def _bundle(signer: str, **meta: Any) -> Object:
    spec = {"trustBundle": "x"} | ({"signerName": signer} if signer else {})
    return {"metadata": {"name": "b", **meta}, "spec": spec}


@pytest.mark.parametrize(
    ("obj", "old", "expected"),
    [
        (_bundle("mine.example.com/s"), None, ""),
        (_bundle(""), None, ""),
        (_bundle("x.io/s"), None, 'user not permitted to attest for signerName "x.io/s"'),
        (_bundle("x.io/s"), _bundle("x.io/s", finalizers=["a"]), ""),
        (
            _bundle("x.io/s", labels={"a": "b"}),
            _bundle("x.io/s"),
            'user not permitted to attest for signerName "x.io/s"',
        ),
    ],
)
async def test_signers_are_asked_for(obj: Object, old: Object | None, expected: str) -> None:
    plugin = ClusterTrustBundleAttest()
    plugin.start(Services(client=cast(Any, None), authorizer=cast(Any, _Authorizer())))
    attributes = Attributes(
        operation=Operation.UPDATE if old else Operation.CREATE,
        resource=GVR("certificates.k8s.io", "v1", "clustertrustbundles"),
        kind=GVK("certificates.k8s.io", "v1", "ClusterTrustBundle"),
        namespace="",
        name="b",
        object=obj,
        old_object=old,
        user=UserInfo("u"),
    )
    text = ""
    try:
        await plugin.validate(attributes)
    except errors.StatusError as error:
        text = error.message.partition("is forbidden: ")[2]
    assert text == expected
