"""Warnings, as cases say that upstream has them."""

import base64
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pykube_cp.pki import der
from pykube_cp.pki.certificates import PKIError, new_authority
from pykube_cp.registry.strategy import WriteContext
from pykube_cp.resources import catalog
from pykube_cp.resources.shared import key_pairs, volume_updates
from pykube_cp.testing.fake_client import FakeClient

CASES = Path(__file__).parent.parent / "cases" / "warnings.yaml"
ROWS = {f"{row.api_version} {row.kind}": row for row in catalog.RESOURCES}


@pytest.mark.parametrize("case", yaml.safe_load(CASES.read_text()), ids=lambda case: case["name"])
def test_warnings(case: dict[str, Any]) -> None:
    context = WriteContext(client=FakeClient())
    strategy = ROWS[case["row"]].strategy
    if "old" in case:
        found = strategy.warnings_on_update(context, case["obj"], case["old"])
    else:
        found = strategy.warnings_on_create(context, case["obj"])
    assert found == case["warnings"]


def test_mount_options_are_for_volumes_that_have_any() -> None:
    key = "volume.beta.kubernetes.io/mount-options"
    volume: dict[str, Any] = {"metadata": {"annotations": {key: "x"}}, "spec": {"nfs": {}}}
    assert volume_updates.check_mount_options(volume) == []
    volume["spec"] = {"nfs": None, "csi": {}}
    [error] = volume_updates.check_mount_options(volume)
    assert str(error) == (
        f"metadata.annotations.{key}: Forbidden: may not specify mount options for this volume type"
    )


def in_pem(kind: str, content: bytes) -> bytes:
    encoded = base64.b64encode(content).decode()
    return f"-----BEGIN {kind}-----\n{encoded}\n-----END {kind}-----\n".encode()


def der_of(pem: bytes) -> bytes:
    return base64.b64decode(b"".join(pem.split(b"\n")[1:-2]))


def test_what_is_wrong_with_a_certificate_and_a_key() -> None:
    made, other = new_authority("x"), new_authority("x")
    certificate, key = der_of(made.certificate), der_of(made.key)
    for pair, said in (
        ((made.certificate, made.key), ""),
        ((made.certificate, other.key), "tls: private key does not match public key"),
        ((made.certificate, in_pem("PRIVATE KEY", key + b"xx")), ""),
        ((made.certificate, in_pem("PRIVATE KEY", b"xx")), "tls: failed to parse private key"),
        ((in_pem("CERTIFICATE", certificate + b"xx"), made.key), "x509: trailing data"),
        ((in_pem("CERTIFICATE", certificate[:99]), made.key), "x509: malformed certificate"),
        ((b"-----BEGIN CERTIFICATE-----\nAAAA\n", made.key), NO_CERTIFICATE),
        ((b"text\n" + made.certificate, b"text\n" + made.key), ""),
    ):
        assert key_pairs.why_no_pair(*pair) == said
    odd = in_pem("UNPRIVATE KEY", key)
    assert key_pairs.why_no_pair(made.certificate, odd).endswith("types: [UNPRIVATE KEY]")


NO_CERTIFICATE = "tls: failed to find any PEM data in certificate input"


def test_a_key_must_be_of_the_certificate_s_kind() -> None:
    authority = new_authority("x")
    form = Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    for kind, said in (
        (Ed25519PrivateKey, "tls: private key type does not match public key type"),
        (X25519PrivateKey, "tls: found unknown private key type in PKCS#8 wrapping"),
    ):
        key = kind.generate().private_bytes(*form)
        assert key_pairs.why_no_pair(authority.certificate, key) == said


def test_certificates_may_stand_one_behind_the_other() -> None:
    content = der_of(new_authority("x").certificate)
    assert len(der.read_certificates(content * 2)) == 2
    assert der.read_certificates(b"") == []
    with pytest.raises(PKIError, match="malformed certificate"):
        der.read_certificates(content + b"xx")


def test_a_certificate_may_be_for_a_kind_of_key_that_nobody_knows() -> None:
    made = new_authority("x")
    # id-ecPublicKey, with its last arc changed
    odd = der_of(made.certificate).replace(
        b"\x2a\x86\x48\xce\x3d\x02\x01", b"\x2a\x86\x48\xce\x3d\x02\x7f"
    )
    said = key_pairs.why_no_pair(in_pem("CERTIFICATE", odd), made.key)
    assert said == "tls: unknown public key algorithm"
