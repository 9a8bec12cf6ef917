"""Keys and certificates of a cluster: authorities, leaves, signed requests, kubeconfigs.

All keys are ECDSA P-256: making one takes microseconds where RSA takes a tenth of a second.
What lies on disk is in ``files``: kubeadm's names, renewed when due.
"""

from pykube_cp.pki.certificates import (
    KeyPair,
    PKIError,
    Subject,
    client_certificate,
    expires_at,
    issue,
    load_certificate,
    new_authority,
    new_key,
    public_key,
)
from pykube_cp.pki.files import (
    ClusterPki,
    ensure_cluster,
    ensure_kubeconfig,
    ensure_leaf,
    kubeconfig,
    write_file,
)
from pykube_cp.pki.requests import CertificateRequest, parse_csr, sign_csr

__all__ = [
    "CertificateRequest",
    "ClusterPki",
    "KeyPair",
    "PKIError",
    "Subject",
    "client_certificate",
    "ensure_cluster",
    "ensure_kubeconfig",
    "ensure_leaf",
    "expires_at",
    "issue",
    "kubeconfig",
    "load_certificate",
    "new_authority",
    "new_key",
    "parse_csr",
    "public_key",
    "sign_csr",
    "write_file",
]
