"""Lists and maps whose size is limited, so that nothing larger is looked at."""
# upstream: pkg/apis/resource/validation/validation.go validateSlice, validateSet, validateMap

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.resources.shared import checks

NO_LIMIT = -1
_SHORTEST = 16
_ELLIPSIS = "..."

Check = Callable[[Any, Path], checks.Errors]
Key = Callable[[Any], Any]


def sized(
    values: Sequence[Any], limit: int, path: Path, check: Check, *, declared: bool = True
) -> checks.Errors:
    """Each of at most ``limit`` values; ``declared`` when the type says how many there may be."""
    if len(values) > limit >= 0:
        error = FieldError.too_many(path, len(values), limit).with_origin("maxItems")
        return [error.by_declaration() if declared else error]
    found = []
    for position, value in enumerate(values):
        found += check(value, path.index(position))
    return found


def distinct(
    values: Sequence[Any],
    limit: int,
    path: Path,
    check: Check,
    key: Key,
    *,
    declared: bool = True,
) -> checks.Errors:
    """Each of at most ``limit`` values, and that none has the key of an earlier one."""
    found = sized(values, limit, path, check, declared=declared)
    if len(values) > limit >= 0:
        return found
    seen = set()
    for position, value in enumerate(values):
        own = key(value)
        if own in seen:
            error = FieldError.duplicate(path.index(position), own)
            found.append(error.by_declaration() if declared else error)
        seen.add(own)
    return found


def mapped(
    values: Mapping[str, Any],
    limit: int,
    path: Path,
    check_key: Check,
    check: Check,
    *,
    longest_key: int,
) -> checks.Errors:
    """Keys and values of a map; a long key is shortened where it tells the place."""
    if len(values) > limit >= 0:
        return [FieldError.too_many(path, len(values), limit)]
    found = []
    for key in sorted(values):
        found += check_key(key, path)
        found += check(values[key], path.key(shortened(key, longest_key)))
    return found


def shortened(text: str, longest: int) -> str:
    # upstream: pkg/apis/resource/validation/validation.go truncateIfTooLong
    longest = max(longest, _SHORTEST)
    if len(text) <= longest:
        return text
    rest = longest - len(_ELLIPSIS)
    return text[: (rest + 1) // 2] + _ELLIPSIS + text[len(text) - rest // 2 :]


def nothing(_value: Any, _path: Path) -> checks.Errors:
    """Whatever could be decoded is right."""
    return []


def itself(value: Any) -> Any:
    return value
