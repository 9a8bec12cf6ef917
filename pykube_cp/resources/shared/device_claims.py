"""What a claim asks for: requests, constraints between them, configuration."""
# upstream: pkg/apis/resource/validation/validation.go validateDeviceClaim

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from pykube_cp.machinery import go_text
from pykube_cp.machinery.field_errors import OMITTED, FieldError, Path, by_declaration
from pykube_cp.machinery.objects import Object
from pykube_cp.resources.shared import checks, devices
from pykube_cp.resources.shared.collections import NO_LIMIT, distinct, itself, sized

MAX_REQUESTS = MAX_CONSTRAINTS = MAX_CONFIGS = MAX_SELECTORS = 32
_MAX_ALTERNATIVES = 8
_MAX_EXPRESSION = 10 * 1024
MAX_PARAMETERS = 10 * 1024
_MODES = ("All", "ExactCount")
_ONE_OF = "exactly one of `exactly` or `firstAvailable` is required"
_ONE_ATTRIBUTE = (
    'exactly one of "matchAttribute" or "distinctAttribute" is required, '
    "but multiple fields are set"
)
_NO_REQUEST = (
    "must be the name of a request in the claim or the name of a request and a subrequest separated "
    "by '/'"
)

Names = Mapping[str, frozenset[str]]
"""The requests of a claim, each with its alternatives."""


def check(claim: Object, path: Path) -> checks.Errors:
    """``spec.devices`` of a claim; what its expressions say is not judged."""
    known, constraints = request_names(claim), claim.get("constraints") or []
    attributes = _constrained(constraints)
    found = distinct(
        claim.get("requests") or [],
        MAX_REQUESTS,
        path.child("requests"),
        partial(_request, attributes=attributes),
        _name,
    )
    found += sized(
        constraints, MAX_CONSTRAINTS, path.child("constraints"), partial(_constraint, known=known)
    )
    return found + sized(
        claim.get("config") or [],
        MAX_CONFIGS,
        path.child("config"),
        partial(configuration, known=known),
    )


def _name(owner: Object) -> str:
    return owner.get("name") or ""


def request_names(claim: Object) -> Names:
    return {
        _name(request): frozenset(map(_name, request.get("firstAvailable") or ()))
        for request in claim.get("requests") or ()
    }


def reference(name: str, path: Path, known: Names) -> checks.Errors:
    """The name of a request of the claim."""
    # upstream: validateRequestNameRef
    parts = name.split("/")
    if len(parts) > 2:
        return [FieldError.invalid(path, name, _NO_REQUEST)]
    found = []
    for part in parts:
        found += devices.short_name(part, path)
    if parts[0] not in known or (len(parts) == 2 and parts[1] not in known[parts[0]]):
        found.append(FieldError.invalid(path, name, _NO_REQUEST))
    return found


def references(owner: Object, path: Path, known: Names) -> checks.Errors:
    names = owner.get("requests") or []
    each = partial(reference, known=known)
    return distinct(names, MAX_REQUESTS, path.child("requests"), each, itself)


# Requests.

Attributes = Mapping[str, frozenset[str]]
"""By request, or alternative of one, the attributes that constraints speak of."""


def _constrained(constraints: Sequence[Object]) -> Attributes:
    # upstream: gatherConstraintAttributes
    found: dict[str, frozenset[str]] = {}
    for constraint in constraints:
        attribute = constraint.get("matchAttribute")
        if attribute is None:
            attribute = constraint.get("distinctAttribute")
        if attribute is not None:
            for name in constraint.get("requests") or ("",):
                found[name] = found.get(name, frozenset()) | {attribute}
    return found


def _request(request: Object, path: Path, attributes: Attributes) -> checks.Errors:
    # upstream: validateDeviceRequest
    found = devices.short_name(_name(request), path.child("name"))
    exactly, alternatives = request.get("exactly"), request.get("firstAvailable") or []
    if exactly is None and not alternatives:
        return [*found, FieldError.required(path, _ONE_OF)]
    if exactly is not None and alternatives:
        text = f"{_ONE_OF}, but multiple fields are set"
        return [*found, FieldError.invalid(path, None, text)]
    if exactly is not None:
        where = path.child("exactly")
        found += _class(exactly, where)
        return found + _asked(exactly, where, _name(request), attributes)
    each = partial(_alternative, request=_name(request), attributes=attributes)
    where = path.child("firstAvailable")
    return found + distinct(alternatives, _MAX_ALTERNATIVES, where, each, _name)


