"""Questions about the devices of a driver."""

from pykube_cp.registry.rules import TypeRule
from pykube_cp.resources.shared import defaults

_LIMIT = 100


RULES = (
    # upstream: pkg/apis/resource/v1alpha3/defaults.go SetDefaults_ResourcePoolStatusRequestSpec
    TypeRule(
        type="io.k8s.api.resource.v1alpha3.ResourcePoolStatusRequestSpec",
        default=defaults.missing(limit=_LIMIT),
    ),
)
