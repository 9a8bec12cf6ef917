"""Nodes."""

from pykube_cp.machinery import addresses
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
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
    parsed = [addresses.parse_cidr_sloppy(network) for network in networks]
    families = {network.address.version for network in parsed if network is not None}
    if len(networks) > len(families) and None not in parsed:
        text = "may specify no more than one CIDR for each IP family"
        found.append(FieldError.invalid(where, networks, text))
    return found


def _validate_status(status: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go ValidateNodeResources
    found = []
    for field in ("capacity", "allocatable"):
        for name, value in sorted((status.get(field) or {}).items()):
            found += resource_names.check_amount(name, value, path.child(field, name))
    return found


RULES = (
    TypeRule(
        type="io.k8s.api.core.v1.NodeStatus", default=_default_status, validate=_validate_status
    ),
    TypeRule(type="io.k8s.api.core.v1.NodeSpec", default=_default_spec, validate=_validate_spec),
)
