import base64
from collections.abc import Sequence
from typing import Any

import pytest
from cryptography import x509

from pykube_cp import pki
from pykube_cp.config import ControllerManagerConfig
from pykube_cp.controllers.csr_approving import CONTROLLER as APPROVING
from pykube_cp.controllers.csr_cleaner import is_outdated
from pykube_cp.controllers.csr_signing import CONTROLLER as SIGNING
from pykube_cp.controllers.shared import certificate_requests as requests
from pykube_cp.controllers.shared.cluster_kinds import CERTIFICATE_REQUESTS
from pykube_cp.machinery import clock, objects
from pykube_cp.machinery.objects import Object
from pykube_cp.testing.controllers import Harness, running
from pykube_cp.testing.fake_client import FakeClient
from tests.controllers.cluster import Json, meta
from tests.test_pki import make_csr

CLIENT = ["key encipherment", "digital signature", "client auth"]
SERVING = ["digital signature", "server auth"]
NODE = "system:node:n1"


class Reviewer(FakeClient):
    """Answers access reviews; ``allowed`` names the subresources of requests that may be made."""

    allowed: Sequence[str] = ()

    async def create(self, gvr: Any, obj: Object, namespace: str = "", **more: Any) -> Object:
        if gvr.resource == "subjectaccessreviews":
            wanted = obj["spec"]["resourceAttributes"]["subresource"]
            return {**obj, "status": {"allowed": wanted in self.allowed}}
        return await super().create(gvr, obj, namespace, **more)


def csr(pem: bytes, signer: str, usages: list[str], *conditions: str, **spec: Any) -> Json:
    return {
        "apiVersion": "certificates.k8s.io/v1",
        "kind": "CertificateSigningRequest",
        "metadata": meta("req", ""),
        "spec": {
            "request": base64.b64encode(pem).decode(),
            "signerName": signer,
            "usages": usages,
            "username": NODE,
            **spec,
        },
        "status": {"conditions": [{"type": kind, "status": "True"} for kind in conditions]},
    }


def find(run: Harness) -> Json:
    found = run.client.find(CERTIFICATE_REQUESTS, "req")
    assert found is not None
    return found


def signing_config() -> ControllerManagerConfig:
    ca = pki.new_authority("kubernetes")
    return ControllerManagerConfig(
        signing_cert_pem=ca.certificate.decode(), signing_key_pem=ca.key.decode()
    )


@pytest.mark.virtual_time
@pytest.mark.parametrize(
    ("username", "allowed", "message"),
    [
        (
            NODE,
            ["selfnodeclient"],
            "Auto approving self kubelet client certificate after SubjectAccessReview.",
        ),
        (NODE, ["nodeclient"], "Auto approving kubelet client certificate after "),
        ("system:bootstrap:abc", ["nodeclient"], "Auto approving kubelet client certificate"),
        ("system:bootstrap:abc", ["selfnodeclient"], ""),
        (NODE, [], ""),
    ],
)
async def test_approval(username: str, allowed: list[str], message: str) -> None:
    client = Reviewer()
    client.allowed = allowed
    request = csr(make_csr(), requests.KUBELET_CLIENT_SIGNER, CLIENT, username=username)
    async with running(APPROVING, client=client, objects=(request,)) as run:
        shown = find(run)["status"]["conditions"]
        if not message:
            assert shown == []
            return
        assert shown[0]["type"] == "Approved"
        assert shown[0]["reason"] == "AutoApproved"
        assert shown[0]["message"].startswith(message)


@pytest.mark.virtual_time
@pytest.mark.parametrize(
    ("request_pem", "signer", "usages"),
    [
        (make_csr(names=[x509.DNSName("n1")]), requests.KUBELET_CLIENT_SIGNER, CLIENT),
        (make_csr(), requests.KUBELET_SERVING_SIGNER, CLIENT),
        (make_csr(), requests.KUBELET_CLIENT_SIGNER, SERVING),
    ],
)
async def test_no_approval_of_what_is_no_node_client(
    request_pem: bytes, signer: str, usages: list[str]
) -> None:
    client = Reviewer()
    client.allowed = ["nodeclient", "selfnodeclient"]
    request = csr(request_pem, signer, usages)
    async with running(APPROVING, client=client, objects=(request,)) as run:
        assert find(run)["status"]["conditions"] == []


