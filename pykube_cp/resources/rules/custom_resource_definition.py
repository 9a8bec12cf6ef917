"""Custom resource definitions."""

from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule

_GROUP = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1."


def _default(definition: Object, _ctx: RuleContext) -> None:
    # upstream: apiextensions-apiserver pkg/apis/apiextensions/v1/defaults.go
    spec = definition.setdefault("spec", {})
    _default_names(spec.get("names") or {})
    if spec.get("conversion") is None:
        spec["conversion"] = {"strategy": "None"}
    status = definition.setdefault("status", {})
    if not status.get("storedVersions"):
        stored = [
            version["name"] for version in spec.get("versions") or () if version.get("storage")
        ]
        if stored:
            status["storedVersions"] = stored[:1]


def _default_names(names: Object) -> None:
    kind = names.get("kind") or ""
    if not names.get("singular") and kind:
        names["singular"] = kind.lower()
    if not names.get("listKind") and kind:
        names["listKind"] = f"{kind}List"


def _default_service(reference: Object, _ctx: RuleContext) -> None:
    if reference.get("port") is None:
        reference["port"] = 443


RULES = (
    TypeRule(type=f"{_GROUP}CustomResourceDefinition", default=_default),
    TypeRule(type=f"{_GROUP}ServiceReference", default=_default_service),
)
