"""Keys of labels whose values the incoming pod gives to a selector."""

from collections.abc import Sequence

from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.resources.shared import checks


def check(
    path: Path, selector: Object | None, matched: Sequence[str], mismatched: Sequence[str] = ()
) -> checks.Errors:
    # upstream: core validation.go ValidateMatchLabelKeysAndMismatchLabelKeys
    found = _keys(path.child("matchLabelKeys"), matched, selector)
    found += _keys(path.child("mismatchLabelKeys"), mismatched, selector)
    if selector is not None:
        found += _twice(path, selector, matched)
    for position, key in enumerate(matched):
        if key in mismatched:
            text = "exists in both matchLabelKeys and mismatchLabelKeys"
            where = path.child("matchLabelKeys").index(position)
            found.append(FieldError.invalid(where, key, text))
    return found


def _keys(path: Path, keys: Sequence[str], selector: Object | None) -> checks.Errors:
    if not keys:
        return []
    if selector is None:
        text = "must not be specified when labelSelector is not set"
        return [FieldError.forbidden(path, text)]
    return [
        error
        for position, key in enumerate(keys)
        for error in checks.qualified(key, path.index(position))
    ]


def _twice(path: Path, selector: Object, matched: Sequence[str]) -> checks.Errors:
    """A key may be there once: that is the one which was merged into the selector."""
    found = []
    seen = set(selector.get("matchLabels") or ())
    for expression in selector.get("matchExpressions") or ():
        key = expression.get("key", "")
        if key in matched and key in seen:
            text = "exists in both matchLabelKeys and labelSelector"
            last = len(matched) - 1 - matched[::-1].index(key)
            found.append(FieldError.invalid(path.index(last), key, text))
        seen.add(key)
    return found
