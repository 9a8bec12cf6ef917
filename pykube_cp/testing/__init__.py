"""For users' tests: fake clock, client on memory, simulated nodes."""
