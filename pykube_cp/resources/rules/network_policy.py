"""Network policies."""

from pykube_cp.machinery import addresses
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.resources.shared import checks, defaults


def _default_spec(spec: Object, _ctx: RuleContext) -> None:
    # upstream: pkg/apis/networking/v1/defaults.go SetDefaults_NetworkPolicy
    if not spec.get("policyTypes"):
        spec["policyTypes"] = ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]


_TYPES = ("Ingress", "Egress")


def _validate_types(spec: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/networking/validation/validation.go ValidateNetworkPolicySpec
    types, where = spec.get("policyTypes") or [], path.child("policyTypes")
    if len(types) > len(_TYPES):
        return [FieldError.invalid(where, types, "may not specify more than two policyTypes")]
    found = []
    for position, kind in enumerate(types):
        found += checks.supported(kind, where.index(position), _TYPES)
    return found


def _validate_port(port: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/networking/validation/validation.go ValidateNetworkPolicyPort
    found = checks.optional(port, path, "protocol", ("TCP", "UDP", "SCTP"))
    first, last = port.get("port"), port.get("endPort")
    ends = [] if last is None else _end(first, last, path.child("endPort"))
    if first is None:
        return found + ends
    begins = checks.port(first, path.child("port"))
    return found + (ends + begins if isinstance(first, str) else begins + ends)


def _end(first: int | str | None, last: int, path: Path) -> checks.Errors:
    if first is None:
        text = "may not be specified when `port` is not specified"
        return [FieldError.invalid(path, last, text)]
    if isinstance(first, str):
        text = "may not be specified when `port` is non-numeric"
        return [FieldError.invalid(path, last, text)]
    found = []
    if last < first:
        text = "must be greater than or equal to `port`"
        found.append(FieldError.invalid(path, last, text))
    return found + checks.port_number(last, path)


def _validate_peer(peer: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/networking/validation/validation.go ValidateNetworkPolicyPeer
    fields = ("podSelector", "namespaceSelector", "ipBlock")
    given = [field for field in fields if peer.get(field) is not None]
    if not given:
        return [FieldError.required(path, "must specify a peer")]
    if len(given) > 1 and "ipBlock" in given:
        text = "may not specify both ipBlock and another peer"
        return [FieldError.forbidden(path, text)]
    return []


def _validate_block(block: Object, path: Path, ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/networking/validation/validation.go ValidateIPBlock
    whole = block.get("cidr") or ""
    if not whole:
        return [FieldError.required(path.child("cidr"))]
    known = _stored(ctx.old or {})
    found = checks.network(whole, path.child("cidr"), known)
    network = addresses.parse_cidr_sloppy(whole)
    if network is None:
        return found
    for position, text in enumerate(block.get("except") or ()):
        where = path.child("except").index(position)
        found += checks.network(text, where, known)
        part = addresses.parse_cidr_sloppy(text)
        if part is None:
            continue
        if part.address not in network.network or network.bits >= part.bits:
            wrong = "must be a strict subset of `cidr`"
            found.append(FieldError.invalid(where, text, wrong))
    return found


def _stored(policy: Object) -> set[str]:
    """All networks that a policy had before; they stay valid."""
    spec = policy.get("spec") or {}
    found: set[str] = set()
    for field, side in (("ingress", "from"), ("egress", "to")):
        for rule in spec.get(field) or ():
            for peer in rule.get(side) or ():
                if (block := peer.get("ipBlock")) is not None:
                    found |= {block.get("cidr") or "", *(block.get("except") or ())}
    return found


RULES = (
    TypeRule(
        type="io.k8s.api.networking.v1.NetworkPolicySpec",
        default=_default_spec,
        order=("podSelector", "ingress", "egress", _validate_types),
    ),
    TypeRule(
        type="io.k8s.api.networking.v1.NetworkPolicyPort",
        default=defaults.missing(protocol="TCP"),
        validate=_validate_port,
    ),
    TypeRule(
        type="io.k8s.api.networking.v1.NetworkPolicyPeer",
        order=("podSelector", "namespaceSelector", "ipBlock", _validate_peer),
    ),
    TypeRule(type="io.k8s.api.networking.v1.IPBlock", validate=_validate_block),
)
