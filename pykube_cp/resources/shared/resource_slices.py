"""What drivers say of their devices."""
# upstream: pkg/apis/resource/validation/validation.go validateResourceSliceSpec

import re
from collections.abc import Sequence
from functools import partial

from pykube_cp.machinery import names
from pykube_cp.machinery.field_errors import FieldError, Path, by_declaration
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.validation import validate_immutable
from pykube_cp.resources.shared import checks, device_capacity, devices, node_selectors
from pykube_cp.resources.shared.collections import NO_LIMIT, distinct, mapped, nothing, sized
from pykube_cp.resources.shared.go_names import internal

_MAX_DEVICES, _MAX_WITH_FEATURES = 128, 64
_MAX_SETS, _MAX_COUNTERS, _MAX_CONSUMED = 8, 32, 2
_MAX_TAINTS, _MAX_MEMBERS, _MAX_VALUES = 16, 32, 48
_MAX_TEXT = 64
_SINGLE = {"bool", "int", "string", "version"}
_LISTS = ("bools", "ints", "strings", "versions")
_NUMBER = r"(0|[1-9]\d*)"
_PRE_RELEASE = r"(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)"
_BUILD = "[0-9a-zA-Z-]+"
_is_version = re.compile(
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}"
    rf"(-{_PRE_RELEASE}(\.{_PRE_RELEASE})*)?(\+{_BUILD}(\.{_BUILD})*)?",
    re.ASCII,
).fullmatch
_PLACES = ("nodeName", "nodeSelector", "allNodes", "perDeviceNodeSelection")
_TERM = "io.k8s.api.core.v1.NodeSelectorTerm"
_ATTRIBUTE = "io.k8s.api.resource.v1.DeviceAttribute"
_OR_TRUE = "must be either unset or set to true"


def check(spec: Object, old: Object | None, path: Path) -> checks.Errors:
    found = devices.driver(spec.get("driver") or "", path.child("driver"))
    found += _pool(spec.get("pool") or {}, path.child("pool"))
    if old is not None:
        found += _kept(spec, old, path)
    found += _place(spec, path)
    given = spec.get("devices")
    if spec.get("sharedCounters") and given:
        text = "only one of `sharedCounters` or `devices` is allowed"
        found.append(FieldError.invalid(path, "", text))
    before = {device.get("name"): device for device in (old or {}).get("devices") or ()}
    each = partial(_device, before=before, by_device=spec.get("perDeviceNodeSelection") is True)
    limit = _MAX_WITH_FEATURES if any(map(_is_advanced, given or ())) else _MAX_DEVICES
    found += distinct(given or [], limit, path.child("devices"), each, _name, declared=False)
    counters = spec.get("sharedCounters") or []
    found += distinct(counters, _MAX_SETS, path.child("sharedCounters"), _counter_set, _name)
    return found + _partition_type(spec, path) + devices.skipped(spec, path)


def _name(owner: Object) -> str:
    return owner.get("name") or ""


def _pool(pool: Object, path: Path) -> checks.Errors:
    # upstream: validateResourcePool
    found = devices.pool(_name(pool), path.child("name"))
    count, generation = pool.get("resourceSliceCount") or 0, pool.get("generation") or 0
    if count <= 0:
        where = path.child("resourceSliceCount")
        found.append(FieldError.invalid(where, count, checks.NOT_POSITIVE))
    if generation < 0:
        text = "must be greater than or equal to zero"
        found.append(FieldError.invalid(path.child("generation"), generation, text))
    return found


def _kept(spec: Object, old: Object, path: Path) -> checks.Errors:
    now, before = spec.get("pool") or {}, old.get("pool") or {}
    found = validate_immutable(now.get("name"), before.get("name"), path.child("pool", "name"))
    for field in ("driver", "nodeName"):
        found += validate_immutable(spec.get(field), old.get(field), path.child(field))
    return found


def _place(spec: Object, path: Path) -> checks.Errors:
    """Where the devices are: exactly one of several answers."""
    found, given = _node_name(spec, path, "must be either unset or set to a non-empty string")
    selector = spec.get("nodeSelector")
    if selector is not None:
        given.append("nodeSelector")
        found += node_selectors.check(selector, path.child("nodeSelector"))
        terms = selector.get("nodeSelectorTerms") or []
        if len(terms) != 1:
            where = path.child("nodeSelector", "nodeSelectorTerms")
            text = "must have exactly one node selector term"
            shown = [internal(term, _TERM) for term in terms] or None
            found.append(FieldError.invalid(where, shown, text))
    for field in ("allNodes", "perDeviceNodeSelection"):
        found += _true(spec, path, field, given)
    wanted = f"exactly one of {', '.join(f'`{field}`' for field in _PLACES)} is required"
    if not given:
        found.append(FieldError.required(path, wanted))
    elif len(given) > 1:
        text = f"{wanted}, but multiple fields are set"
        found.append(FieldError.invalid(path, _listed(given), text))
    return found


