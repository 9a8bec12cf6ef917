"""Sockets, TLS and HTTP framing; the only part that sees them."""
