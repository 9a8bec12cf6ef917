"""What a claim got: allocated devices, who uses them, what drivers say of them."""
# upstream: pkg/apis/resource/validation/validation.go validateResourceClaimStatusUpdate

from collections.abc import Collection
from functools import partial
from typing import Any

from pykube_cp.machinery import addresses
from pykube_cp.machinery.field_errors import FieldError, Path, by_declaration
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.validation import validate_immutable
from pykube_cp.resources.shared import (
    checks,
    conditions,
    device_claims,
    devices,
    node_selectors,
)
from pykube_cp.resources.shared.collections import NO_LIMIT, distinct, itself, sized

_MAX_USERS, _MAX_RESULTS, _MAX_CONDITIONS = 256, 32, 8
_MAX_IPS, _MAX_INTERFACE, _MAX_HARDWARE = 16, 256, 128
_SOURCES = ("FromClaim", "FromClass")

Id = tuple[str, str, str, str]
"""Driver, pool, device and share."""


def id_of(device: Object) -> Id:
    driver, pool, name, share = (
        device.get(field) or "" for field in ("driver", "pool", "device", "shareID")
    )
    return driver, pool, name, share


def results(status: Object) -> list[Object]:
    """The devices of the allocation."""
    allocation = status.get("allocation") or {}
    found: list[Object] = (allocation.get("devices") or {}).get("results") or []
    return found


def check(claim: Object, old: Object, path: Path) -> checks.Errors:
    """The status of a claim that takes the place of ``old``."""
    status, before = claim.get("status") or {}, old.get("status") or {}
    known = device_claims.request_names((claim.get("spec") or {}).get("devices") or {})
    users, where = status.get("reservedFor") or [], path.child("reservedFor")
    found = distinct(users, _MAX_USERS, where, _user, lambda user: user.get("uid") or "")
    allocated = {id_of(result) for result in results(status)}
    found += distinct(
        status.get("devices") or [],
        NO_LIMIT,
        path.child("devices"),
        partial(_device, allocated=allocated),
        id_of,
    )
    allocation, kept = status.get("allocation"), before.get("allocation")
    if users:
        found += _users(users, claim, before, where)
    if allocation is None:
        return found
    where = path.child("allocation")
    if kept is not None:
        return found + by_declaration(validate_immutable(allocation, kept, where), "update")
    return found + _allocation(allocation, where, known)


def _users(users: list[Object], claim: Object, before: Object, path: Path) -> checks.Errors:
    if claim["status"].get("allocation") is None:
        text = "may not be specified when `allocated` is not set"
        return [FieldError.forbidden(path, text)]
    kept = before.get("reservedFor") or []
    if not claim["metadata"].get("deletionTimestamp") or all(user in kept for user in users):
        return []
    text = (
        "new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set"
    )
    return [FieldError.forbidden(path, text)]


def _user(user: Object, path: Path) -> checks.Errors:
    return checks.required(user, path, "resource", "name", "uid")


# Allocation.


def _allocation(allocation: Object, path: Path, known: device_claims.Names) -> checks.Errors:
    # upstream: validateAllocationResult
    given, where = allocation.get("devices") or {}, path.child("devices")
    each = partial(_result, known=known)
    found = sized(given.get("results") or [], _MAX_RESULTS, where.child("results"), each)
    limit, each = 2 * device_claims.MAX_CONFIGS, partial(_configuration, known=known)
    found += sized(given.get("config") or [], limit, where.child("config"), each)
    if allocation.get("nodeSelector") is not None:
        found += node_selectors.check(allocation["nodeSelector"], path.child("nodeSelector"))
    return found


def _result(result: Object, path: Path, known: device_claims.Names) -> checks.Errors:
    # upstream: validateDeviceRequestAllocationResult
    found = device_claims.reference(result.get("request") or "", path.child("request"), known)
    found += devices.declared_driver(result.get("driver") or "", path.child("driver"))
    found += by_declaration(devices.pool(result.get("pool") or "", path.child("pool")))
    found += devices.short_name(result.get("device") or "", path.child("device"))
    found += devices.binding(result, path)
    found += devices.tolerations(result.get("tolerations") or [], path.child("tolerations"))
    return found + _share(result, path) + devices.skipped(result, path)


def _share(owner: Object, path: Path) -> checks.Errors:
    share = owner.get("shareID")
    return [] if share is None else by_declaration(devices.uid(share, path.child("shareID")))


def _configuration(config: Object, path: Path, known: device_claims.Names) -> checks.Errors:
    # upstream: validateDeviceAllocationConfiguration
    found = by_declaration(checks.chosen(config, path, "source", _SOURCES))
    return found + device_claims.configuration(config, path, known)


# Devices.


def _shown(device: Object) -> Object:
    """As upstream writes an id."""
    return dict(zip(("Driver", "Pool", "Device", "ShareID"), id_of(device), strict=True))


def _device(device: Object, path: Path, allocated: Collection[Id]) -> checks.Errors:
    # upstream: validateDeviceStatus
    found = devices.driver(device.get("driver") or "", path.child("driver"))
    found += devices.pool(device.get("pool") or "", path.child("pool"))
    found += devices.short_name(device.get("device") or "", path.child("device"))
    found += _share(device, path)
    if id_of(device) not in allocated:
        text = "must be an allocated device in the claim"
        found.append(FieldError.invalid(path, _shown(device), text))
    given, where = device.get("conditions") or [], path.child("conditions")
    if len(given) > _MAX_CONDITIONS:
        found.append(FieldError.too_many(where, len(given), _MAX_CONDITIONS))
    found += conditions.check(given, where)
    if device.get("data") is not None:
        limit = device_claims.MAX_PARAMETERS
        found += device_claims.json_object(device["data"], path.child("data"), limit)
    return found + _network(device.get("networkData"), path.child("networkData"))


def _network(data: Any, path: Path) -> checks.Errors:
    # upstream: validateNetworkDeviceData
    if data is None:
        return []
    found = []
    for field, limit in (("interfaceName", _MAX_INTERFACE), ("hardwareAddress", _MAX_HARDWARE)):
        if checks.size(data.get(field) or "") > limit:
            error = FieldError.too_long(path.child(field), data[field], limit)
            found.append(error.by_declaration("maxBytes"))

    def address(value: str, where: Path) -> checks.Errors:
        return addresses.is_valid_interface_address(where, value)

    return found + distinct(data.get("ips") or [], _MAX_IPS, path.child("ips"), address, itself)
