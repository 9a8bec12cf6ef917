"""Versions in which servers store objects."""

from collections.abc import Sequence

from pykube_cp.machinery import names
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.resources.shared import checks

_NO_API_VERSION = (
    "an apiVersion is "
    + names.regex_error(
        "a DNS-1035 label, which must consist of lower case alphanumeric characters or '-', start "
        "with an alphabetic character, and end with an alphanumeric character",
        "[a-z]([-a-z0-9]*[a-z0-9])?",
        "my-name",
        "abc-123",
    )
    + " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyVersion')"
)


def _validate(status: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/apiserverinternal/validation/validation.go validateStorageVersionStatus
    found: checks.Errors = []
    servers, seen = status.get("storageVersions") or (), set[str]()
    for position, server in enumerate(servers):
        where, name = path.child("storageVersions").index(position), server.get("apiServerID") or ""
        if name in seen:
            found.append(FieldError.duplicate(where.child("apiServerID"), name))
        seen.add(name)
        found += _server(server, name, where)
    found += _common(status, servers, path.child("commonEncodingVersion"))
    return found + _conditions(status.get("conditions") or (), path)


def _server(server: Object, name: str, path: Path) -> checks.Errors:
    found = checks.subdomain(name, path.child("apiServerID"))
    encoding = server.get("encodingVersion") or ""
    found += _api_version(encoding, path.child("encodingVersion"))
    decodable, where = server.get("decodableVersions") or [], path.child("decodableVersions")
    for position, version in enumerate(decodable):
        found += _api_version(version, where.index(position))
    if encoding not in decodable:
        text = f"decodableVersions must include encodingVersion {encoding}"
        found.append(FieldError.invalid(where, decodable or None, text))
    where = path.child("servedVersions")
    for position, version in enumerate(server.get("servedVersions") or ()):
        found += _api_version(version, where.index(position))
        if version not in decodable:
            text = (
                f"individual served version : {version} must be included in decodableVersions : "
                f"[{' '.join(decodable)}]"
            )
            found.append(FieldError.invalid(where.index(position), version, text))
    return found


def _api_version(text: str, path: Path) -> checks.Errors:
    # upstream: pkg/apis/apiserverinternal/validation/validation.go isValidAPIVersion
    if text.count("/") > 1:
        return [FieldError.invalid(path, text, _NO_API_VERSION)]
    group, slash, version = text.rpartition("/")
    wrong = _part("group", names.is_dns1123_subdomain(group), group) if slash else []
    wrong += _part("version", names.is_dns1035_label(version), version)
    return [FieldError.invalid(path, text, ",".join(wrong))] if wrong else []


def _part(kind: str, wrong: Sequence[str], text: str) -> list[str]:
    return [f"{kind} part: {why}" for why in (wrong if text else [names.empty_error()])]


def _common(status: Object, servers: Sequence[Object], path: Path) -> checks.Errors:
    # upstream: pkg/apis/apiserverinternal/validation/validation.go validateCommonVersion
    said = status.get("commonEncodingVersion")
    used = {server.get("encodingVersion") or "" for server in servers}
    if len(used) != 1:
        text = (
            "should be nil if servers do not agree on the same encoding version, or if there is no "
            "server reporting the supported versions yet"
        )
        return [] if said is None else [FieldError.invalid(path, said, text)]
    common = used.pop()
    if said == common:
        return []
    words = "the common" if said is None else "the actual common"
    return [FieldError.invalid(path, said, f"{words} encoding version is {common}")]


def _conditions(conditions: Sequence[Object], path: Path) -> checks.Errors:
    # upstream: pkg/apis/apiserverinternal/validation/validation.go validateStorageVersionCondition
    found: checks.Errors = []
    places: dict[str, int] = {}
    for position, condition in enumerate(conditions):
        where, kind = path.index(position), condition.get("type") or ""
        if kind in places:
            text = (
                "the type of the condition is not unique, it also appears in "
                f"conditions[{places[kind]}]"
            )
            found.append(FieldError.invalid(where.child("type"), kind, text))
        places[kind] = position
        found += checks.qualified(kind, where.child("type"))
        found += checks.qualified(condition.get("status") or "", where.child("status"))
        found += checks.required(condition, where, "reason", "message")
    return found


RULES = (
    TypeRule(type="io.k8s.api.apiserverinternal.v1alpha1.StorageVersionStatus", validate=_validate),
)
