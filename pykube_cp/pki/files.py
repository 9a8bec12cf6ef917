"""The files of a cluster's keys and certificates, named as kubeadm names them.

Files are written beside their place and renamed, so a reader never sees half of one.
"""
# upstream: cmd/kubeadm/app/phases/certs/certlist.go GetDefaultCertList

import base64
import os
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import yaml
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization

from pykube_cp.pki.certificates import (
    SERVER_AUTH,
    KeyPair,
    PKIError,
    Subject,
    alternative_names,
    client_certificate,
    issue,
    load_certificate,
    new_authority,
    new_key,
    now,
    public_key,
)

_RENEW_AUTHORITY_BEFORE = timedelta(days=730)
_RENEW_LEAF_BEFORE = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class ClusterPki:
    """The key material of a control plane, as it lies in ``directory``."""

    directory: Path
    ca: KeyPair
    front_proxy_ca: KeyPair
    apiserver: KeyPair
    apiserver_kubelet_client: KeyPair
    front_proxy_client: KeyPair
    service_account_key: bytes
    service_account_public_key: bytes


def write_file(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Put ``data`` at ``path`` at once, readable by the owner unless ``mode`` says more."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def kubeconfig(
    server: str, ca_certificate: bytes, user: str, credentials: KeyPair | str, cluster: str = ""
) -> str:
    """A kubeconfig with everything inside; ``credentials`` is a certificate with key or a token."""
    cluster = cluster or "kubernetes"
    context = f"{user}@{cluster}"
    if isinstance(credentials, str):
        auth = {"token": credentials}
    else:
        auth = {
            "client-certificate-data": base64.b64encode(credentials.certificate).decode(),
            "client-key-data": base64.b64encode(credentials.key).decode(),
        }
    authority = base64.b64encode(ca_certificate).decode()
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": cluster,
                "cluster": {"certificate-authority-data": authority, "server": server},
            }
        ],
        "contexts": [{"name": context, "context": {"cluster": cluster, "user": user}}],
        "current-context": context,
        "users": [{"name": user, "user": auth}],
    }
    return yaml.safe_dump(document, sort_keys=False, width=1_000_000)


def ensure_kubeconfig(
    path: Path, server: str, ca: KeyPair, user: str, groups: Sequence[str] = ()
) -> None:
    """Write a kubeconfig of ``user``, unless the one there still serves."""
    if path.exists() and not _kubeconfig_is_due(path, server, ca, user):
        return
    text = kubeconfig(server, ca.certificate, user, client_certificate(ca, user, groups))
    write_file(path, text.encode())


def _kubeconfig_is_due(path: Path, server: str, ca: KeyPair, user: str) -> bool:
    try:
        document = yaml.safe_load(path.read_bytes())
        cluster = document["clusters"][0]["cluster"]
        entry = document["users"][0]
        certificate = base64.b64decode(entry["user"]["client-certificate-data"])
        authority = base64.b64decode(cluster["certificate-authority-data"])
        if (cluster["server"], authority, entry["name"]) != (server, ca.certificate, user):
            return True
        return _ends_within(certificate, _RENEW_LEAF_BEFORE) or not _is_issued_by(
            load_certificate(certificate), ca
        )
    except (yaml.YAMLError, KeyError, IndexError, TypeError, ValueError):
        return True


