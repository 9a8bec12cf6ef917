"""What may be reported on a request for a pod's certificate; texts are upstream's."""

from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from pykube_cp.machinery import clock
from pykube_cp.resources.shared import issued_certificates

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
KEY = ec.generate_private_key(ec.SECP256R1())
OTHER_KEY = ec.generate_private_key(ec.SECP256R1())
NO_BLOCK = "-----BEGIN X-----\nAAAA\n-----END X-----\n"
NO_CERTIFICATE = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


@pytest.fixture(autouse=True)
def at_that_time() -> Iterator[None]:
    clock.use(NOW.timestamp, lambda: 0.0)
    yield
    clock.use_system()


def certificate(
    key: ec.EllipticCurvePrivateKey = KEY,
    *names: x509.GeneralName,
    start: datetime = NOW,
    end: datetime = NOW + 2 * HOUR,
) -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "pod")])
    made = x509.CertificateBuilder(name, name, key.public_key(), 7, start, end)
    if names:
        made = made.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return made.sign(KEY, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


CHAIN = certificate()


def shown(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def condition(kind: str, status: str = "True") -> dict[str, Any]:
    return {"type": kind, "status": status, "reason": "R", "lastTransitionTime": shown(NOW)}


def request(**status: Any) -> dict[str, Any]:
    stub = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    der = stub.sign(KEY, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
    spec = {"maxExpirationSeconds": 7200, "stubPKCS10Request": b64encode(der).decode()}
    return {"spec": spec, "status": status}


def errors(*outcomes: str, old: Any = None, **status: Any) -> list[str]:
    status["conditions"] = [condition(kind) for kind in outcomes]
    return [str(error) for error in issued_certificates.check(request(**status), old or request())]


def issued(chain: str = CHAIN, **changed: datetime | None) -> list[str]:
    times = {"notBefore": NOW, "notAfter": NOW + 2 * HOUR, "beginRefreshAt": NOW + HOUR} | changed
    texts = {field: shown(time) for field, time in times.items() if time is not None}
    return errors("Issued", certificateChain=chain, **texts)


def test_issued() -> None:
    assert issued() == []
    assert issued(f"text before\n{CHAIN}{certificate(OTHER_KEY)}") == []


@pytest.mark.parametrize(
    ("chain", "text"),
    [
        ("x", "issued certificate chain must contain at least one certificate"),
        (NO_BLOCK, "issued certificate chain must consist entirely of CERTIFICATE PEM blocks"),
        (NO_CERTIFICATE, "leaf certificate does not parse as valid X.509"),
        (certificate(OTHER_KEY), "leaf certificate was not issued to the requested public key"),
        (
            CHAIN + NO_BLOCK,
            "issued certificate chain must consist entirely of CERTFICATE PEM blocks",
        ),
        (CHAIN + NO_CERTIFICATE, "intermediate certificate does not parse as valid X.509"),
    ],
)
def test_chain(chain: str, text: str) -> None:
    [error] = issued(chain)
    assert error.startswith("status.certificateChain: Invalid value: ")
    assert error.endswith(f": {text}")


def test_long_chain() -> None:
    assert issued("x" * 102401) == [
        "status.certificateChain: Too long: may not be more than 102400 bytes"
    ]


def test_names_in_the_certificate() -> None:
    hosts = (x509.DNSName("a..b"), x509.DNSName(".a"), x509.DNSName("*.fine.example"))
    boxes = (x509.RFC822Name("a@b"), x509.RFC822Name("a b@c.d"))
    assert issued(certificate(KEY, *hosts, *boxes)) == [
        f"status.certificateChain: Invalid value: {text}"
        for text in (
            "\"a..b\": leaf certificate's DNSName should not contain '..'",
            "\".a\": leaf certificate's DNSName should not start or end with '.'",
            '"a b@c.d": leaf certificate should not contain invalid EmailAddress',
        )
    ]


@pytest.mark.parametrize(
    ("chain", "changed", "error"),
    [
        (
            CHAIN,
            {"notBefore": NOW + MINUTE},
            (
                'notBefore: Invalid value: "2026-01-02T03:05:05Z": must be set to the NotBefore time '
                "encoded in the leaf certificate"
            ),
        ),
        (
            CHAIN,
            {"notAfter": None},
            "notAfter: Required value: must be present and consistent with the issued certificate",
        ),
        (
            certificate(start=NOW - 5 * MINUTE),
            {"notBefore": NOW - 5 * MINUTE},
            (
                'notBefore: Invalid value: "2026-01-02T02:59:05Z": must be set to within 5 minutes of '
                "kube-apiserver's current time"
            ),
        ),
        (
            certificate(end=NOW + 59 * MINUTE),
            {"notAfter": NOW + 59 * MINUTE},
            (
                "certificateChain: Invalid value: 3540000000000: leaf certificate lifetime must be "
                ">= 1 hour"
            ),
        ),
        (
            certificate(end=NOW + 3 * HOUR),
            {"notAfter": NOW + 3 * HOUR},
            (
                "certificateChain: Invalid value: 10800000000000: leaf certificate lifetime must be "
                "<= spec.maxExpirationSeconds (7200)"
            ),
        ),
        (
            CHAIN,
            {"beginRefreshAt": NOW + 9 * MINUTE},
            (
                'beginRefreshAt: Invalid value: "2026-01-02T03:13:05Z": must be at least 10 minutes '
                "after status.notBefore"
            ),
        ),
        (
            CHAIN,
            {"beginRefreshAt": NOW + 111 * MINUTE},
            (
                'beginRefreshAt: Invalid value: "2026-01-02T04:55:05Z": must be at least 10 minutes '
                "before status.notAfter"
            ),
        ),
    ],
)
def test_times(chain: str, changed: dict[str, datetime | None], error: str) -> None:
    assert issued(chain, **changed) == [f"status.{error}"]


def test_outcomes() -> None:
    assert errors("Denied") == []
    assert errors("Failed", certificateChain=CHAIN) == [
        (
            "status: Invalid value: non-condition status fields must be empty when denying or failing "
            "the PodCertificateRequest"
        )
    ]
    assert errors("Issued", "Denied") == [
        (
            'status.conditions.[1].type: Invalid value: "Denied": There may be at most one condition '
            'with type "Issued", "Denied", or "Failed"'
        )
    ]
    assert errors("Other") == [
        (
            'status.conditions.[0].type: Unsupported value: "Other": supported values: "Issued", '
            '"Denied", "Failed"'
        )
    ]
    assert errors(certificateChain=CHAIN) == [
        (
            'status: Invalid value: status is immutable unless transitioning to "Issued", "Denied", '
            'or "Failed"'
        )
    ]


def test_an_outcome_is_final() -> None:
    denied = request(conditions=[condition("Denied")])
    assert errors("Denied", old=denied) == []
    assert errors("Failed", old=denied) == [
        "status: Invalid value: immutable after PodCertificateRequest is issued, denied, or failed"
    ]
