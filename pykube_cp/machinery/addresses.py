"""IP addresses and CIDRs as Go reads them, and what is wrong with those that are not canonical.

Old fields accept what Go once accepted (leading zeros, IPv4 inside IPv6); new ones only the
canonical form. An address here is its 16 bytes, IPv4 as ``::ffff:a.b.c.d``.
"""
# upstream: apimachinery pkg/util/validation/ip.go

import ipaddress
import re
from collections.abc import Collection
from typing import NamedTuple

from pykube_cp.machinery.field_errors import FieldError, Path, with_origin
from pykube_cp.machinery.go_text import quote

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_IP_TEXT = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
_CIDR_TEXT = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
_OCTET = re.compile(r"[0-9]+")
_LEADING_ZERO = re.compile(r"(^|\.)0[0-9]")


class Network(NamedTuple):
    """A parsed CIDR: the address, the network around it, the mask as written and its width."""

    address: Address
    network: ipaddress.IPv4Network | ipaddress.IPv6Network
    bits: int
    width: int


def parse_ip_sloppy(text: str) -> Address | None:
    """As Go before 1.17: leading zeros are decimal; an IPv4-mapped IPv6 address is IPv4."""
    # upstream: utils net/parse.go ParseIPSloppy
    if ":" not in text.partition(".")[0]:
        return _ipv4(text)
    head, colon, tail = text.rpartition(":")
    if "." in tail:
        embedded = _ipv4(tail)
        if embedded is None:
            return None
        number = int(embedded)
        text = f"{head}{colon}{number >> 16:x}:{number & 0xFFFF:x}"
    return _ipv6(text)


def _ipv4(text: str) -> ipaddress.IPv4Address | None:
    octets = text.split(".")
    if len(octets) != 4:
        return None
    number = 0
    for octet in octets:
        if not _OCTET.fullmatch(octet) or int(octet[-20:]) > 255 or len(octet) > 20:
            return None
        number = number << 8 | int(octet)
    return ipaddress.IPv4Address(number)


def _ipv6(text: str) -> Address | None:
    if "%" in text:
        return None
    wide = ":".join(re.sub(r"^0+(?=[0-9a-fA-F])", "", group) for group in text.split(":"))
    try:
        address = ipaddress.IPv6Address(wide)
    except ValueError:
        return None
    return address.ipv4_mapped or address


def parse_cidr_sloppy(text: str) -> Network | None:
    # upstream: utils net/parse.go ParseCIDRSloppy
    written, slash, length = text.partition("/")
    address = parse_ip_sloppy(written)
    if not slash or address is None or not _OCTET.fullmatch(length) or len(length) > 20:
        return None
    is_mapped = address.version == 4 and ":" in written
    bits, width = int(length), 32 if address.version == 4 and not is_mapped else 128
    if bits > width:
        return None
    if is_mapped:
        return Network(address, _mapped_network(address, bits), bits, width)
    return Network(address, ipaddress.ip_network((address, bits), strict=False), bits, width)


def _mapped_network(address: Address, bits: int) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    number = 0xFFFF << 32 | int(address)
    wide = ipaddress.IPv6Network((number, bits), strict=False)
    mapped = wide.network_address.ipv4_mapped
    if mapped is not None and bits >= 96:
        return ipaddress.IPv4Network((mapped, bits - 96))
    return wide


def _is_mapped(text: str, address: Address) -> bool:
    return ":" in text and address.version == 4


def ip_text(address: Address) -> str:
    """As Go prints it; Python's form differs only for IPv4-mapped ones, which are IPv4 here."""
    return str(address)


def _parse_ip(
    path: Path | None, value: str, *, strict: bool
) -> tuple[Address | None, list[FieldError]]:
    address = parse_ip_sloppy(value)
    if address is None:
        return None, [FieldError.invalid(path, value, _IP_TEXT)]
    found = []
    if strict and not _is_standard(value):
        found.append(FieldError.invalid(path, value, "must not have leading 0s"))
    elif strict and _is_mapped(value, address):
        found.append(FieldError.invalid(path, value, "must not be an IPv4-mapped IPv6 address"))
    return address, found


def _is_standard(text: str) -> bool:
    """Whether today's Go reads it: no leading zeros, groups of four digits at most."""
    if ":" not in text:
        return not _LEADING_ZERO.search(text)
    return all(
        not _LEADING_ZERO.search(group) if "." in group else len(group) <= 4
        for group in text.split(":")
    )


