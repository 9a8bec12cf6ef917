"""Which names, labels, keys and addresses are allowed, and how names are made.

Each ``is_...`` returns messages about what is wrong, in upstream's words; an empty list when
nothing is. ``prefix=True`` asks about a name to which something will be appended, a generateName.
"""
# upstream: apimachinery pkg/util/validation/validation.go and pkg/api/validate/content

import random
import re
from collections.abc import Callable, Iterable

from pykube_cp.machinery import addresses
from pykube_cp.machinery.remember import remembered

DNS1123_LABEL_MAX_LENGTH = 63
DNS1123_SUBDOMAIN_MAX_LENGTH = 253
DNS1035_LABEL_MAX_LENGTH = 63
LABEL_VALUE_MAX_LENGTH = 63

IS_NEGATIVE = "must be greater than or equal to 0"

NameValidator = Callable[[str], list[str]]

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = f"{_LABEL}(\\.{_LABEL})*"
_UNDERSCORE_LABEL = "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
_UNDERSCORE_SUBDOMAIN = f"{_UNDERSCORE_LABEL}(\\.{_UNDERSCORE_LABEL})*"
_LABEL_1035 = "[a-z]([-a-z0-9]*[a-z0-9])?"
_WILDCARD = f"\\*\\.{_SUBDOMAIN}"
_KEY = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_VALUE = f"({_KEY})?"
_C_IDENTIFIER = "[A-Za-z_][A-Za-z0-9_]*"
_PERCENT = "[0-9]+%"
_HEADER = "[-A-Za-z0-9]+"
_ENV_VAR = "[-._a-zA-Z][-._a-zA-Z0-9]*"
_CONFIG_KEY = "[-._a-zA-Z0-9]+"
_HTTP_PATH = r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+"

_LABEL_TEXT = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
    "and must start and end with an alphanumeric character"
)
_SUBDOMAIN_TEXT = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, "
    "'-' or '.', and must start and end with an alphanumeric character"
)
_CASELESS_TEXT = (
    "an RFC 1123 subdomain must consist of alphanumeric characters, '-' or '.', "
    "and must start and end with an alphanumeric character"
)
_UNDERSCORE_TEXT = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, "
    "'_', '-' or '.', and must start and end with an alphanumeric character"
)
_LABEL_1035_TEXT = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', "
    "start with an alphabetic character, and end with an alphanumeric character"
)
_WILDCARD_TEXT = (
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which "
    "must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric "
    "character"
)
_KEY_TEXT = (
    "must consist of alphanumeric characters, '-', '_' or '.', "
    "and must start and end with an alphanumeric character"
)
_VALUE_TEXT = (
    "a valid label must be an empty string or consist of alphanumeric characters, "
    "'-', '_' or '.', and must start and end with an alphanumeric character"
)
_C_IDENTIFIER_TEXT = (
    "a valid C identifier must start with alphabetic character or '_', "
    "followed by a string of alphanumeric characters or '_'"
)
_ENV_VAR_TEXT = (
    "a valid environment variable name must consist of alphabetic characters, digits, "
    "'_', '-', or '.', and must not start with a digit"
)
_RELAXED_ENV_VAR_TEXT = (
    "a valid environment variable name must consist only of printable ASCII characters "
    "other than '='"
)
_CONFIG_KEY_TEXT = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"
_HEADER_TEXT = "a valid HTTP header must consist of alphanumeric characters or '-'"
_PERCENT_TEXT = "a valid percent string must be a numeric string followed by an ending '%'"


def _full(pattern: str) -> Callable[[str], re.Match[str] | None]:
    return re.compile(pattern).fullmatch


_label = _full(_LABEL)
_subdomain = _full(_SUBDOMAIN)
_caseless = _full(_SUBDOMAIN.replace("a-z", "a-zA-Z"))
_underscore = _full(_UNDERSCORE_SUBDOMAIN)
_label_1035 = _full(_LABEL_1035)
_wildcard = _full(_WILDCARD)
_key = _full(_KEY)
_value = _full(_VALUE)
_c_identifier = _full(_C_IDENTIFIER)
_percent = _full(_PERCENT)
_header = _full(_HEADER)
_env_var = _full(_ENV_VAR)
_config_key = _full(_CONFIG_KEY)
_http_path = _full(_HTTP_PATH)
_port_charset = _full("[-a-z0-9]+")


