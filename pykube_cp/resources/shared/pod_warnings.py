"""Warnings about pods and pod templates: what is accepted and yet hardly meant."""
# upstream: pkg/api/pod/warnings.go warningsForPodSpecAndMeta

from collections.abc import Iterator
from typing import NamedTuple

from pykube_cp.machinery import addresses, objects
from pykube_cp.machinery.field_errors import Path
from pykube_cp.machinery.go_text import quote
from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.quantity import Quantity
from pykube_cp.resources.shared import (
    claim_warnings,
    node_labels,
    path_overlaps,
    pods,
    security_annotations,
)

_ANNOTATIONS = {
    "scheduler.alpha.kubernetes.io/critical-pod": (
        'non-functional in v1.16+; use the "priorityClassName" field instead'
    ),
    "security.alpha.kubernetes.io/sysctls": (
        'non-functional in v1.11+; use the "sysctls" field instead'
    ),
    "security.alpha.kubernetes.io/unsafe-sysctls": (
        'non-functional in v1.11+; use the "sysctls" field instead'
    ),
}
_VOLUMES = {
    "photonPersistentDisk": "deprecated in v1.11, non-functional in v1.16+",
    "gitRepo": "deprecated in v1.11, and disabled by default in v1.33+",
    "scaleIO": "deprecated in v1.16, non-functional in v1.22+",
    "flocker": "deprecated in v1.22, non-functional in v1.25+",
    "storageos": "deprecated in v1.22, non-functional in v1.25+",
    "quobyte": "deprecated in v1.22, non-functional in v1.25+",
    "glusterfs": "deprecated in v1.25, non-functional in v1.26+",
    "cephfs": "deprecated in v1.28, non-functional in v1.31+",
    "rbd": "deprecated in v1.28, non-functional in v1.31+",
}
_MISNAMED = {"storageos": "storageOS"}
_FRACTIONS = ("memory", "ephemeral-storage")
_NO_SELECTOR = "a null labelSelector results in matching no pod"


def warnings_for_pod(pod: Object) -> list[str]:
    return _warnings(pod, Path(), is_template=False)


def warnings_for_template(template: Object | None, path: Path) -> list[str]:
    return _warnings(template, path, is_template=True) if template else []


def _warnings(obj: Object, path: Path, *, is_template: bool) -> list[str]:
    spec, notes = obj.get("spec") or {}, objects.annotations(obj)
    where = path.child("spec")
    found = _placement(spec, where)
    found += [
        f"{path.child('metadata', 'annotations').key(name)}: {text}"
        for name, text in _ANNOTATIONS.items()
        if name in notes
    ]
    found += _volumes(spec, where)
    found += _duplicates(spec, where)
    found += _fractions(spec.get("overhead") or {}, where.child("overhead"))
    found += security_annotations.warnings(spec, notes, path, is_template=is_template)
    for container, place in pods.containers_with_paths(spec, where):
        found += _container(container, place)
    found += _ports(spec, where)
    return found + _rest(spec, where)


def _placement(spec: Object, path: Path) -> list[str]:
    found = [
        f"{path.child('nodeSelector').key(key)}: {node_labels.DEPRECATED[key]}"
        for key in spec.get("nodeSelector") or ()
        if key in node_labels.DEPRECATED
    ]
    affinity = objects.nested(spec, "affinity", "nodeAffinity", default={})
    where = path.child("affinity", "nodeAffinity")
    required, preferred = (
        f"{strength}DuringSchedulingIgnoredDuringExecution"
        for strength in ("required", "preferred")
    )
    terms = (affinity.get(required) or {}).get("nodeSelectorTerms") or ()
    for position, term in enumerate(terms):
        place = where.child(required, "nodeSelectorTerms").index(position)
        found += node_labels.warnings_for_term(term, place, check_values=False)
    for position, term in enumerate(affinity.get(preferred) or ()):
        place = where.child(preferred).index(position).child("preference")
        found += node_labels.warnings_for_term(
            term.get("preference") or {}, place, check_values=True
        )
    for position, constraint in enumerate(spec.get("topologySpreadConstraints") or ()):
        found += _spread(constraint, path.child("topologySpreadConstraints").index(position))
    return found


def _spread(constraint: Object, path: Path) -> list[str]:
    found = []
    key = constraint.get("topologyKey", "")
    if key in node_labels.DEPRECATED:
        found.append(f"{path.child('topologyKey')}: {key} is {node_labels.DEPRECATED[key]}")
    if constraint.get("labelSelector") is None:
        found.append(f"{path.child('labelSelector')}: {_NO_SELECTOR}")
    return found


def _volumes(spec: Object, path: Path) -> list[str]:
    found = []
    volumes = spec.get("volumes") or []
    for position, volume in enumerate(volumes):
        where = path.child("volumes").index(position)
        for kind, text in _VOLUMES.items():
            if volume.get(kind) is not None:
                found.append(f"{where.child(_MISNAMED.get(kind, kind))}: {text}")
        claim = objects.nested(volume, "ephemeral", "volumeClaimTemplate", "spec", default={})
        place = where.child("ephemeral", "volumeClaimTemplate", "spec")
        found += claim_warnings.warnings(claim, place)
    return found + path_overlaps.warnings(volumes)


