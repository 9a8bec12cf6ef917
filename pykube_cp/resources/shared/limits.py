"""Numbers that rows share."""

EVENT_TTL_SECONDS = 3600
"""How long an Event is kept."""
# upstream: pkg/controlplane/apiserver/options/options.go EventTTL