def _listed(fields: Sequence[str]) -> str:
    return f"{{{', '.join(f'`{field}`' for field in fields)}}}"


def _node_name(owner: Object, path: Path, empty: str) -> tuple[checks.Errors, list[str]]:
    name, where = owner.get("nodeName"), path.child("nodeName")
    if name is None:
        return [], []
    if not name:
        return [FieldError.invalid(where, name, empty)], []
    return checks.invalid(where, name, names.is_dns1123_subdomain(name)), ["nodeName"]


def _true(owner: Object, path: Path, field: str, given: list[str]) -> checks.Errors:
    """A flag that is absent rather than false."""
    value = owner.get(field)
    if value is None:
        return []
    if value:
        given.append(field)
        return []
    return [FieldError.invalid(path.child(field), value, _OR_TRUE)]


def _is_advanced(device: Object) -> bool:
    """Whether it costs more to look at."""
    attributes = (device.get("attributes") or {}).values()
    return bool(
        device.get("taints")
        or device.get("consumesCounters")
        or any(value.get(field) is not None for value in attributes for field in _LISTS)
    )


# Counters.


def _counter_set(counters: Object, path: Path) -> checks.Errors:
    # upstream: validateCounterSet
    found = _declared_name(counters, path, "name")
    return found + _counters(counters, path)


def _consumption(consumption: Object, path: Path) -> checks.Errors:
    # upstream: validateDeviceCounterConsumption
    found = _declared_name(consumption, path, "counterSet")
    return found + _counters(consumption, path)


def _declared_name(owner: Object, path: Path, field: str) -> checks.Errors:
    name, where = owner.get(field) or "", path.child(field)
    found = devices.short_name(name, where) if name else [FieldError.required(where)]
    return by_declaration(found)


def _counters(owner: Object, path: Path) -> checks.Errors:
    values, where = owner.get("counters") or {}, path.child("counters")
    if not values:
        return [FieldError.required(where).by_declaration()]

    def key(name: str, at: Path) -> checks.Errors:
        return by_declaration(devices.short_name(name, at))

    longest = names.DNS1123_LABEL_MAX_LENGTH
    return mapped(values, _MAX_COUNTERS, where, key, nothing, longest_key=longest)


# Devices.


def _device(
    device: Object,
    path: Path,
    before: dict[str, Object],
    by_device: bool,  # noqa: FBT001 - bound by name
) -> checks.Errors:
    # upstream: validateDevice
    found = devices.short_name(_name(device), path.child("name"))
    attributes, capacity = device.get("attributes") or {}, device.get("capacity") or {}
    found += _amounts(attributes, len(capacity), path)
    found += mapped(
        attributes,
        NO_LIMIT,
        path.child("attributes"),
        devices.qualified_name,
        _attribute,
        longest_key=devices.MAX_KEY,
    )
    old = before.get(_name(device))
    if old is None or (old.get("capacity") or {}) != capacity:
        is_shared = device.get("allowMultipleAllocations") is True
        each = device_capacity.check_of_shared if is_shared else device_capacity.check_of_single
        where = path.child("capacity")
        key = devices.qualified_name
        found += mapped(capacity, NO_LIMIT, where, key, each, longest_key=devices.MAX_KEY)
    taints = device.get("taints") or []
    if old is None or (old.get("taints") or []) != taints:
        where = path.child("taints")
        found += sized(taints, _MAX_TAINTS, where, _new_taint, declared=False)
    consumed, where = device.get("consumesCounters") or [], path.child("consumesCounters")
    found += distinct(consumed, _MAX_CONSUMED, where, _consumption, _counter_set_name)
    found += _place_of_device(device, path, by_device=by_device)
    found += devices.binding(device, path)
    return found + device_capacity.node_resources(device, path.child("nodeAllocatableResources"))


def _new_taint(taint: Object, path: Path) -> checks.Errors:
    return devices.taint(taint, None, path)


