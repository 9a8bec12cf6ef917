"""The pykube-cp command: one page per subcommand."""
