"""Hooks of the kinds that need some: one page each."""
