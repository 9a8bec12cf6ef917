"""Ingresses."""

from pykube_cp.machinery import addresses, names
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.resources.shared import checks

_PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")
_NOT_IN_PATHS = ("//", "/./", "/../", "%2f", "%2F")
_NOT_AT_ENDS = ("/..", "/.")


def _validate_spec(spec: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/networking/validation/validation.go ValidateIngressSpec
    rules, backend = spec.get("rules") or [], spec.get("defaultBackend")
    found = []
    if not rules and backend is None:
        text = "either `defaultBackend` or `rules` must be specified"
        found.append(FieldError.invalid(path, spec.get("rules"), text))
    if backend is not None:
        found += _backend(backend, path.child("defaultBackend"))
    for position, rule in enumerate(rules):
        found += _rule(rule, path.child("rules").index(position))
    for position, secured in enumerate(spec.get("tls") or ()):
        where = path.child("tls").index(position)
        for number, host in enumerate(secured.get("hosts") or ()):
            found += _host(host, where.child("hosts").index(number))
        found += checks.named(secured, where, "secretName")
    if (name := spec.get("ingressClassName")) is not None:
        found += checks.subdomain(name, path.child("ingressClassName"))
    return found


def _host(host: str, path: Path) -> checks.Errors:
    check = names.is_wildcard_dns1123_subdomain if "*" in host else names.is_dns1123_subdomain
    return checks.invalid(path, host, check(host))


def _rule(rule: Object, path: Path) -> checks.Errors:
    host, where = rule.get("host") or "", path.child("host")
    found = []
    if host:
        if addresses.parse_ip_sloppy(host) is not None:
            text = "must be a DNS name, not an IP address"
            found.append(FieldError.invalid(where, host, text))
        found += _host(host, where)
    http = rule.get("http")
    if http is None:
        return found
    where = path.child("http", "paths")
    if not http.get("paths"):
        found.append(FieldError.required(where))
    for position, item in enumerate(http.get("paths") or ()):
        found += _path(item, where.index(position))
    return found


def _path(item: Object, path: Path) -> checks.Errors:
    # upstream: pkg/apis/networking/validation/validation.go validateHTTPIngressPath
    kind, text, where = item.get("pathType"), item.get("path") or "", path.child("path")
    if kind is None:
        return [FieldError.required(path.child("pathType"), "pathType must be specified")]
    found = checks.supported(kind, path.child("pathType"), _PATH_TYPES)
    strict = kind in {"Exact", "Prefix"}
    if not found and not text.startswith("/") and (strict or text):
        found.append(FieldError.invalid(where, text, "must be an absolute path"))
    if strict and text:
        wrong = [f"must not contain '{part}'" for part in _NOT_IN_PATHS if part in text]
        wrong += [f"cannot end with '{end}'" for end in _NOT_AT_ENDS if text.endswith(end)]
        found += checks.invalid(where, text, wrong)
    return found + _backend(item.get("backend") or {}, path.child("backend"))


def _backend(backend: Object, path: Path) -> checks.Errors:
    # upstream: pkg/apis/networking/validation/validation.go validateIngressBackend
    resource, service = backend.get("resource"), backend.get("service")
    if resource is not None and service is not None:
        text = "cannot set both resource and service backends"
        return [FieldError.invalid(path, "", text)]
    if resource is not None:
        return _resource(resource, path.child("resource"))
    if service is None:
        return [FieldError.invalid(path, "", "resource or service backend is required")]
    where = path.child("service")
    found = checks.must_name(service, where, "name", names.is_dns1123_label)
    port = service.get("port") or {}
    if port.get("name") and port.get("number"):
        text = "cannot set both port name & port number"
        found.append(FieldError.invalid(path, "", text))
    elif port.get("name"):
        found += checks.port(port["name"], where.child("port", "name"))
    elif port.get("number"):
        found += checks.port_number(port["number"], where.child("port", "number"))
    else:
        found.append(FieldError.required(path, "port name or number is required"))
    return found


def _resource(reference: Object, path: Path) -> checks.Errors:
    found = []
    if (group := reference.get("apiGroup")) is not None:
        found += checks.subdomain(group, path.child("apiGroup"))
    for field in ("kind", "name"):
        found += checks.must_name(reference, path, field, names.is_path_segment_name)
    return found


RULES = (TypeRule(type="io.k8s.api.networking.v1.IngressSpec", validate=_validate_spec),)
