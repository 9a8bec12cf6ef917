"""Requests for service-account tokens."""

from pykube_cp.registry.rules import TypeRule
from pykube_cp.resources.shared import defaults

RULES = (
    # upstream: pkg/apis/authentication/v1/defaults.go SetDefaults_TokenRequestSpec
    TypeRule(
        type="io.k8s.api.authentication.v1.TokenRequestSpec",
        default=defaults.missing(expirationSeconds=3600),
    ),
)
