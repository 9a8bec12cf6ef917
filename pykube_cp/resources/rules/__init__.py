"""Defaults and validation of schema types: one page per type, applied wherever the type occurs."""
