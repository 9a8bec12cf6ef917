"""How much of a device's capacity may be asked for."""
# upstream: pkg/apis/resource/validation/validation.go validateRequestPolicy

from collections.abc import Mapping, Sequence

from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.quantity import Quantity
from pykube_cp.resources.shared import checks
from pykube_cp.resources.shared.collections import distinct

_MAX_OPTIONS = 10
_MAX_INT = (1 << 63) - 1
_MILLI = 1_000_000
"""Billionths in a thousandth."""
_BOTH = (
    'exactly one policy can be specified, cannot specify "validValues" and "validRange" at the same '
    "time"
)


def check_of_shared(capacity: Object, path: Path) -> checks.Errors:
    """Of a device that several may use at once."""
    policy, where = capacity.get("requestPolicy"), path.child("requestPolicy")
    if policy is None:
        return []
    values, span, default = (
        policy.get("validValues"),
        policy.get("validRange"),
        policy.get("default"),
    )
    if values and span is not None:
        return [FieldError.forbidden(where, _BOTH)]
    field = "validValues" if values else "validRange"
    if not values and span is None:
        return []
    if default is None:
        text = f"required when {field} is defined"
        return [FieldError.required(where.child("default"), text)]
    most, usual = _quantity(capacity.get("value") or "0"), _quantity(default)
    if values:
        return _values([_quantity(value) for value in values], usual, most, where.child(field))
    bounds = {name: _quantity(text) for name, text in span.items() if text is not None}
    return _range(bounds, usual, most, where.child(field))


def check_of_single(capacity: Object, path: Path) -> checks.Errors:
    if capacity.get("requestPolicy") is None:
        return []
    text = "allowMultipleAllocations must be true"
    return [FieldError.forbidden(path.child("requestPolicy"), text)]


def _quantity(text: object) -> Quantity:
    return Quantity.parse(str(text))


def _invalid(path: Path, value: Quantity, text: str) -> FieldError:
    return FieldError.invalid(path, str(value), text)


def _values(
    values: Sequence[Quantity], default: Quantity, most: Quantity, path: Path
) -> checks.Errors:
    # upstream: validateRequestPolicyValidValues
    found = []
    for position in range(1, len(values)):
        if values[position - 1].cmp(values[position]) > 0:
            text = "values must be sorted in ascending order"
            found.append(_invalid(path.index(position), values[position], text))

    def each(value: Quantity, where: Path) -> checks.Errors:
        if value.cmp(most) <= 0:
            return []
        return [_invalid(where, value, f"option is larger than capacity value: {most}")]

    found += distinct(values, _MAX_OPTIONS, path, each, _key, declared=False)
    if len(values) > _MAX_OPTIONS or not any(value.cmp(default) == 0 for value in values):
        text = "default value is not valid according to the requestPolicy"
        found.append(_invalid(path, default, text))
    return found


def _key(value: Quantity) -> str:
    """As a decimal number, which upstream shows of a repeated one."""
    whole, rest = divmod(abs(value.nanos), 10**9)
    digits = f"{whole}.{rest:09}".rstrip("0").rstrip(".")
    return f"-{digits}" if value.nanos < 0 else digits


Bounds = Mapping[str, Quantity]


def _range(span: Bounds, default: Quantity, most: Quantity, path: Path) -> checks.Errors:
    # upstream: validateRequestPolicyRange
    least, upper, step = span.get("min"), span.get("max"), span.get("step")
    if least is None:
        return [FieldError.required(path.child("min"), "required when validRange is defined")]
    found = []

    def refuse(name: str, value: Quantity, text: str, limit: Quantity) -> None:
        found.append(_invalid(path.child(name), value, f"{text}: {limit}"))

    if least.cmp(most) > 0:
        refuse("min", least, "min is larger than capacity value", most)
    if default.cmp(least) < 0:
        refuse("default", default, "default is less than min", least)
    if upper is not None:
        if least.cmp(upper) > 0:
            refuse("max", least, "min is larger than max", upper)
        if upper.cmp(most) > 0:
            refuse("max", upper, "max is larger than capacity value", most)
        if default.cmp(upper) > 0:
            refuse("default", default, "default is more than max", upper)
    in_thousandths = any(value.nanos % 10**9 for value in (*span.values(), default))
    named = {"default": default, **{name: span[name] for name in _ORDER if name in span}}
    if in_thousandths and (odd := _not_in_thousandths(named, path)):
        return found + odd
    if step is None:
        return found
    return found + _step(named, most, path, in_thousandths=in_thousandths)


