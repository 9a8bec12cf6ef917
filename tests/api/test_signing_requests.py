"""Approving and answering requests for certificates; texts are upstream's."""

from base64 import b64encode
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.api.serving import MERGE, Api

pytestmark = pytest.mark.asyncio(loop_scope="session")

REQUESTS = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
BOTH = (
    'status.conditions: Invalid value: "{conditions[{\\"type\\": \\"Approved\\"}], '
    'conditions[{\\"type\\": \\"Denied\\"}]}": must specify at most one of: '
    '`conditions[{"type": "Approved"}]`, `conditions[{"type": "Denied"}]`'
)


def condition(kind: str) -> dict[str, Any]:
    return {"type": kind, "status": "True"}


async def requested(api: Api, name: str) -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    made = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    pem = made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    spec = {
        "request": b64encode(pem).decode(),
        "signerName": "example.com/s",
        "usages": ["client auth"],
    }
    answer = await api("POST", REQUESTS, {"metadata": {"name": name}, "spec": spec})
    assert answer.status == 201, answer.body
    return f"{REQUESTS}/{name}"


async def told(api: Api, path: str, **status: Any) -> str:
    """What is said about a change of the status; empty when it is made."""
    answer = await api("PATCH", path, {"status": status}, MERGE)
    return "" if answer.status == 200 else answer.message.partition(" is invalid: ")[2]


async def test_decisions_exclude_one_another_and_stay(api: Api) -> None:
    path = await requested(api, "decided") + "/approval"
    assert await told(api, path, conditions=[condition("Approved"), condition("Denied")]) == BOTH
    assert await told(api, path, conditions=[condition("Approved")]) == ""
    text = 'status.conditions: Forbidden: updates may not remove a condition of type "Approved"'
    assert await told(api, path, conditions=[]) == text


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a", "must contain at least one CERTIFICATE PEM block"),
        (
            "-----BEGIN KEY-----\nAAAA\n-----END KEY-----\n",
            'only CERTIFICATE PEM blocks are allowed, found "KEY"',
        ),
        (
            "-----BEGIN CERTIFICATE-----\na: b\n\nAAAA\n-----END CERTIFICATE-----\n",
            "no PEM block headers are permitted",
        ),
        (
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "x509: malformed certificate",
        ),
    ],
)
async def test_only_certificates_are_issued(
    api: Api, request: pytest.FixtureRequest, text: str, problem: str
) -> None:
    path = await requested(api, f"issued-{abs(hash(request.node.name))}") + "/status"
    certificate = b64encode(text.encode()).decode()
    expected = f'status.certificate: Invalid value: "<certificate data>": {problem}'
    assert await told(api, path, certificate=certificate) == expected


async def test_finalizers_of_a_namespace_are_told_by_their_place(api: Api) -> None:
    path = await api.namespace()
    body = {
        "metadata": {"name": path.rpartition("/")[2]},
        "spec": {"finalizers": ["kubernetes", "x"]},
    }
    answer = await api("PUT", f"{path}/finalize", body)
    assert answer.json["details"]["causes"][0]["field"] == "spec.finalizers[1]"
