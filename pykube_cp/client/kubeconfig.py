"""How to reach a cluster: kubeconfig files, and the files in a pod.

Credentials by external programs (``exec``, ``auth-provider``) are not supported: components have
certificates or tokens.
"""

# upstream: client-go tools/clientcmd/client_config.go, rest/config.go InClusterConfig

import base64
import binascii
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

SERVICE_ACCOUNT_FOLDER = Path("/var/run/secrets/kubernetes.io/serviceaccount")


class KubeconfigError(ValueError):
    """The file cannot be used, and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterAccess:
    """Where the API is and who we are there. PEM texts are already read; empty means none.

    Attributes:
        server: base URL.
        tls_server_name: name to expect in the server's certificate, if not that of the URL.
        token_file: file to read the bearer token from, again and again; wins over ``token``.
        impersonate: user to act as, with its groups.
        namespace: the context's default.
    """

    server: str
    ca_pem: str = field(default="", repr=False)
    insecure: bool = False
    tls_server_name: str = ""
    proxy_url: str = ""
    cert_pem: str = field(default="", repr=False)
    key_pem: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    token_file: str = ""
    username: str = ""
    password: str = field(default="", repr=False)
    impersonate: str = ""
    impersonate_groups: tuple[str, ...] = ()
    namespace: str = ""


def load(path: str | os.PathLike[str], context: str = "") -> ClusterAccess:
    """Read a kubeconfig file; ``context`` instead of its current one."""
    file = Path(path)
    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise KubeconfigError(f"error loading config file {str(path)!r}: {error}") from error
    if not isinstance(document, dict):
        raise KubeconfigError(f"error loading config file {str(path)!r}: not a mapping")
    return parse(document, file.parent, context)


def parse(document: Mapping[str, Any], folder: Path, context: str = "") -> ClusterAccess:
    """Read a kubeconfig; files it names are relative to ``folder``."""
    name = context or document.get("current-context") or ""
    chosen = _named(document, "contexts", name).get("context") or {}
    cluster = _named(document, "clusters", chosen.get("cluster", "")).get("cluster") or {}
    user_name = chosen.get("user", "")
    user = (_named(document, "users", user_name).get("user") or {}) if user_name else {}
    for unsupported in ("exec", "auth-provider"):
        if user.get(unsupported):
            raise KubeconfigError(f"user {user_name!r}: {unsupported} is not supported")
    token_file = user.get("tokenFile") or ""
    return ClusterAccess(
        server=(cluster.get("server") or "http://localhost:8080").rstrip("/"),
        ca_pem=_content(cluster, "certificate-authority", folder),
        insecure=bool(cluster.get("insecure-skip-tls-verify")),
        tls_server_name=cluster.get("tls-server-name") or "",
        proxy_url=cluster.get("proxy-url") or "",
        cert_pem=_content(user, "client-certificate", folder),
        key_pem=_content(user, "client-key", folder),
        token=user.get("token") or "",
        token_file=str(folder / token_file) if token_file else "",
        username=user.get("username") or "",
        password=user.get("password") or "",
        impersonate=user.get("as") or "",
        impersonate_groups=tuple(user.get("as-groups") or ()),
        namespace=chosen.get("namespace") or "",
    )


def in_cluster(folder: Path = SERVICE_ACCOUNT_FOLDER) -> ClusterAccess:
    """Access from inside a pod, by its service account."""
    host, port = (
        os.environ.get("KUBERNETES_SERVICE_HOST"),
        os.environ.get("KUBERNETES_SERVICE_PORT"),
    )
    if not host or not port:
        raise KubeconfigError(
            "unable to load in-cluster configuration, KUBERNETES_SERVICE_HOST and "
            "KUBERNETES_SERVICE_PORT must be defined"
        )
    address = f"[{host}]" if ":" in host else host
    return ClusterAccess(
        server=f"https://{address}:{port}",
        ca_pem=(folder / "ca.crt").read_text(encoding="ascii"),
        token_file=str(folder / "token"),
        namespace=(folder / "namespace").read_text(encoding="utf-8").strip(),
    )


def _named(document: Mapping[str, Any], part: str, name: str) -> Mapping[str, Any]:
    for entry in document.get(part) or ():
        if entry.get("name") == name:
            found: Mapping[str, Any] = entry
            return found
    singular = part.removesuffix("s")
    raise KubeconfigError(f"{singular} {name!r} does not exist")


def _content(section: Mapping[str, Any], name: str, folder: Path) -> str:
    """``name-data``, base64, or else the file ``name``."""
    data = section.get(f"{name}-data")
    try:
        if data:
            return base64.b64decode(data, validate=True).decode("ascii")
        file = section.get(name)
        return (folder / file).read_text(encoding="ascii") if file else ""
    except (OSError, UnicodeDecodeError, binascii.Error) as error:
        raise KubeconfigError(f"unable to read {name}: {error}") from error
