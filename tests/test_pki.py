import base64
import stat
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from pykube_cp import pki
from pykube_cp.machinery import clock
from pykube_cp.pki import der, pem

NAMES = ["localhost", "kubernetes.default.svc.cluster.local"]
IPS = ["10.96.0.1", "127.0.0.1", "::1"]
DAY = 86400.0
Shift = Callable[[float], None]


@pytest.fixture
def shift_clock() -> Iterator[Shift]:
    def shift(seconds: float) -> None:
        start = clock.now()
        clock.use(lambda: start + seconds, clock.monotonic)

    yield shift
    clock.use_system()


def make_csr(
    common_name: str = "system:node:n1",
    organizations: Sequence[str] = ("system:nodes",),
    names: Sequence[x509.GeneralName] = (),
) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, name) for name in organizations]
    attributes.append(x509.NameAttribute(NameOID.COMMON_NAME, common_name))
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(attributes))
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def test_cluster_files_are_kubeadms(tmp_path: Path) -> None:
    directory = tmp_path / "pki"
    cluster = pki.ensure_cluster(directory, NAMES, IPS)
    assert sorted(path.name for path in directory.iterdir()) == [
        "apiserver-kubelet-client.crt",
        "apiserver-kubelet-client.key",
        "apiserver.crt",
        "apiserver.key",
        "ca.crt",
        "ca.key",
        "front-proxy-ca.crt",
        "front-proxy-ca.key",
        "front-proxy-client.crt",
        "front-proxy-client.key",
        "sa.key",
        "sa.pub",
    ]
    for path in directory.glob("*.key"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert path.read_bytes().startswith(b"-----BEGIN PRIVATE KEY-----")
    assert cluster.service_account_public_key == pki.public_key(cluster.service_account_key)
    assert pki.ensure_cluster(directory, NAMES, IPS) == cluster


def test_certificates_verify_as_tls_peers_do(tmp_path: Path) -> None:
    cluster = pki.ensure_cluster(tmp_path, NAMES, IPS)
    store = x509.verification.Store([pki.load_certificate(cluster.ca.certificate)])
    builder = x509.verification.PolicyBuilder().store(store)
    server = pki.load_certificate(cluster.apiserver.certificate)
    builder.build_server_verifier(x509.DNSName("kubernetes.default.svc")).verify(server, [])
    client = pki.client_certificate(cluster.ca, "alice", ["a", "b"])
    subject = pki.load_certificate(client.certificate).subject
    assert subject.rfc4514_string() == "CN=alice,O=b,O=a"


def test_new_names_renew_the_serving_certificate_only(tmp_path: Path) -> None:
    before = pki.ensure_cluster(tmp_path, NAMES, IPS)
    after = pki.ensure_cluster(tmp_path, NAMES, [*IPS, "192.168.1.5"])
    assert after.apiserver != before.apiserver
    assert after.ca == before.ca
    assert after.front_proxy_client == before.front_proxy_client
    assert pki.ensure_cluster(tmp_path, NAMES, IPS) == after


def test_renewal_when_expiring(tmp_path: Path, shift_clock: Shift) -> None:
    before = pki.ensure_cluster(tmp_path, NAMES, IPS)
    shift_clock(200 * DAY)
    assert pki.ensure_cluster(tmp_path, NAMES, IPS) == before
    shift_clock(100 * DAY)
    after = pki.ensure_cluster(tmp_path, NAMES, IPS)
    assert after.ca == before.ca
    assert after.apiserver.certificate != before.apiserver.certificate
    shift_clock(9 * 365 * DAY)
    renewed = pki.ensure_cluster(tmp_path, NAMES, IPS)
    assert renewed.ca.key == before.ca.key
    assert pki.expires_at(renewed.ca.certificate) > pki.expires_at(before.ca.certificate)
    pki.load_certificate(before.apiserver.certificate).verify_directly_issued_by(
        pki.load_certificate(renewed.ca.certificate)
    )


def test_authority_of_somebody_else_is_kept(tmp_path: Path) -> None:
    before = pki.ensure_cluster(tmp_path, NAMES, IPS)
    (tmp_path / "ca.key").unlink()
    after = pki.ensure_cluster(tmp_path, NAMES, [*IPS, "192.168.1.5"])
    assert after.apiserver == before.apiserver
    assert after.ca == pki.KeyPair(before.ca.certificate, b"")
    (tmp_path / "apiserver.crt").unlink()
    with pytest.raises(pki.PKIError, match=r"apiserver\.crt is missing"):
        pki.ensure_cluster(tmp_path, NAMES, IPS)


def test_replaced_authority_renews_its_leaves(tmp_path: Path) -> None:
    before = pki.ensure_cluster(tmp_path, NAMES, IPS)
    (tmp_path / "ca.crt").unlink()
    (tmp_path / "ca.key").unlink()
    after = pki.ensure_cluster(tmp_path, NAMES, IPS)
    assert after.apiserver != before.apiserver
    assert after.front_proxy_client == before.front_proxy_client


def test_kubeconfig_is_rewritten_only_when_it_no_longer_serves(tmp_path: Path) -> None:
    ca = pki.new_authority("kubernetes")
    path = tmp_path / "admin.conf"
    pki.ensure_kubeconfig(path, "https://a:6443", ca, "admin", ["system:masters"])
    first = path.read_bytes()
    document = yaml.safe_load(first)
    user = document["users"][0]["user"]
    certificate = pki.load_certificate(base64.b64decode(user["client-certificate-data"]))
    assert certificate.subject.rfc4514_string() == "CN=admin,O=system:masters"
    assert document["current-context"] == "admin@kubernetes"
    pki.ensure_kubeconfig(path, "https://a:6443", ca, "admin", ["system:masters"])
    assert path.read_bytes() == first
    pki.ensure_kubeconfig(path, "https://b:6443", ca, "admin", ["system:masters"])
    assert yaml.safe_load(path.read_bytes())["clusters"][0]["cluster"]["server"] == "https://b:6443"
    path.write_text("not: [a, kubeconfig]")
    pki.ensure_kubeconfig(path, "https://b:6443", ca, "admin")
    assert yaml.safe_load(path.read_bytes())["kind"] == "Config"


def test_parse_csr_reads_names() -> None:
    request = pki.parse_csr(
        make_csr(names=[x509.DNSName("n1"), x509.UniformResourceIdentifier("spiffe://x")])
    )
    assert request.common_name == "system:node:n1"
    assert request.organizations == ("system:nodes",)
    assert (request.dns_names, request.uris, request.ips) == (("n1",), ("spiffe://x",), ())


@pytest.mark.parametrize(
    ("pem", "text"),
    [
        (b"", "PEM block type must be CERTIFICATE REQUEST"),
        (b"-----BEGIN CERTIFICATE-----\n", "PEM block type must be CERTIFICATE REQUEST"),
        (b"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n", "."),
    ],
)
def test_parse_csr_refuses(pem: bytes, text: str) -> None:
    with pytest.raises(pki.PKIError, match=text):
        pki.parse_csr(pem)


@pytest.mark.parametrize(
    ("duration", "lifetime"),
    [
        (timedelta(hours=1), timedelta(hours=1, minutes=5)),
        (timedelta(days=365), timedelta(days=365)),
    ],
)
def test_signed_certificate(duration: timedelta, lifetime: timedelta) -> None:
    ca = pki.new_authority("kubernetes")
    request = pki.parse_csr(make_csr(names=[x509.DNSName("n1")]))
    pem = pki.sign_csr(request, ca, ["client auth", "digital signature", "server auth"], duration)
    certificate = pki.load_certificate(pem)
    assert certificate.not_valid_after_utc - certificate.not_valid_before_utc == lifetime
    extensions = certificate.extensions
    usage = extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert (usage.value.digital_signature, usage.value.key_encipherment) == (True, False)
    extended = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(extended) == [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    assert not extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    certificate.verify_directly_issued_by(pki.load_certificate(ca.certificate))


def test_signed_certificate_never_outlives_its_authority() -> None:
    ca = pki.new_authority("kubernetes")
    request = pki.parse_csr(make_csr())
    pem = pki.sign_csr(request, ca, ["client auth"], timedelta(days=36500))
    assert pki.expires_at(pem) == pki.expires_at(ca.certificate)


def test_expired_authority_signs_nothing(shift_clock: Shift) -> None:
    ca = pki.new_authority("kubernetes")
    shift_clock(4000 * DAY)
    with pytest.raises(pki.PKIError, match="the signer has expired: NotAfter="):
        pki.sign_csr(pki.parse_csr(make_csr()), ca, ["client auth"], timedelta(days=1))


def test_unknown_usages_are_refused() -> None:
    ca = pki.new_authority("kubernetes")
    with pytest.raises(pki.PKIError, match=r'unrecognized usage values: \["a" "b"\]'):
        pki.sign_csr(pki.parse_csr(make_csr()), ca, ["a", "client auth", "b"], timedelta(days=1))


def test_tampered_request_is_refused() -> None:
    ca = pki.new_authority("kubernetes")
    text = make_csr()
    body = bytearray(base64.b64decode(b"".join(text.splitlines()[1:-1])))
    at = bytes(body).index(b"system:node:n1")
    body[at : at + 14] = b"system:node:n2"
    pem = (
        b"-----BEGIN CERTIFICATE REQUEST-----\n"
        + base64.encodebytes(bytes(body))
        + b"-----END CERTIFICATE REQUEST-----\n"
    )
    with pytest.raises(pki.PKIError, match="unable to verify certificate request signature"):
        pki.sign_csr(pki.parse_csr(pem), ca, ["client auth"], timedelta(days=1))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("-----BEGIN A-----\nAAAA\n-----END A-----\n", [("A", False, 3)]),
        ("before\n-----BEGIN A-----\nk: v\nAA==\n-----END A-----", [("A", True, 1)]),
        ("x-----BEGIN A-----\nAAAA\n-----END A-----\n", []),
        ("-----BEGIN A-----\nAAAA\n-----END B-----\n", []),
        ("-----BEGIN A-----\nAA=\n-----END A-----\n", []),
        (
            "-----BEGIN B-----\n-----BEGIN A-----\nAA AA\n-----END A-----\n" * 2,
            [("A", False, 3), ("A", False, 3)],
        ),
    ],
)
def test_blocks_of_pem(text: str, found: list[tuple[str, bool, int]]) -> None:
    blocks = pem.blocks(text.encode())
    assert [(block.type, block.headers, len(block.content)) for block in blocks] == found


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x07"),  # version 8
        (b"\x06\x03\x55\x1d\x0f", b"\x06\x03\x55\x1d\x23"),  # an extension twice
    ],
)
def test_certificates_that_make_no_sense(before: bytes, after: bytes) -> None:
    authority = pki.new_authority("test")
    leaf = pki.issue(authority, pki.Subject(common_name="a")).certificate
    (block,) = pem.blocks(leaf)
    assert before in block.content
    with pytest.raises(pki.PKIError):
        der.read_certificate(block.content.replace(before, after))
