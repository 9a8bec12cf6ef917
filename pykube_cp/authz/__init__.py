"""May they: authorizers in order."""
