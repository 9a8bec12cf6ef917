"""Subresources with behaviour of their own: one page each."""
