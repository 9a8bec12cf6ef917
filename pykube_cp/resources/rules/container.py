"""Containers, ephemeral ones too, each by itself; PodSpec has what is between them."""
# upstream: pkg/apis/core/validation/validation.go validateContainerCommon

from pykube_cp.machinery import names
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.resources.shared import checks, images, resource_names

_V1 = "io.k8s.api.core.v1."
_MESSAGE_POLICIES = ("File", "FallbackToLogsOnError")


def _default(container: Object, _ctx: RuleContext) -> None:
    # upstream: pkg/apis/core/v1/defaults.go SetDefaults_Container
    if not container.get("imagePullPolicy"):
        container["imagePullPolicy"] = images.pull_policy(container.get("image") or "")
    if not container.get("terminationMessagePath"):
        container["terminationMessagePath"] = "/dev/termination-log"
    if not container.get("terminationMessagePolicy"):
        container["terminationMessagePolicy"] = "File"


def _validate(container: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    found = checks.must_name(container, path, "name", names.is_dns1123_label)
    found += checks.required(container, path, "image")
    found += checks.chosen(container, path, "terminationMessagePolicy", _MESSAGE_POLICIES)
    found += _ports(container.get("ports") or [], path.child("ports"))
    return found + checks.chosen(container, path, "imagePullPolicy", images.PULL_POLICIES)


def _ports(ports: list[Object], path: Path) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go validateContainerPorts
    found = []
    seen: set[str] = set()
    for position, port in enumerate(ports):
        where = path.index(position)
        name = port.get("name")
        wrong = checks.named(port, where, "name", names.is_port_name)
        if name and not wrong and name in seen:
            wrong = [FieldError.duplicate(where.child("name"), name)]
        seen.add(name or "")
        found += wrong
        if not port.get("containerPort"):
            found.append(FieldError.required(where.child("containerPort")))
        else:
            found += checks.port_number(port["containerPort"], where.child("containerPort"))
        if port.get("hostPort"):
            found += checks.port_number(port["hostPort"], where.child("hostPort"))
        found += checks.chosen(port, where, "protocol", checks.PROTOCOLS)
    return found


def _validate_resources(resources: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go validateResourceRequirements
    if str(path) == "spec.resources":
        return []
    found = []
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    for name, value in sorted(limits.items()):
        found += resource_names.check_of_container(name, path.child("limits").key(name))
        found += _amount(name, value, path.child("limits").key(name))
    for name, value in sorted(requests.items()):
        found += resource_names.check_of_container(name, path.child("requests").key(name))
        found += _amount(name, value, path.child("requests").key(name))
        found += _within_limit(name, value, limits, path)
    used = limits.keys() | requests.keys()
    if any(map(resource_names.is_huge_pages, used)) and not used & {"cpu", "memory"}:
        found.append(FieldError.forbidden(path, "HugePages require cpu or memory"))
    return found


def _amount(name: str, value: str, path: Path) -> checks.Errors:
    amount = checks.quantity(value)
    if amount is None:
        return []
    found = resource_names.check_amount(name, value, path)
    return found + resource_names.check_pages(name, amount, path)


def _within_limit(name: str, value: str, limits: Object, path: Path) -> checks.Errors:
    where = path.child("requests")
    if name not in limits:
        if resource_names.allows_overcommit(name):
            return []
        text = "Limit must be set for non overcommitable resources"
        return [FieldError.required(path.child("limits"), text)]
    request, limit = checks.quantity(value), checks.quantity(limits[name])
    if request is None or limit is None:
        return []
    if request.cmp(limit) != 0 and not resource_names.allows_overcommit(name):
        text = f"must be equal to {name} limit of {limit}"
    elif request.cmp(limit) > 0:
        text = f"must be less than or equal to {name} limit of {limit}"
    else:
        return []
    return [FieldError.invalid(where, str(request), text)]


RULES = (
    TypeRule(type=f"{_V1}Container", default=_default, validate=_validate),
    TypeRule(type=f"{_V1}EphemeralContainer", default=_default, validate=_validate),
    TypeRule(type=f"{_V1}ResourceRequirements", validate=_validate_resources),
)
