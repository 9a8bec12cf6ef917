"""Extra fields of a user in headers, the key in the header's name."""
# upstream: apiserver pkg/authentication/request/headerrequest/requestheader.go newExtra

from collections.abc import Iterable
from urllib.parse import unquote

from pykube_cp.machinery.go_url import is_badly_escaped


def extra_of(lines: Iterable[tuple[str, str]], prefix: str) -> dict[str, tuple[str, ...]]:
    """Of header names in lower case and their values; a key that is badly escaped stays as it is."""
    found: dict[str, tuple[str, ...]] = {}
    for name, value in lines:
        if name.startswith(prefix):
            key = name[len(prefix) :]
            if not is_badly_escaped(key):
                key = unquote(key)
            found[key] = (*found.get(key, ()), value)
    return found