def _alternative(
    alternative: Object, path: Path, request: str, attributes: Attributes
) -> checks.Errors:
    # upstream: validateDeviceSubRequest
    found = devices.short_name(_name(alternative), path.child("name"))
    found += by_declaration(_class(alternative, path))
    return found + _asked(alternative, path, f"{request}/{_name(alternative)}", attributes)


def _class(owner: Object, path: Path) -> checks.Errors:
    name, where = owner.get("deviceClassName") or "", path.child("deviceClassName")
    return devices.long_name(name, where) if name else [FieldError.required(where)]


def _asked(owner: Object, path: Path, name: str, attributes: Attributes) -> checks.Errors:
    found = selectors(owner.get("selectors") or [], path.child("selectors"))
    found += _derived(owner.get("derivedAttributes") or [], path, name, attributes)
    found += _mode(owner, path)
    return found + devices.tolerations(owner.get("tolerations") or [], path.child("tolerations"))


def selectors(values: Sequence[Object], path: Path, *, stored: bool = False) -> checks.Errors:
    """Expressions that were stored before are taken as they are."""
    return sized(values, MAX_SELECTORS, path, partial(_selector, stored=stored))


def _selector(selector: Object, path: Path, *, stored: bool) -> checks.Errors:
    cel = selector.get("cel")
    if cel is None:
        return [FieldError.required(path.child("cel"))]
    if stored:
        return []
    return _expression(cel.get("expression") or "", path.child("cel", "expression"))


def _expression(text: str, path: Path) -> checks.Errors:
    if checks.size(text) <= _MAX_EXPRESSION:
        return []
    return [FieldError.too_long(path, text, _MAX_EXPRESSION)]


def _derived(
    values: Sequence[Object], path: Path, request: str, attributes: Attributes
) -> checks.Errors:
    # upstream: validateDeviceDerivedAttribute
    spoken_of = [attributes.get(name, ()) for name in ("", request, request.partition("/")[0])]

    def each(value: Object, where: Path) -> checks.Errors:
        name, found = _name(value), []
        if name and not any(name in names for names in spoken_of):
            text = (
                "must be referenced by at least one matchAttribute or distinctAttribute constraint "
                "targeting this request"
            )
            found.append(FieldError.invalid(where.child("name"), name, text))
        return found + _expression(value.get("expression") or "", where.child("expression"))

    where = path.child("derivedAttributes")
    return distinct(values, NO_LIMIT, where, each, _name, declared=False)


def _mode(owner: Object, path: Path) -> checks.Errors:
    # upstream: validateDeviceAllocationMode
    mode, count = owner.get("allocationMode") or "", owner.get("count") or 0
    if mode not in _MODES:
        error = FieldError.not_supported(path.child("allocationMode"), mode, _MODES)
        return [error.by_declaration()]
    if mode == "All" and count:
        text = f"must not be specified when allocationMode is '{mode}'"
    elif mode != "All" and count <= 0:
        text = checks.NOT_POSITIVE
    else:
        return []
    return [FieldError.invalid(path.child("count"), count, text)]


# Constraints and configuration.


def _constraint(constraint: Object, path: Path, known: Names) -> checks.Errors:
    # upstream: validateDeviceConstraint
    found = references(constraint, path, known)
    for field in ("matchAttribute", "distinctAttribute"):
        if (name := constraint.get(field)) is not None:
            return found + by_declaration(devices.fully_qualified_name(name, path.child(field)))
    return [*found, FieldError.required(path, _ONE_ATTRIBUTE)]


def configuration(config: Object, path: Path, known: Names) -> checks.Errors:
    return references(config, path, known) + parameters(config, path, stored=False)


def parameters(config: Object, path: Path, *, stored: bool) -> checks.Errors:
    """What a driver gets to know; what was stored before may be as large as it is."""
    # upstream: validateDeviceConfiguration
    opaque, where = config.get("opaque"), path.child("opaque")
    if opaque is None:
        return [FieldError.required(where)]
    found = devices.declared_driver(opaque.get("driver") or "", where.child("driver"))
    limit = None if stored else MAX_PARAMETERS
    return found + json_object(opaque.get("parameters"), where.child("parameters"), limit)


def json_object(value: Any, path: Path, limit: int | None) -> checks.Errors:
    # upstream: validateRawExtension
    if value is None:
        return [FieldError.required(path)]
    if limit is not None and checks.size(go_text.marshal(value)) > limit:
        return [FieldError.too_long(path, OMITTED, limit)]
    if isinstance(value, dict):
        return []
    return [FieldError.invalid(path, "<value omitted>", "must be a valid JSON object")]