def is_valid_ip(path: Path | None, value: str) -> list[FieldError]:
    """For new fields: the canonical form only."""
    address, found = _parse_ip(path, value, strict=True)
    if address is not None and not found and value != ip_text(address):
        detail = f"must be in canonical form ({quote(ip_text(address))})"
        found.append(FieldError.invalid(path, value, detail))
    return with_origin(found, "format=ip-strict")


def is_valid_ip_for_legacy_field(
    path: Path | None, value: str, *, strict: bool, valid_old: Collection[str] = ()
) -> list[FieldError]:
    """For old fields; what was stored before (``valid_old``) stays valid."""
    if value in valid_old:
        return []
    _, found = _parse_ip(path, value, strict=strict)
    return with_origin(found, "format=ip-sloppy")


def warnings_for_ip(path: Path | None, value: str) -> list[str]:
    address = parse_ip_sloppy(value)
    if address is None:
        return []
    canonical = ip_text(address)
    if not _is_standard(value) or _is_mapped(value, address):
        return [
            f"{path}: non-standard IP address {quote(value)} is invalid: use {quote(canonical)}"
        ]
    if address.version == 6 and value != canonical:
        text = f"{path}: IPv6 address {quote(value)} should be in RFC 5952 canonical format"
        return [f"{text} ({quote(canonical)})"]
    return []


def _parse_cidr(
    path: Path | None, value: str, *, strict: bool
) -> tuple[Network | None, list[FieldError]]:
    parsed = parse_cidr_sloppy(value)
    if parsed is None:
        return None, [FieldError.invalid(path, value, _CIDR_TEXT)]
    text = _strict_cidr_text(value, parsed) if strict else ""
    return parsed, [FieldError.invalid(path, value, text)] if text else []


def _strict_cidr_text(value: str, parsed: Network) -> str:
    if not _is_standard_cidr(value):
        return "must not have leading 0s in IP or prefix length"
    if _is_mapped(value.partition("/")[0], parsed.address):
        return "must not have an IPv4-mapped IPv6 address"
    if parsed.address != parsed.network.network_address:
        return "must not have bits set beyond the prefix length"
    return ""


def _is_standard_cidr(value: str) -> bool:
    written, _, length = value.partition("/")
    return _is_standard(written) and (length == "0" or not length.startswith("0"))


def is_valid_cidr(path: Path | None, value: str) -> list[FieldError]:
    """For new fields: the canonical form only."""
    parsed, found = _parse_cidr(path, value, strict=True)
    if parsed is not None and not found and value != str(parsed.network):
        detail = f"must be in canonical form ({quote(str(parsed.network))})"
        found.append(FieldError.invalid(path, value, detail))
    return found


def is_valid_cidr_for_legacy_field(
    path: Path | None, value: str, *, strict: bool, valid_old: Collection[str] = ()
) -> list[FieldError]:
    """For old fields; what was stored before (``valid_old``) stays valid."""
    return [] if value in valid_old else _parse_cidr(path, value, strict=strict)[1]


def warnings_for_cidr(path: Path | None, value: str) -> list[str]:
    parsed = parse_cidr_sloppy(value)
    if parsed is None:
        return []
    found = []
    network = str(parsed.network)
    is_mapped = _is_mapped(value.partition("/")[0], parsed.address)
    if parsed.address != parsed.network.network_address:
        single = f"{parsed.address}/{parsed.width}"
        found.append(
            f"{path}: CIDR value {quote(value)} is ambiguous in this context "
            f"(should be {quote(network)} or {quote(single)}?)"
        )
    if not _is_standard_cidr(value) or is_mapped:
        found.append(
            f"{path}: non-standard CIDR value {quote(value)} is invalid: use {quote(network)}"
        )
    if not found and parsed.address.version == 6 and value != network:
        found.append(
            f"{path}: IPv6 CIDR value {quote(value)} should be in RFC 5952 canonical format "
            f"({quote(network)})"
        )
    return found


def is_valid_interface_address(path: Path | None, value: str) -> list[FieldError]:
    parsed = parse_cidr_sloppy(value)
    if parsed is None:
        detail = "must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)"
        return [FieldError.invalid(path, value, detail)]
    is_wide = parsed.address.version == 4 and parsed.bits > 32
    length = parsed.bits - 96 if is_wide else parsed.bits
    canonical = f"{parsed.address}/{length}"
    if value == canonical:
        return []
    return [FieldError.invalid(path, value, f"must be in canonical form ({quote(canonical)})")]
