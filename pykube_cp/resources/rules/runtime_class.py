"""Runtime classes."""

from pykube_cp.machinery import names
from pykube_cp.machinery.field_errors import FieldError, Path, by_declaration
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.resources.shared import checks, resource_requirements, tolerations
from pykube_cp.resources.shared.go_names import internal


def _handler(name: str, path: Path) -> checks.Errors:
    if not name:
        return [FieldError.required(path).by_declaration()]
    wrong = checks.invalid(path, name, names.is_dns1123_label(name))
    return by_declaration(wrong, "format=k8s-short-name")


def _validate(runtime_class: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/node/validation/validation.go ValidateRuntimeClass
    found = _handler(runtime_class.get("handler") or "", path.child("handler"))
    overhead = runtime_class.get("overhead")
    if overhead is not None:
        limits = {"limits": overhead.get("podFixed") or {}}
        found += resource_requirements.check_of_container(limits, path.child("overhead"))
    scheduling, where = runtime_class.get("scheduling") or {}, path.child("scheduling")
    found += checks.labels(scheduling.get("nodeSelector") or {}, where.child("nodeSelector"))
    return found + _tolerations(scheduling.get("tolerations") or [], where.child("tolerations"))


def _tolerations(given: list[Object], path: Path) -> checks.Errors:
    found = tolerations.check(given, path)
    seen: list[Object] = []
    for position, toleration in enumerate(given):
        key = {field: v for field, v in toleration.items() if field != "tolerationSeconds"}
        if key in seen:
            shown = internal(toleration, "io.k8s.api.core.v1.Toleration")
            found.append(FieldError.duplicate(path.index(position), shown))
        seen.append(key)
    return found


RULES = (TypeRule(type="io.k8s.api.node.v1.RuntimeClass", validate=_validate),)
