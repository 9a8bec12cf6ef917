"""Namespaces."""

from pykube_cp.machinery.field_errors import Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.registry.validation import own_finalizer
from pykube_cp.resources.shared import checks, defaults

NAME_LABEL = "kubernetes.io/metadata.name"


def _default(namespace: Object, _ctx: RuleContext) -> None:
    # upstream: pkg/apis/core/v1/defaults.go SetDefaults_Namespace
    meta = namespace.get("metadata") or {}
    if meta.get("name"):
        meta["labels"] = {**(meta.get("labels") or {}), NAME_LABEL: meta["name"]}


def _validate_spec(spec: Object, path: Path, ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go validateFinalizerName,
    # ValidateNamespaceFinalizeUpdate, which alone tells the place
    found = []
    for position, name in enumerate(spec.get("finalizers") or ()):
        where = path.child("finalizers")
        where = where if ctx.old is None else where.index(position)
        found += checks.qualified(name, where)
        found += own_finalizer(name, where)
    return found


RULES = (
    TypeRule(type="io.k8s.api.core.v1.Namespace", default=_default),
    TypeRule(type="io.k8s.api.core.v1.NamespaceStatus", default=defaults.zeros(phase="Active")),
    TypeRule(type="io.k8s.api.core.v1.NamespaceSpec", validate=_validate_spec),
)
