"""Probes and what they call."""

from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule

_PROBE = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}


def _default_probe(probe: Object, _ctx: RuleContext) -> None:
    # upstream: pkg/apis/core/v1/defaults.go SetDefaults_Probe
    for field, value in _PROBE.items():
        if not probe.get(field):
            probe[field] = value


def _default_http_get(action: Object, _ctx: RuleContext) -> None:
    # upstream: pkg/apis/core/v1/defaults.go SetDefaults_HTTPGetAction
    if not action.get("path"):
        action["path"] = "/"
    if not action.get("scheme"):
        action["scheme"] = "HTTP"


RULES = (
    TypeRule(type="io.k8s.api.core.v1.Probe", default=_default_probe),
    TypeRule(type="io.k8s.api.core.v1.HTTPGetAction", default=_default_http_get),
)
