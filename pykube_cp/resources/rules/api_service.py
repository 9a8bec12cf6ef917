"""API services."""

from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule


def _default_service(reference: Object, _ctx: RuleContext) -> None:
    # upstream: kube-aggregator pkg/apis/apiregistration/v1/defaults.go
    if reference.get("port") is None:
        reference["port"] = 443


RULES = (
    TypeRule(
        type="io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.ServiceReference",
        default=_default_service,
    ),
)
