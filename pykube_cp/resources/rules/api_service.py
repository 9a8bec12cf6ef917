"""API services."""

from pykube_cp.machinery import names
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.resources.shared import checks, defaults

_MAX_GROUP, _MAX_VERSION = 20000, 1000
_STATUSES = ("True", "False", "Unknown")


def _validate(service: Object, path: Path, ctx: RuleContext) -> checks.Errors:
    # upstream: kube-aggregator pkg/apis/apiregistration/validation/validation.go
    spec, where = service.get("spec") or {}, path.child("spec")
    if ctx.old is not None and spec == ctx.old.get("spec"):
        return []
    group, version = spec.get("group") or "", spec.get("version") or ""
    name, wanted = (service.get("metadata") or {}).get("name", ""), f"{version}.{group}"
    found = []
    if name != wanted:
        text = f'must be `spec.version+"."+spec.group`: "{wanted}"'
        found.append(FieldError.invalid(path.child("metadata", "name"), name, text))
    if not group and version != "v1":
        text = "only v1 may have an empty group and it better be legacy kube"
        found.append(FieldError.required(where.child("group"), text))
    found += checks.named(spec, where, "group")
    found += checks.invalid(where.child("version"), version, names.is_dns1035_label(version))
    for field, limit in (("groupPriorityMinimum", _MAX_GROUP), ("versionPriority", _MAX_VERSION)):
        value = spec.get(field) or 0
        if not 0 < value <= limit:
            text = f"must be positive and less than {limit}"
            found.append(FieldError.invalid(where.child(field), value, text))
    return found + _server(spec, where)


def _server(spec: Object, path: Path) -> checks.Errors:
    service, bundle = spec.get("service"), spec.get("caBundle")
    insecure, where = spec.get("insecureSkipTLSVerify"), path.child("insecureSkipTLSVerify")
    found = []
    if service is None:
        if bundle:
            size = f"{checks.decoded_size(bundle)} bytes"
            text = "local APIServices may not have a caBundle"
            found.append(FieldError.invalid(path.child("caBundle"), size, text))
        if insecure:
            text = "local APIServices may not have insecureSkipTLSVerify"
            found.append(FieldError.invalid(where, insecure, text))
        return found
    place = path.child("service")
    found += checks.required(service, place, "namespace", "name")
    port = service.get("port") or 0
    if wrong := names.is_valid_port_num(port):
        text = f"port is not valid: {', '.join(wrong)}"
        found.append(FieldError.invalid(place.child("port"), port, text))
    if insecure and bundle:
        text = "may not be true if caBundle is present"
        found.append(FieldError.invalid(where, insecure, text))
    return found


def _validate_condition(condition: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    return checks.supported(condition.get("status") or "", path.child("status"), _STATUSES)


RULES = (
    # upstream: kube-aggregator pkg/apis/apiregistration/v1/defaults.go
    TypeRule(
        type="io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.ServiceReference",
        default=defaults.missing(port=443),
    ),
    TypeRule(
        type="io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIService", validate=_validate
    ),
    TypeRule(
        type="io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIServiceCondition",
        validate=_validate_condition,
    ),
)
