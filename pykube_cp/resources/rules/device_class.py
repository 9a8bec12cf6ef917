"""Classes of devices."""

from functools import partial

from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.resources.shared import checks, device_claims, resource_names
from pykube_cp.resources.shared.collections import sized


def _validate_spec(spec: Object, path: Path, ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/resource/validation/validation.go validateDeviceClassSpec
    old = (ctx.old.get("spec") or {}) if ctx.old is not None else {}
    found = device_claims.selectors(
        spec.get("selectors") or [],
        path.child("selectors"),
        stored=ctx.old is not None and spec.get("selectors") == old.get("selectors"),
    )
    stored = ctx.old is not None and spec.get("config") == old.get("config")
    each, where = partial(device_claims.parameters, stored=stored), path.child("config")
    found += sized(spec.get("config") or [], device_claims.MAX_CONFIGS, where, each)
    name = spec.get("extendedResourceName")
    if name is not None and not resource_names.is_extended(name):
        text = "must be a valid extended resource name"
        error = FieldError.invalid(path.child("extendedResourceName"), name, text)
        found.append(error.by_declaration("format=k8s-extended-resource-name"))
    return found


RULES = (TypeRule(type="io.k8s.api.resource.v1.DeviceClassSpec", validate=_validate_spec),)