# Texts.


def regex_error(text: str, pattern: str, *examples: str) -> str:
    if not examples:
        return f"{text} (regex used for validation is '{pattern}')"
    shown = " or ".join(f"'{example}', " for example in examples)
    return f"{text} (e.g. {shown}regex used for validation is '{pattern}')"


def max_len_error(length: int) -> str:
    return f"must be no more than {length} characters"


def max_bytes_error(length: int) -> str:
    return f"must be no more than {length} bytes"


def in_bytes(texts: Iterable[str]) -> list[str]:
    """The same texts as the newer half of upstream's checks has them."""
    # upstream: apimachinery pkg/api/validate/content/errors.go MaxLenError
    return [re.sub("([0-9]) characters$", r"\1 bytes", text) for text in texts]


def empty_error() -> str:
    return "must be non-empty"


def inclusive_range_error(low: int, high: int) -> str:
    return f"must be between {low} and {high}, inclusive"


def _size(text: str) -> int:
    """Length in bytes, as Go's ``len``."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


# Names of objects.


def mask_trailing_dash(name: str) -> str:
    """What stands for a prefix in a check; a dash may end it because something will follow."""
    # upstream: apimachinery pkg/api/validation/generic.go maskTrailingDash, which drops one more
    return f"{name[:-2]}a" if len(name) > 1 and name.endswith("-") else name


@remembered(4096)
def _dns1123_label(name: str) -> tuple[str, ...]:
    found = []
    if _size(name) > DNS1123_LABEL_MAX_LENGTH:
        found.append(max_len_error(DNS1123_LABEL_MAX_LENGTH))
    if not _label(name):
        if _subdomain(name):
            found.append("must not contain dots")
        else:
            found.append(regex_error(_LABEL_TEXT, _LABEL, "my-name", "123-abc"))
    return tuple(found)


def is_dns1123_label(name: str, *, prefix: bool = False) -> list[str]:
    return list(_dns1123_label(mask_trailing_dash(name) if prefix else name))


@remembered(4096)
def _dns1123_subdomain(name: str) -> tuple[str, ...]:
    found = []
    if _size(name) > DNS1123_SUBDOMAIN_MAX_LENGTH:
        found.append(max_len_error(DNS1123_SUBDOMAIN_MAX_LENGTH))
    if not _subdomain(name):
        found.append(regex_error(_SUBDOMAIN_TEXT, _SUBDOMAIN, "example.com"))
    return tuple(found)


def is_dns1123_subdomain(name: str, *, prefix: bool = False) -> list[str]:
    return list(_dns1123_subdomain(mask_trailing_dash(name) if prefix else name))


def is_dns1123_subdomain_caseless(name: str) -> list[str]:
    found = []
    if _size(name) > DNS1123_SUBDOMAIN_MAX_LENGTH:
        found.append(max_bytes_error(DNS1123_SUBDOMAIN_MAX_LENGTH))
    if not _caseless(name):
        found.append(regex_error(_CASELESS_TEXT, _SUBDOMAIN, "Example.com"))
    return found


def is_dns1123_subdomain_with_underscore(name: str) -> list[str]:
    found = []
    if _size(name) > DNS1123_SUBDOMAIN_MAX_LENGTH:
        found.append(max_len_error(DNS1123_SUBDOMAIN_MAX_LENGTH))
    if not _underscore(name):
        found.append(regex_error(_UNDERSCORE_TEXT, _UNDERSCORE_SUBDOMAIN, "example.com"))
    return found


def is_dns1035_label(name: str, *, prefix: bool = False) -> list[str]:
    name = mask_trailing_dash(name) if prefix else name
    found = []
    if _size(name) > DNS1035_LABEL_MAX_LENGTH:
        found.append(max_len_error(DNS1035_LABEL_MAX_LENGTH))
    if not _label_1035(name):
        found.append(regex_error(_LABEL_1035_TEXT, _LABEL_1035, "my-name", "abc-123"))
    return found


def is_wildcard_dns1123_subdomain(name: str) -> list[str]:
    found = []
    if _size(name) > DNS1123_SUBDOMAIN_MAX_LENGTH:
        found.append(max_len_error(DNS1123_SUBDOMAIN_MAX_LENGTH))
    if not _wildcard(name):
        found.append(regex_error(_WILDCARD_TEXT, _WILDCARD, "*.example.com"))
    return found


def is_path_segment_name(name: str, *, prefix: bool = False) -> list[str]:
    """For names that may be anything that fits into a URL as one segment."""
    # upstream: apimachinery pkg/api/validate/content/path.go IsPathSegmentName
    if not prefix and name in {".", ".."}:
        return [f"may not be '{name}'"]
    return [f"may not contain '{illegal}'" for illegal in "/%" if illegal in name]


# Labels and keys.


@remembered(4096)
def _label_key(key: str) -> tuple[str, ...]:
    parts = key.split("/")
    found: list[str] = []
    wrong = regex_error(_KEY_TEXT, _KEY, "MyName", "my.name", "123-abc")
    if len(parts) > 2:
        prefixed = "with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
        return (f"a valid label key {wrong} {prefixed}",)
    if len(parts) == 2:
        found += [f"prefix part {text}" for text in _key_prefix(parts[0])]
    name = parts[-1]
    if not name:
        found.append(f"name part {empty_error()}")
    elif _size(name) > 63:
        found.append(f"name part {max_bytes_error(63)}")
    if not _key(name):
        found.append(f"name part {wrong}")
    return tuple(found)


def _key_prefix(prefix: str) -> list[str]:
    if not prefix:
        return [empty_error()]
    found = []
    if _size(prefix) > DNS1123_SUBDOMAIN_MAX_LENGTH:
        found.append(max_bytes_error(DNS1123_SUBDOMAIN_MAX_LENGTH))
    if not _subdomain(prefix):
        found.append(regex_error(_SUBDOMAIN_TEXT, _SUBDOMAIN, "example.com"))
    return found


def is_label_key(key: str) -> list[str]:
    """Keys of labels, annotations, taints, resources: a name with an optional DNS prefix."""
    return list(_label_key(key))


is_qualified_name = is_label_key


def is_prefixed_label_key(key: str) -> list[str]:
    found = is_label_key(key)
    if not found and "/" not in key:
        found.append("must include a prefix (e.g. 'example.com/key')")
    return found


@remembered(4096)
def _label_value(value: str) -> tuple[str, ...]:
    found = []
    if _size(value) > LABEL_VALUE_MAX_LENGTH:
        found.append(max_bytes_error(LABEL_VALUE_MAX_LENGTH))
    if not _value(value):
        found.append(regex_error(_VALUE_TEXT, _VALUE, "MyValue", "my_value", "12345"))
    return tuple(found)


def is_valid_label_value(value: str) -> list[str]:
    return list(_label_value(value))


def is_config_map_key(key: str) -> list[str]:
    found = []
    if _size(key) > DNS1123_SUBDOMAIN_MAX_LENGTH:
        found.append(max_len_error(DNS1123_SUBDOMAIN_MAX_LENGTH))
    if not _config_key(key):
        examples = ("key.name", "KEY_NAME", "key-name")
        found.append(regex_error(_CONFIG_KEY_TEXT, _CONFIG_KEY, *examples))
    return found + _directory_change(key)


def _directory_change(name: str) -> list[str]:
    if name in {".", ".."}:
        return [f"must not be '{name}'"]
    return ["must not start with '..'"] if name.startswith("..") else []


# Names inside objects.


def is_cidentifier(name: str) -> list[str]:
    if _c_identifier(name):
        return []
    return [regex_error(_C_IDENTIFIER_TEXT, _C_IDENTIFIER, "my_name", "MY_NAME", "MyName")]


def is_env_var_name(name: str) -> list[str]:
    found = []
    if not _env_var(name):
        examples = ("my.env-name", "MY_ENV.NAME", "MyEnvName1")
        found.append(regex_error(_ENV_VAR_TEXT, _ENV_VAR, *examples))
    return found + _directory_change(name)


def is_relaxed_env_var_name(name: str) -> list[str]:
    if not name:
        return [f"environment variable name {empty_error()}"]
    if all(" " <= char <= "~" and char != "=" for char in name):
        return []
    return [_RELAXED_ENV_VAR_TEXT]


def is_port_name(name: str) -> list[str]:
    found = []
    if _size(name) > 15:
        found.append(max_len_error(15))
    if not _port_charset(name):
        found.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not any("a" <= char <= "z" for char in name):
        found.append("must contain at least one letter (a-z)")
    if "--" in name:
        found.append("must not contain consecutive hyphens")
    if name.startswith("-") or name.endswith("-"):
        found.append("must not begin or end with a hyphen")
    return found


def is_http_header_name(name: str) -> list[str]:
    return [] if _header(name) else [regex_error(_HEADER_TEXT, _HEADER, "X-Header-Name")]


def is_http_path(path: str) -> list[str]:
    """The path after the ``/`` of a domain-prefixed path."""
    return [] if _http_path(path) else [regex_error("Invalid path", _HTTP_PATH)]


def is_valid_percent(text: str) -> list[str]:
    return [] if _percent(text) else [regex_error(_PERCENT_TEXT, _PERCENT, "1%", "93%")]


def is_decimal_integer(text: str) -> list[str]:
    if not text:
        return [empty_error()]
    if re.fullmatch(r"0|-?[1-9][0-9]*", text):
        return []
    return ["must be a valid decimal integer in canonical form"]


# Numbers.


def is_in_range(value: int, low: int, high: int) -> list[str]:
    return [] if low <= value <= high else [inclusive_range_error(low, high)]


def is_valid_port_num(port: int) -> list[str]:
    return is_in_range(port, 1, 65535)


def is_valid_group_id(gid: int) -> list[str]:
    return is_in_range(gid, 0, (1 << 31) - 1)


def is_valid_user_id(uid: int) -> list[str]:
    return is_in_range(uid, 0, (1 << 31) - 1)


# Addresses; ``addresses`` has the field errors and warnings about them.


def is_valid_ip(text: str) -> list[str]:
    """For new fields: the canonical form only."""
    return [error.detail for error in addresses.is_valid_ip(None, text)]


def is_valid_ip_legacy(text: str, *, strict: bool = False) -> list[str]:
    found = addresses.is_valid_ip_for_legacy_field(None, text, strict=strict)
    return [error.detail for error in found]


def is_valid_cidr(text: str) -> list[str]:
    """For new fields: the canonical form only."""
    return [error.detail for error in addresses.is_valid_cidr(None, text)]


def is_valid_cidr_legacy(text: str, *, strict: bool = False) -> list[str]:
    found = addresses.is_valid_cidr_for_legacy_field(None, text, strict=strict)
    return [error.detail for error in found]


# Making names.

ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
"""No vowels and few digits, so that chance does not spell words."""

MAX_GENERATED_NAME_LENGTH = 58


def random_string(length: int) -> str:
    # upstream: apimachinery pkg/util/rand/rand.go String
    return "".join(random.choices(ALPHABET, k=length))


def generate_name(base: str) -> str:
    """``base`` with five random characters, 63 at most."""
    # upstream: apiserver pkg/storage/names/generate.go simpleNameGenerator.GenerateName
    return base[:MAX_GENERATED_NAME_LENGTH] + random_string(5)


def safe_encode_string(text: str) -> str:
    """``text`` in the alphabet of generated names; not reversible."""
    # upstream: apimachinery pkg/util/rand/rand.go SafeEncodeString
    return "".join(ALPHABET[ord(char) % len(ALPHABET)] for char in text)


def fnv32a(data: bytes) -> int:
    """FNV-1a, 32 bits: what hashes of pod templates and revisions are made with."""
    hashed = 0x811C9DC5
    for byte in data:
        hashed = ((hashed ^ byte) * 0x01000193) & 0xFFFFFFFF
    return hashed


def fnv32(data: bytes) -> int:
    """FNV-1, 32 bits."""
    hashed = 0x811C9DC5
    for byte in data:
        hashed = ((hashed * 0x01000193) & 0xFFFFFFFF) ^ byte
    return hashed


def fnv64a(data: bytes) -> int:
    """FNV-1a, 64 bits."""
    hashed = 0xCBF29CE484222325
    for byte in data:
        hashed = ((hashed ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return hashed
