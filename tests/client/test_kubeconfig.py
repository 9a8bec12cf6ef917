import base64
from pathlib import Path

import pytest

from pykube_cp.client import kubeconfig
from pykube_cp.client.kubeconfig import KubeconfigError

CONFIG = """
apiVersion: v1
kind: Config
current-context: main
clusters:
- name: c
  cluster:
    server: https://10.0.0.1:6443/
    certificate-authority: pki/ca.crt
    tls-server-name: kubernetes
- name: plain
  cluster: {server: "http://localhost:8001"}
users:
- name: u
  user:
    client-certificate-data: %(cert)s
    client-key: key.pem
- name: t
  user: {tokenFile: token}
- name: e
  user: {exec: {command: aws}}
contexts:
- name: main
  context: {cluster: c, user: u, namespace: ns}
- name: token
  context: {cluster: plain, user: t}
- name: exec
  context: {cluster: plain, user: e}
- name: dangling
  context: {cluster: nowhere, user: u}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "pki").mkdir()
    (tmp_path / "pki/ca.crt").write_text("CA")
    (tmp_path / "key.pem").write_text("KEY")
    file = tmp_path / "config"
    file.write_text(CONFIG % {"cert": base64.b64encode(b"CERT").decode()})
    return file


def test_data_and_files(path: Path) -> None:
    access = kubeconfig.load(path)
    assert access.server == "https://10.0.0.1:6443"
    assert (access.ca_pem, access.cert_pem, access.key_pem) == ("CA", "CERT", "KEY")
    assert (access.tls_server_name, access.namespace) == ("kubernetes", "ns")
    assert "KEY" not in repr(access)


def test_another_context(path: Path) -> None:
    access = kubeconfig.load(path, "token")
    assert access.server == "http://localhost:8001"
    assert access.token_file == str(path.parent / "token")


@pytest.mark.parametrize(
    ("context", "text"),
    [
        ("none", "context 'none' does not exist"),
        ("dangling", "cluster 'nowhere' does not exist"),
        ("exec", "user 'e': exec is not supported"),
    ],
)
def test_what_cannot_be_used_says_why(path: Path, context: str, text: str) -> None:
    with pytest.raises(KubeconfigError, match=text):
        kubeconfig.load(path, context)


def test_unreadable_files_say_so(path: Path) -> None:
    (path.parent / "key.pem").unlink()
    with pytest.raises(KubeconfigError, match="unable to read client-key"):
        kubeconfig.load(path)
    with pytest.raises(KubeconfigError, match="error loading config file"):
        kubeconfig.load(path.parent / "absent")


def test_in_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ca.crt", "token", "namespace"):
        (tmp_path / name).write_text(name)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "fd00::1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    access = kubeconfig.in_cluster(tmp_path)
    assert access.server == "https://[fd00::1]:443"
    assert (access.ca_pem, access.namespace) == ("ca.crt", "namespace")
