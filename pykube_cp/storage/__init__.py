"""Keeping objects: the contract, its backends, and the watch cache above them."""
