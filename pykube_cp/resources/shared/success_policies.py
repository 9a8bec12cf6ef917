"""When a job with indexes has had enough success."""
# upstream: pkg/apis/batch/validation/validation.go validateSuccessPolicy

from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.resources.shared import checks, job_indexes

_MAX_RULES = 20
_MAX_TEXT = 64 * 1024


def check(spec: Object, path: Path) -> checks.Errors:
    rules, where = spec["successPolicy"].get("rules") or [], path.child("rules")
    found = []
    if not rules:
        text = "at least one rules must be specified when the successPolicy is specified"
        found.append(FieldError.required(where, text))
    if len(rules) > _MAX_RULES:
        found.append(FieldError.too_many(where, len(rules), _MAX_RULES))
    for position, rule in enumerate(rules):
        found += _rule(rule, spec.get("completions") or 0, where.index(position))
    return found


def _rule(rule: Object, completions: int, path: Path) -> checks.Errors:
    count, indexes = rule.get("succeededCount"), rule.get("succeededIndexes")
    found = []
    if count is None and indexes is None:
        text = "at least one of succeededCount or succeededIndexes must be specified"
        found.append(FieldError.required(path, text))
    total = 0
    if indexes is not None:
        where = path.child("succeededIndexes")
        if len(indexes) > _MAX_TEXT:
            found.append(FieldError.too_long(where, "", _MAX_TEXT))
        try:
            total = job_indexes.count(indexes, completions)
        except ValueError as error:
            text = f"error parsing succeededIndexes: {error}"
            found.append(FieldError.invalid(where, indexes, text))
    return found if count is None else found + _count(rule, completions, total, path)


def _count(rule: Object, completions: int, total: int, path: Path) -> checks.Errors:
    count, where = rule["succeededCount"], path.child("succeededCount")
    found = checks.nonnegative(rule, path, "succeededCount")
    if count > completions:
        text = f"must be less than or equal to {completions} (the number of specified completions)"
        found.append(FieldError.invalid(where, count, text))
    if rule.get("succeededIndexes") is not None and count > total:
        text = (
            f"must be less than or equal to {total} "
            "(the number of indexes in the specified succeededIndexes field)"
        )
        found.append(FieldError.invalid(where, count, text))
    return found