_ORDER = ("min", "max", "step")


def _not_in_thousandths(named: Bounds, path: Path) -> checks.Errors:
    text = "value cannot be represented as a milli value"
    return [
        _invalid(path.child(name), value, text)
        for name, value in named.items()
        if value.nanos % _MILLI or abs(value.nanos // _MILLI) > _MAX_INT
    ]


def _step(named: Bounds, most: Quantity, path: Path, *, in_thousandths: bool) -> checks.Errors:
    step, least, where = named["step"], named["min"], path.child("step")
    if step.sign() <= 0:
        return [_invalid(where, step, checks.NOT_POSITIVE)]
    found, first = [], least.add(step)
    if first.cmp(most) > 0:
        found.append(
            _invalid(where, step, f"one step {first} is larger than capacity value: {most}")
        )
    if not in_thousandths and (odd := _too_large(named, path)):
        return found + odd
    for name in ("default", "max"):
        value = named.get(name)
        if value is not None and (value.nanos - least.nanos) % step.nanos:
            text = f"value is not a multiple of a given step ({step}) from ({least})"
            found.append(_invalid(where, value, text))
    return found


def _too_large(named: Bounds, path: Path) -> checks.Errors:
    # upstream: validateInt64Range
    found = []
    for name, value in named.items():
        if value.sign() < 0:
            found.append(_invalid(path.child(name), value, checks.NEGATIVE))
        elif value.cmp_int(_MAX_INT) > 0:
            found.append(_invalid(path.child(name), value, f"must not be larger than {_MAX_INT}"))
    return found


# Resources of the node that a device brings or costs.

_NATIVE = frozenset({"cpu", "memory"})


def is_of_node(name: str) -> bool:
    # upstream: pkg/apis/core/helper/helpers.go IsNodeAllocatableResourceName
    return name in _NATIVE or name.startswith("hugepages-")


def node_resources(device: Object, path: Path) -> checks.Errors:
    # upstream: validateNodeAllocatableResources
    found, resources = [], device.get("nodeAllocatableResources") or {}
    capacities = device.get("capacity") or {}
    for name in sorted(resources):
        where, value = path.key(name), resources[name]
        if not is_of_node(name):
            text = "must be a node allocatable resource name"
            found.append(FieldError.invalid(where, name, text))
        mapping, overhead = value.get("mapping"), value.get("overhead")
        if mapping is None and overhead is None:
            text = "at least one of mapping or overhead must be set"
            found.append(FieldError.required(where, text))
        if mapping is not None:
            found += _mapping(mapping, capacities, where.child("mapping"))
        if overhead is not None:
            found += _overhead(overhead, where.child("overhead"))
    return found


def _mapping(mapping: Object, capacities: Mapping[str, Object], path: Path) -> checks.Errors:
    # upstream: validateNodeAllocatableMapping
    found = []
    key, factor = mapping.get("capacityKey"), mapping.get("capacityMultiplier")
    if key is not None:
        if not key:
            text = "capacityKey must not be an empty string"
            found.append(FieldError.invalid(path.child("capacityKey"), "", text))
        elif key not in capacities:
            found.append(FieldError.not_found(path.child("capacityKey"), key))
        if factor is None:
            text = "capacityMultiplier is required when capacityKey is set"
            error = FieldError.required(path.child("capacityMultiplier"), text)
            found.append(error.by_declaration("dependentRequired"))
    for name in ("capacityMultiplier", "deviceMultiplier"):
        if name == "capacityMultiplier" and key is None:
            continue
        if mapping.get(name) is not None and _quantity(mapping[name]).sign() <= 0:
            value = _quantity(mapping[name])
            found.append(_invalid(path.child(name), value, "must be positive"))
    if factor is not None and key is None:
        text = "capacityKey is required when capacityMultiplier is set"
        error = FieldError.required(path.child("capacityKey"), text)
        found.append(error.by_declaration("dependentRequired"))
    return found


def _overhead(overhead: Object, path: Path) -> checks.Errors:
    # upstream: validateNodeAllocatableOverheadMapping
    given = {name: overhead.get(name) for name in ("perPod", "perContainer")}
    if not any(value is not None for value in given.values()):
        text = "at least one of perPod or perContainer must be set"
        return [FieldError.invalid(path, "", text)]
    return [
        _invalid(path.child(name), _quantity(value), "must be non-negative")
        for name, value in given.items()
        if value is not None and _quantity(value).sign() < 0
    ]