def _counter_set_name(consumption: Object) -> str:
    return consumption.get("counterSet") or ""


def _amounts(attributes: dict[str, Object], capacities: int, path: Path) -> checks.Errors:
    found = []
    members = len(attributes) + capacities
    if members > _MAX_MEMBERS:
        text = f"the total number of attributes and capacities must not exceed {_MAX_MEMBERS}"
        found.append(FieldError.invalid(path, members, text))
    values = sum(
        sum(len(value.get(field) or ()) for field in _LISTS) or 1 for value in attributes.values()
    )
    if values > _MAX_VALUES:
        text = f"the total number of attribute values must not exceed {_MAX_VALUES}"
        found.append(FieldError.invalid(path, values, text))
    return found


def _attribute(attribute: Object, path: Path) -> checks.Errors:
    # upstream: validateDeviceAttribute
    found: checks.Errors = []
    if attribute.get("string") is not None:
        found += _text(attribute["string"], path.child("string"))
    if attribute.get("version") is not None:
        found += _version(attribute["version"], path.child("version"))
    given = [field for field in (*_SINGLE, *_LISTS) if attribute.get(field) is not None]
    for field in given:
        if field in _LISTS:
            found += _list(attribute[field], field, path.child(field))
    if len(given) == 1:
        return found
    text = "exactly one value must be specified"
    error = FieldError.invalid(path, internal(attribute, _ATTRIBUTE) if given else "", text)
    return [*found, error.by_declaration("union")]


def _list(values: Sequence[str], field: str, path: Path) -> checks.Errors:
    if not values:
        return [FieldError.invalid(path, values, "must not be empty if specified")]
    found = []
    for position, value in enumerate(values):
        if field == "strings":
            found += by_declaration(_text(value, path.index(position)), "maxBytes")
        elif field == "versions":
            found += _version(value, path.index(position))
    return found


def _text(value: str, path: Path) -> checks.Errors:
    return [FieldError.too_long(path, value, _MAX_TEXT)] if checks.size(value) > _MAX_TEXT else []


def _version(value: str, path: Path) -> checks.Errors:
    found = []
    if not _is_version(value):
        text = "must be a string compatible with semver.org spec 2.0.0"
        found.append(FieldError.invalid(path, value, text))
    return found + _text(value, path)


def _place_of_device(device: Object, path: Path, *, by_device: bool) -> checks.Errors:
    fields = _PLACES[:3]
    if not by_device:
        if all(device.get(field) is None for field in fields):
            return []
        text = (
            "`nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is "
            "set to true in the ResourceSlice spec"
        )
        return [FieldError.invalid(path, None, text)]
    found, given = _node_name(device, path, "must not be empty")
    if device.get("nodeSelector") is not None:
        given.append("nodeSelector")
        found += node_selectors.check(device["nodeSelector"], path.child("nodeSelector"))
    found += _true(device, path, "allNodes", given)
    text = (
        "exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when "
        "`perDeviceNodeSelection` is set to true in the ResourceSlice spec"
    )
    if not given:
        found.append(FieldError.required(path, text))
    elif len(given) > 1:
        found.append(FieldError.invalid(path, _listed(given), text))
    return found


# What kind of partition a device is.


def _partition_type(spec: Object, path: Path) -> checks.Errors:
    # upstream: validatePartitionTypeAttribute
    name, given = spec.get("partitionTypeAttribute"), spec.get("devices") or []
    if name is None:
        return []
    if not any(device.get("consumesCounters") for device in given):
        text = "may only be set on a slice which declares devices that consume counters"
        return [FieldError.invalid(path.child("partitionTypeAttribute"), name, text)]
    if devices.fully_qualified_name(name, path):
        return []
    found = []
    bare = name.removeprefix(f"{spec.get('driver') or ''}/")
    for position, device in enumerate(given):
        if not device.get("consumesCounters"):
            continue
        where = path.child("devices").index(position).child("attributes").key(name)
        attributes = device.get("attributes") or {}
        attribute = attributes.get(name) or (attributes.get(bare) if bare else None)
        if attribute is None:
            text = (
                "device consumes counters and `partitionTypeAttribute` names this attribute, so it "
                "must be set"
            )
            found.append(FieldError.required(where, text))
        elif attribute.get("string") is None:
            text = "must be a string value because `partitionTypeAttribute` names this attribute"
            found.append(FieldError.invalid(where, internal(attribute, _ATTRIBUTE), text))
    return found
