"""Annotations that users pass to those who sign certificates of pods."""

from collections.abc import Mapping

from pykube_cp.machinery import names
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.resources.shared import checks

_MAX_SIZE = 256 << 10
_SHAPE = 'must be a domain-prefixed key (such as "acme.io/foo")'


def check(annotations: Mapping[str, str] | None, path: Path) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go ValidateUserAnnotations
    found: checks.Errors = []
    for key in annotations or ():
        found += _key(key.lower(), path)
    size = sum(checks.size(key) + checks.size(value) for key, value in (annotations or {}).items())
    return [*found, FieldError.too_long(path, "", _MAX_SIZE)] if size > _MAX_SIZE else found


def _key(key: str, path: Path) -> checks.Errors:
    # upstream: apimachinery pkg/util/validation/validation.go IsDomainPrefixedKey
    if not key:
        return [FieldError.required(path)]
    wrong = names.is_label_key(key) or ([] if "/" in key else [_SHAPE])
    return checks.invalid(path, key, wrong)
