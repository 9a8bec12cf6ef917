"""Admission plugins: one page each."""
