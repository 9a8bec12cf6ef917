"""Containers, ephemeral ones too, each by itself; PodSpec has what is between them."""
# upstream: pkg/apis/core/validation/validation.go validateContainerCommon

from pykube_cp.machinery import names
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.resources.shared import checks, images, resource_requirements

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
    found += checks.chosen(container, path, "imagePullPolicy", images.PULL_POLICIES)
    resources = container.get("resources") or {}
    return found + resource_requirements.check_of_container(resources, path.child("resources"))


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


RULES = (
    TypeRule(type=f"{_V1}Container", default=_default, validate=_validate),
    TypeRule(type=f"{_V1}EphemeralContainer", default=_default, validate=_validate),
)
