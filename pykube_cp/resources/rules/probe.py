"""Probes, hooks and what they call."""

from pykube_cp.machinery import names
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.resources.shared import checks, defaults

_V1 = "io.k8s.api.core.v1."
_PROBE = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}
_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc", "sleep")


def _default_probe(probe: Object, _ctx: RuleContext) -> None:
    # upstream: pkg/apis/core/v1/defaults.go SetDefaults_Probe
    defaults.fill_zeros(probe, _PROBE)


def _default_http_get(action: Object, _ctx: RuleContext) -> None:
    # upstream: pkg/apis/core/v1/defaults.go SetDefaults_HTTPGetAction
    if not action.get("path"):
        action["path"] = "/"
    if not action.get("scheme"):
        action["scheme"] = "HTTP"


def _validate_probe(probe: Object, path: Path, ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go validateProbe
    found = _validate_handler(probe, path, ctx)
    found += checks.nonnegative(probe, path, "initialDelaySeconds", *_PROBE)
    grace = probe.get("terminationGracePeriodSeconds")
    if grace is not None and grace <= 0:
        where = path.child("terminationGracePeriodSeconds")
        found.append(FieldError.invalid(where, grace, "must be greater than 0"))
    return found


def _validate_handler(handler: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    """There is one way to do it."""
    # upstream: pkg/apis/core/validation/validation.go validateHandler
    used = [name for name in _HANDLERS if handler.get(name) is not None]
    if not used:
        return [FieldError.required(path, "must specify a handler type")]
    text = "may not specify more than 1 handler type"
    return [FieldError.forbidden(path.child(name), text) for name in used[1:]]


def _validate_exec(action: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    return checks.required(action, path, "command")


def _validate_http_get(action: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go validateHTTPGetAction
    found = checks.required(action, path, "path")
    found += checks.port(action.get("port"), path.child("port"))
    found += checks.supported(action.get("scheme", ""), path.child("scheme"), ("HTTP", "HTTPS"))
    for header in action.get("httpHeaders") or ():
        name = header.get("name", "")
        where = path.child("httpHeaders")
        found += checks.invalid(where, name, names.is_http_header_name(name))
    return found


def _validate_tcp_socket(action: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    return checks.port(action.get("port"), path.child("port"))


def _validate_grpc(action: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    return checks.port_number(action.get("port") or 0, path.child("port"))


RULES = (
    TypeRule(type=f"{_V1}Probe", default=_default_probe, validate=_validate_probe),
    TypeRule(type=f"{_V1}LifecycleHandler", validate=_validate_handler),
    TypeRule(type=f"{_V1}ExecAction", validate=_validate_exec),
    TypeRule(type=f"{_V1}HTTPGetAction", default=_default_http_get, validate=_validate_http_get),
    TypeRule(type=f"{_V1}TCPSocketAction", validate=_validate_tcp_socket),
    TypeRule(type=f"{_V1}GRPCAction", validate=_validate_grpc),
)
