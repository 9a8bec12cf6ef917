"""The one door to the API for everything above it: local or remote."""
