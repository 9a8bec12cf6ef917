"""Nodes."""

import re

from pykube_cp.machinery import addresses, names
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.go_text import quote
from pykube_cp.machinery.objects import Object, nested
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.resources.shared import checks, resource_names, tolerations


def _default_status(status: Object, _ctx: RuleContext) -> None:
    # upstream: pkg/apis/core/v1/defaults.go SetDefaults_NodeStatus
    if status.get("allocatable") is None and status.get("capacity"):
        status["allocatable"] = dict(status["capacity"])


def _default_spec(spec: Object, _ctx: RuleContext) -> None:
    """Keep the one network and the list of networks in step."""
    # upstream: pkg/apis/core/v1/conversion.go Convert_v1_NodeSpec_To_core_NodeSpec
    network, networks = spec.get("podCIDR"), spec.get("podCIDRs")
    if network and (not networks or networks[0] != network):
        spec["podCIDRs"] = [network]
    elif networks and networks[0]:
        spec["podCIDR"] = networks[0]


def _validate_spec(spec: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    """Errors of taints go by ``metadata``, as upstream's."""
    # upstream: pkg/apis/core/validation/validation.go ValidateNode
    found = tolerations.check_taints(spec.get("taints") or [], Path("metadata", "taints"))
    networks, where = spec.get("podCIDRs") or [], path.child("podCIDRs")
    for position, network in enumerate(networks):
        found += checks.network(network, where.index(position))
    return found + (_two_families(networks, where) if len(networks) > 1 else [])


def _two_families(networks: list[str], path: Path) -> checks.Errors:
    # upstream: k8s.io/utils net/ipfamily.go IsDualStackCIDRStrings
    parsed = [addresses.parse_cidr_sloppy(network) for network in networks]
    found = []
    if None in parsed:
        at = parsed.index(None)
        text = (
            "invalid PodCIDRs. failed to check with dual stack with error:"
            f"invalid CIDR[{at}]: <nil> (invalid CIDR address: {networks[at]})"
        )
        found.append(FieldError.internal(path, text))
    families = [network.address.version for network in parsed if network is not None]
    if len(networks) != 2 or set(families) != {4, 6}:
        text = "may specify no more than one CIDR for each IP family"
        found.append(FieldError.invalid(path, networks, text))
    return found


def _validate_status(status: Object, path: Path, ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go ValidateNodeResources
    found = []
    for field in ("capacity", "allocatable"):
        for name, value in sorted((status.get(field) or {}).items()):
            found += resource_names.check_amount(name, value, path.child(field, name))
    capacity = nested(status, "nodeInfo", "swap", "capacity")
    if capacity is not None and ctx.old is None:
        found += checks.positive(capacity, Path("metadata", "nodeSwapStatus", "capacity"))
    features = status.get("declaredFeatures") or []
    return found + _features(features, path.child("declaredFeatures"))


_FEATURE = re.compile(r"[A-Z][a-zA-Z0-9]*(/[a-zA-Z][a-zA-Z0-9]*)*")


def _features(features: list[str], path: Path) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go validateNodeDeclaredFeatures
    found = []
    for position, feature in enumerate(features):
        if wrong := _no_feature(feature):
            text = f"invalid feature name {quote(feature)}: {wrong}"
            found.append(FieldError.invalid(path.index(position), feature, text))
        following = features[position + 1] if position + 1 < len(features) else None
        where = path.index(position + 1)
        if feature == following:
            found.append(FieldError.duplicate(where, following))
        elif following is not None and feature > following:
            text = "list must be sorted alphabetically"
            found.append(FieldError.invalid(where, following, text))
    return found


def _no_feature(name: str) -> str:
    if len(name.encode()) > names.DNS1123_SUBDOMAIN_MAX_LENGTH:
        return f"must be no more than {names.DNS1123_SUBDOMAIN_MAX_LENGTH} characters"
    if _FEATURE.fullmatch(name):
        return ""
    return (
        "must start with an UpperCamelCase segment, with subsequent segments separated by '/' "
        "(e.g., MyFeature or MyFeature/mySubFeature), and contain only alphanumeric characters "
        "and slashes"
    )


RULES = (
    TypeRule(
        type="io.k8s.api.core.v1.NodeStatus", default=_default_status, validate=_validate_status
    ),
    TypeRule(type="io.k8s.api.core.v1.NodeSpec", default=_default_spec, validate=_validate_spec),
)
