"""References to fields of the pod itself."""

from pykube_cp.registry.rules import TypeRule
from pykube_cp.resources.shared import defaults

RULES = (
    # upstream: pkg/apis/core/v1/defaults.go SetDefaults_ObjectFieldSelector
    TypeRule(
        type="io.k8s.api.core.v1.ObjectFieldSelector", default=defaults.zeros(apiVersion="v1")
    ),
)