@pytest.mark.virtual_time
async def test_signs_approved_requests() -> None:
    pem = make_csr(names=[x509.DNSName("n1")])
    request = csr(pem, requests.KUBELET_SERVING_SIGNER, SERVING, "Approved", expirationSeconds=3600)
    config = signing_config()
    async with running(SIGNING, objects=(request,), config=config) as run:
        issued = base64.b64decode(find(run)["status"]["certificate"])
        certificate = pki.load_certificate(issued)
        assert certificate.subject.rfc4514_string() == "CN=system:node:n1,O=system:nodes"
        assert pki.expires_at(issued) == pytest.approx(clock.now() + 3600, abs=5)
        authority = pki.load_certificate(config.signing_cert_pem.encode())
        certificate.verify_directly_issued_by(authority)


@pytest.mark.virtual_time
@pytest.mark.parametrize(
    "conditions", [(), ("Approved", "Denied"), ("Approved", "Failed")], ids=str
)
async def test_signs_nothing_else(conditions: tuple[str, ...]) -> None:
    request = csr(make_csr(), requests.KUBELET_CLIENT_SIGNER, CLIENT, *conditions)
    async with running(SIGNING, objects=(request,), config=signing_config()) as run:
        assert "certificate" not in find(run)["status"]


@pytest.mark.virtual_time
@pytest.mark.parametrize(
    ("request_pem", "signer", "usages", "message"),
    [
        (
            make_csr(organizations=()),
            requests.KUBELET_CLIENT_SIGNER,
            CLIENT,
            "subject organization is not system:nodes",
        ),
        (
            make_csr(names=[x509.DNSName("x")]),
            requests.KUBELET_CLIENT_SIGNER,
            CLIENT,
            "DNS subjectAltNames are not allowed",
        ),
        (
            make_csr("bob"),
            requests.KUBELET_CLIENT_SIGNER,
            CLIENT,
            "subject common name does not begin with system:node:",
        ),
        (
            make_csr(),
            requests.KUBELET_CLIENT_SIGNER,
            SERVING,
            "usages did not match [client auth digital signature key encipherment]",
        ),
        (
            make_csr(),
            requests.KUBELET_SERVING_SIGNER,
            SERVING,
            "DNS or IP subjectAltName is required",
        ),
        (
            make_csr("bob"),
            requests.CLIENT_SIGNER,
            ["digital signature"],
            "missing required usage for client certificate: client auth",
        ),
        (
            make_csr("bob"),
            requests.CLIENT_SIGNER,
            ["client auth", "server auth"],
            "invalid usage for client certificate: server auth",
        ),
    ],
)
async def test_fails_requests_that_the_signer_must_not_sign(
    request_pem: bytes, signer: str, usages: list[str], message: str
) -> None:
    request = csr(request_pem, signer, usages, "Approved")
    async with running(SIGNING, objects=(request,), config=signing_config()) as run:
        failed = find(run)["status"]["conditions"][-1]
        assert (failed["type"], failed["reason"], failed["message"]) == (
            "Failed",
            "SignerValidationFailure",
            message,
        )


@pytest.mark.parametrize(
    ("condition", "issued", "age", "outdated"),
    [
        ("", False, 23, False),
        ("", False, 25, True),
        ("Denied", False, 2, True),
        ("Failed", False, 0.5, False),
        ("Approved", False, 2, False),
        ("Approved", False, 25, True),
        ("Approved", True, 2, True),
        ("Approved", True, 0.5, False),
    ],
)
def test_outdated_requests(condition: str, issued: bool, age: float, outdated: bool) -> None:  # noqa: FBT001
    then = clock.format_time(clock.now() - age * 3600)
    request = csr(make_csr(), requests.CLIENT_SIGNER, CLIENT)
    request["metadata"]["creationTimestamp"] = then
    if condition:
        request["status"]["conditions"] = [{"type": condition, "lastUpdateTime": then}]
    if issued:
        certificate = pki.new_authority("x").certificate
        request["status"]["certificate"] = base64.b64encode(certificate).decode()
    assert is_outdated(objects.deep_copy(request)) is outdated