def _duplicates(spec: Object, path: Path) -> list[str]:
    found = []
    seen: set[str] = set()
    for position, alias in enumerate(spec.get("hostAliases") or ()):
        ip = alias.get("ip", "")
        if ip in seen:
            place = path.child("hostAliases").index(position).child("ip")
            found.append(f"{place}: duplicate ip {quote(ip)}")
        seen.add(ip)
    seen = set()
    secrets = [secret.get("name") or "" for secret in spec.get("imagePullSecrets") or ()]
    where = path.child("imagePullSecrets")
    for position, name in enumerate(secrets):
        if name in seen:
            found.append(f"{where.index(position).child('name')}: duplicate name {quote(name)}")
        seen.add(name)
    for position, name in enumerate(secrets):
        if not name:
            place = where.index(position).child("name")
            found.append(f"{place}: invalid empty name {quote(name)}")
    return found


def _fractions(amounts: dict[str, str], path: Path) -> list[str]:
    return [
        f"{path.key(name)}: fractional byte value {quote(str(amounts[name]))} is invalid, "
        "must be an integer"
        for name in _FRACTIONS
        if name in amounts and Quantity.parse(str(amounts[name])).milli_value() % 1000
    ]


def _container(container: Object, path: Path) -> list[str]:
    resources = container.get("resources") or {}
    found = []
    for name in _FRACTIONS:
        for field in ("limits", "requests"):
            amount = (resources.get(field) or {}).get(name)
            if amount is not None:
                found += _fractions({name: amount}, path.child("resources", field))
    seen: set[str] = set()
    for position, variable in enumerate(container.get("env") or ()):
        name, value = variable.get("name", ""), variable.get("value") or ""
        reference = f"$({name})"
        hides = variable.get("valueFrom") is not None or value == reference
        if name in seen and (hides or reference not in value):
            place = path.child("env").index(position)
            found.append(
                f"{place}: hides previous definition of {quote(name)}, "
                "which may be dropped when using apply"
            )
        seen.add(name)
    return found


class _Port(NamedTuple):
    path: Path
    number: int
    protocol: str
    host_ip: str
    host_port: int
    name: str


def _all_ports(spec: Object, path: Path) -> Iterator[_Port]:
    for container, where in pods.containers_with_paths(spec, path):
        for position, port in enumerate(container.get("ports") or ()):
            yield _Port(
                where.child("ports").index(position),
                port.get("containerPort", 0),
                port.get("protocol", ""),
                port.get("hostIP", ""),
                port.get("hostPort", 0),
                port.get("name", ""),
            )


def _ports(spec: Object, path: Path) -> list[str]:
    found: list[str] = []
    known: dict[tuple[int, str], list[_Port]] = {}
    ports = list(_all_ports(spec, path))
    for port in ports:
        if port.host_ip and not port.host_port:
            shown = (
                f"{{Name:{port.name} HostPort:0 ContainerPort:{port.number} "
                f"Protocol:{port.protocol} HostIP:{port.host_ip}}}"
            )
            found.append(f"{port.path}: hostIP set without hostPort: {shown}")
        others = known.setdefault((port.number, port.protocol), [])
        found += [text for other in others if (text := _conflict(port, other))]
        others.append(port)
    first: dict[str, Path] = {}
    for port in ports:
        if port.name and port.name in first:
            other = first[port.name]
            found.append(
                f"{port.path}: duplicate port name {quote(port.name)} with {other}, services and "
                f"probes that select ports by name will use {other}"
            )
        elif port.name:
            first[port.name] = port.path
    return found


def _conflict(port: _Port, other: _Port) -> str:
    if (port.host_ip, port.host_port) == (other.host_ip, other.host_port):
        return f"{port.path}: duplicate port definition with {other.path}"
    if not port.host_port or not other.host_port:
        return f"{port.path}: overlapping port definition with {other.path}"
    if port.host_port == other.host_port and (not port.host_ip) is not (not other.host_ip):
        return f"{port.path}: dangerously ambiguous port definition with {other.path}"
    return ""


def _rest(spec: Object, path: Path) -> list[str]:
    found = []
    if (spec.get("terminationGracePeriodSeconds") or 0) < 0:
        found.append(
            f"{path.child('terminationGracePeriodSeconds')}: must be >= 0; negative values are "
            "invalid and will be treated as 1"
        )
    for kind in ("podAffinity", "podAntiAffinity"):
        affinity = (spec.get("affinity") or {}).get(kind) or {}
        found += _affinity_terms(affinity, path.child("affinity", kind))
    servers = objects.nested(spec, "dnsConfig", "nameservers", default=())
    for position, server in enumerate(servers):
        place = path.child("dnsConfig", "nameservers").index(position)
        found += addresses.warnings_for_ip(place, server)
    for position, alias in enumerate(spec.get("hostAliases") or ()):
        place = path.child("hostAliases").index(position).child("ip")
        found += addresses.warnings_for_ip(place, alias.get("ip", ""))
    return found


def _affinity_terms(affinity: Object, path: Path) -> list[str]:
    required, preferred = (
        f"{strength}DuringSchedulingIgnoredDuringExecution"
        for strength in ("required", "preferred")
    )
    found = []
    for position, term in enumerate(affinity.get(required) or ()):
        if term.get("labelSelector") is None:
            place = path.child(required).index(position).child("labelSelector")
            found.append(f"{place}: {_NO_SELECTOR}")
    for position, term in enumerate(affinity.get(preferred) or ()):
        if (term.get("podAffinityTerm") or {}).get("labelSelector") is None:
            place = path.child(preferred).index(position)
            place = place.child("podAffinityTerm", "labelSelector")
            found.append(f"{place}: {_NO_SELECTOR}")
    return found
