"""TLS contexts of outbound connections, from PEM texts or files."""

import ssl
import tempfile
from pathlib import Path


def client_context(
    ca_pem: str = "", cert_pem: str = "", key_pem: str = "", *, insecure: bool = False
) -> ssl.SSLContext:
    """A context that trusts ``ca_pem`` and shows a certificate if there is one.

    Args:
        ca_pem: one or more CA certificates; the system's if empty.
        cert_pem: client certificate, with its chain.
        key_pem: its private key.
        insecure: trust whoever answers.
    """
    context = ssl.create_default_context(cadata=ca_pem or None)
    # Certificates of clusters need not have all that the strict mode of newer OpenSSLs asks for.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if cert_pem:
        _load_certificate(context, cert_pem, key_pem)
    return context


def _load_certificate(context: ssl.SSLContext, cert_pem: str, key_pem: str) -> None:
    # The ssl module reads certificates from files only; this one is ours alone and gone at once.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "client.pem"
        path.touch(mode=0o600)
        path.write_text(f"{cert_pem}\n{key_pem}\n", encoding="ascii")
        context.load_cert_chain(path)
