"""Questions about the devices of a driver."""

from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule

_LIMIT = 100


def _default_spec(spec: Object, _ctx: RuleContext) -> None:
    # upstream: pkg/apis/resource/v1alpha3/defaults.go SetDefaults_ResourcePoolStatusRequestSpec
    if spec.get("limit") is None:
        spec["limit"] = _LIMIT


RULES = (
    TypeRule(
        type="io.k8s.api.resource.v1alpha3.ResourcePoolStatusRequestSpec", default=_default_spec
    ),
)
