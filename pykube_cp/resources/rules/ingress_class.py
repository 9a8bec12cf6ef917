"""Ingress classes."""

from pykube_cp.machinery import names
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.registry.validation import validate_immutable
from pykube_cp.resources.shared import checks, defaults

_MAX_CONTROLLER = 250


def _validate_spec(spec: Object, path: Path, ctx: RuleContext) -> checks.Errors:
    """The controller never changes."""
    # upstream: pkg/apis/networking/validation/validation.go validateIngressClassSpec
    name, where = spec.get("controller") or "", path.child("controller")
    found = []
    if ctx.old is not None:
        found += validate_immutable(name, ctx.old["spec"].get("controller") or "", where)
    if len(name) > _MAX_CONTROLLER:
        found.append(FieldError.too_long(where, "", _MAX_CONTROLLER))
    return found + checks.prefixed_path(name, where)


def _validate_parameters(reference: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    # upstream: networking validation.go validateIngressClassParametersReference
    found = []
    if (group := reference.get("apiGroup")) is not None:
        found += checks.subdomain(group, path.child("apiGroup"))
    for field in ("kind", "name"):
        found += checks.must_name(reference, path, field, names.is_path_segment_name)
    scope, namespace = reference.get("scope"), reference.get("namespace")
    if scope is None:
        return [*found, FieldError.required(path.child("scope"))]
    found += checks.supported(scope, path.child("scope"), ("Cluster", "Namespace"))
    where = path.child("namespace")
    if scope == "Namespace":
        if namespace is None:
            text = "`parameters.scope` is set to 'Namespace'"
            return [*found, FieldError.required(where, text)]
        found += checks.label(namespace, where)
    elif scope == "Cluster" and namespace is not None:
        found.append(FieldError.forbidden(where, "`parameters.scope` is set to 'Cluster'"))
    return found


RULES = (
    # upstream: pkg/apis/networking/v1/defaults.go SetDefaults_IngressClass
    TypeRule(
        type="io.k8s.api.networking.v1.IngressClassParametersReference",
        default=defaults.missing(scope="Cluster"),
        validate=_validate_parameters,
    ),
    TypeRule(type="io.k8s.api.networking.v1.IngressClassSpec", validate=_validate_spec),
)
