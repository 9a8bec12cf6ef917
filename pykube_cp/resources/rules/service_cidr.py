"""Service CIDRs."""

from pykube_cp.machinery import addresses
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.registry.validation import IMMUTABLE
from pykube_cp.resources.shared import checks

_MAX = 2


def _validate_spec(spec: Object, path: Path, ctx: RuleContext) -> checks.Errors:
    """Of an update only a second network is judged: all else is fixed."""
    # upstream: pkg/apis/networking/validation/validation.go ValidateServiceCIDRUpdate
    networks, where = spec.get("cidrs") or [], path.child("cidrs")
    if ctx.old is None:
        return _judge(spec, networks, where)
    before = (ctx.old.get("spec") or {}).get("cidrs") or []
    grows = (len(before), len(networks)) == (1, _MAX)
    if len(networks) != len(before) and not grows:
        return [FieldError.invalid(where, networks or None, IMMUTABLE)]
    found = [
        FieldError.invalid(where.index(position), networks[position], IMMUTABLE)
        for position, network in enumerate(before)
        if networks[position] != network
    ]
    return found + (_judge(spec, networks, where) if grows else [])


def _judge(spec: Object, networks: list[str], where: Path) -> checks.Errors:
    # upstream: pkg/apis/networking/validation/validation.go validateServiceCIDRSpec
    if not networks:
        return [FieldError.required(where, "at least one CIDR required")]
    if len(networks) > _MAX:
        return [FieldError.invalid(where, spec, "may only hold up to 2 values")]
    found = []
    for position, network in enumerate(networks):
        found += addresses.is_valid_cidr(where.index(position), network)
    parsed = [addresses.parse_cidr_sloppy(network) for network in networks]
    versions = [one.address.version for one in parsed if one is not None]
    if len(versions) > len(set(versions)):
        text = (
            "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and "
            "2001:db8::/64"
        )
        found.append(FieldError.invalid(where, networks, text))
    return found


RULES = (TypeRule(type="io.k8s.api.networking.v1.ServiceCIDRSpec", validate=_validate_spec),)
