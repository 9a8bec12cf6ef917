"""TLS of the server: certificates asked for but not required, and judged by the authenticator.

OpenSSL would end the handshake with a client whose certificate it does not trust. Upstream lets it
in and answers 401, so the verification callback of the context is replaced by one that accepts; the
x509 authenticator then checks the certificate against the client CA on every new connection. Where
the interpreter hides OpenSSL's symbols, untrusted certificates end the handshake instead.
"""

import _ssl
import ctypes
import logging
import ssl
from pathlib import Path

_log = logging.getLogger(__name__)
_VERIFY_PEER = 1
_VERIFY_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_void_p)


def _accept_all(preverified: int, store: int | None) -> int:
    del preverified, store
    return 1


_accept = _VERIFY_CALLBACK(_accept_all)  # kept alive here: OpenSSL holds only its address


def server_context(certificate: Path, key: Path, client_ca: Path | None) -> ssl.SSLContext:
    """A context for TLS 1.2 and later, offering HTTP/1.1."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    context.set_alpn_protocols(["http/1.1"])
    context.num_tickets = (
        0  # Go clients keep no sessions, and a ticket costs a third of a handshake
    )
    if client_ca is not None:
        context.load_verify_locations(client_ca)
        context.verify_mode = ssl.CERT_OPTIONAL
        _accept_any_client(context)
    return context


def _accept_any_client(context: ssl.SSLContext) -> None:
    library = ctypes.CDLL(getattr(_ssl, "__file__", None))
    try:
        set_verify = library.SSL_CTX_set_verify
    except AttributeError:
        _log.warning("this Python hides OpenSSL: untrusted client certificates end the handshake")
        return
    set_verify.argtypes = [ctypes.c_void_p, ctypes.c_int, _VERIFY_CALLBACK]
    set_verify.restype = None
    # The first field behind the object's header is the SSL_CTX pointer.
    pointer = ctypes.c_void_p.from_address(id(context) + object.__basicsize__).value
    set_verify(pointer, _VERIFY_PEER, _accept)
