"""Scheduler plugins: one page each."""
