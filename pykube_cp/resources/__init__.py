"""Which kinds there are: rows, strategies and rules."""