def ensure_cluster(directory: Path, dns_names: Sequence[str], ips: Sequence[str]) -> ClusterPki:
    """Everything a control plane needs, made where missing and renewed where due.

    ``dns_names`` and ``ips`` are what the API server answers under, beside
    ``kubernetes.default`` and the like. An authority without its key is somebody else's: it is
    kept, and its certificates must be there.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    ca = _ensure_authority(directory / "ca", "kubernetes")
    front_proxy_ca = _ensure_authority(directory / "front-proxy-ca", "front-proxy-ca")
    serving = Subject(
        common_name="kube-apiserver",
        dns_names=("kubernetes", "kubernetes.default", "kubernetes.default.svc", *dns_names),
        ips=tuple(ips),
        extended_usage=SERVER_AUTH,
    )
    # Nobody binds a role to the API server's own name, so it comes as an administrator.
    kubelet_client = Subject(
        common_name="kube-apiserver-kubelet-client", organizations=("system:masters",)
    )
    front_proxy = Subject(common_name="front-proxy-client")
    key, public = _ensure_service_account_key(directory)
    return ClusterPki(
        directory=directory,
        ca=ca,
        front_proxy_ca=front_proxy_ca,
        apiserver=ensure_leaf(directory / "apiserver", ca, serving),
        apiserver_kubelet_client=ensure_leaf(
            directory / "apiserver-kubelet-client", ca, kubelet_client
        ),
        front_proxy_client=ensure_leaf(
            directory / "front-proxy-client", front_proxy_ca, front_proxy
        ),
        service_account_key=key,
        service_account_public_key=public,
    )


def ensure_leaf(base: Path, ca: KeyPair, subject: Subject) -> KeyPair:
    """The pair ``base.crt`` and ``base.key``, issued anew when due or when it no longer fits."""
    return _ensure_pair(
        base,
        make=lambda _: issue(ca, subject),
        due=lambda pair: _leaf_is_due(pair, ca, subject),
        can_renew=bool(ca.key),
    )


def _ensure_authority(base: Path, common_name: str) -> KeyPair:
    return _ensure_pair(
        base,
        make=lambda old: new_authority(common_name, old.key if old else None),
        due=lambda pair: bool(pair.key) and _ends_within(pair.certificate, _RENEW_AUTHORITY_BEFORE),
        can_renew=True,
    )


def _ensure_pair(
    base: Path,
    make: Callable[[KeyPair | None], KeyPair],
    due: Callable[[KeyPair], bool],
    *,
    can_renew: bool,
) -> KeyPair:
    found = _read_pair(base)
    if found and not (can_renew and due(found)):
        return found
    if not can_renew:
        raise PKIError(f"{base}.crt is missing and the key of its authority is not here")
    made = make(found)
    if found is None or found.key != made.key:
        write_file(base.with_name(base.name + ".key"), made.key)
    write_file(base.with_name(base.name + ".crt"), made.certificate, 0o644)
    return made


def _read_pair(base: Path) -> KeyPair | None:
    certificate, key = (base.with_name(base.name + suffix) for suffix in (".crt", ".key"))
    if not certificate.exists():
        return None
    return KeyPair(certificate.read_bytes(), key.read_bytes() if key.exists() else b"")


def _ends_within(certificate: bytes, period: timedelta) -> bool:
    return load_certificate(certificate).not_valid_after_utc - now() < period


def _leaf_is_due(pair: KeyPair, ca: KeyPair, subject: Subject) -> bool:
    certificate = load_certificate(pair.certificate)
    if not pair.key or public_key(pair.key) != _public_pem(certificate):
        return True
    if certificate.not_valid_after_utc - now() < _RENEW_LEAF_BEFORE:
        return True
    return not _is_issued_by(certificate, ca) or not _answers_under(certificate, subject)


def _public_pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _is_issued_by(certificate: x509.Certificate, ca: KeyPair) -> bool:
    try:
        certificate.verify_directly_issued_by(load_certificate(ca.certificate))
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _answers_under(certificate: x509.Certificate, subject: Subject) -> bool:
    wanted = set(alternative_names(subject.dns_names, subject.ips))
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return not wanted
    return wanted <= set(names)


def _ensure_service_account_key(directory: Path) -> tuple[bytes, bytes]:
    key_path, public_path = directory / "sa.key", directory / "sa.pub"
    key = key_path.read_bytes() if key_path.exists() else b""
    if not key:
        key = new_key()
        write_file(key_path, key)
    public = public_key(key)
    if not public_path.exists():
        write_file(public_path, public, 0o644)
    return key, public_path.read_bytes()
