"""How many requests of a priority level run at once, and how many wait."""
# upstream: flowcontrol validation.go ValidatePriorityLevelConfigurationSpec

import math

from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.resources.shared import checks

_MAX_QUEUES = 10_000_000
_HASH_BITS = 60
_EXEMPT = "must be 'Exempt' if and only if `name` is 'exempt'"


def check(spec: Object, name: str, path: Path) -> checks.Errors:
    kind, limited, exempt = spec.get("type") or "", spec.get("limited"), spec.get("exempt")
    found = []
    if (name == "exempt") is not (kind == "Exempt"):
        found.append(FieldError.invalid(path.child("type"), kind, _EXEMPT))
    if kind != "Limited" and limited is not None:
        found.append(FieldError.forbidden(path.child("limited"), ""))
    if kind == "Exempt":
        return found + (_shares(exempt, path.child("exempt")) if exempt is not None else [])
    if kind != "Limited":
        return found + checks.chosen(spec, path, "type", ("Exempt", "Limited"))
    if exempt is not None:
        found.append(FieldError.forbidden(path.child("exempt"), ""))
    if limited is None:
        return [*found, FieldError.required(path.child("limited"))]
    return found + _limited(limited, path.child("limited"))


def _shares(level: Object, path: Path) -> checks.Errors:
    shares, lendable = level.get("nominalConcurrencyShares") or 0, level.get("lendablePercent")
    found = []
    if shares < 0:
        where = path.child("nominalConcurrencyShares")
        found.append(FieldError.invalid(where, shares, "must be a non-negative integer"))
    if lendable is not None and not 0 <= lendable <= 100:
        text = "must be between 0 and 100, inclusive"
        found.append(FieldError.invalid(path.child("lendablePercent"), lendable, text))
    return found


def _limited(level: Object, path: Path) -> checks.Errors:
    found = _shares(level, path)
    borrowed = level.get("borrowingLimitPercent")
    if borrowed is not None and borrowed < 0:
        text = "if specified, must be a non-negative integer"
        found.append(FieldError.invalid(path.child("borrowingLimitPercent"), borrowed, text))
    response, where = level.get("limitResponse") or {}, path.child("limitResponse")
    kind, queuing = response.get("type") or "", response.get("queuing")
    place = where.child("queuing")
    if kind != "Queue":
        if queuing is not None:
            found.append(FieldError.forbidden(place, ""))
        return found + checks.chosen(response, where, "type", ("Queue", "Reject"))
    if queuing is None:
        return [*found, FieldError.required(place)]
    return found + _queuing(queuing, place)


def _queuing(queuing: Object, path: Path) -> checks.Errors:
    # upstream: flowcontrol validation.go ValidatePriorityLevelQueuingConfiguration
    queues, hand = queuing.get("queues") or 0, queuing.get("handSize") or 0
    found = []
    for field in ("queueLengthLimit", "queues", "handSize"):
        value = queuing.get(field) or 0
        if value <= 0:
            found.append(FieldError.invalid(path.child(field), value, "must be positive"))
    if queues > _MAX_QUEUES:
        text = f"must not be greater than {_MAX_QUEUES}"
        found.append(FieldError.invalid(path.child("queues"), queues, text))
    where = path.child("handSize")
    if hand > queues:
        text = f"should not be greater than queues ({queues})"
        found.append(FieldError.invalid(where, hand, text))
    elif hand > 0 and _entropy(queues, hand) > _HASH_BITS:
        text = (
            f"required entropy bits of deckSize {queues} and handSize {hand} "
            f"should not be greater than {_HASH_BITS}"
        )
        found.append(FieldError.invalid(where, hand, text))
    return found


def _entropy(deck: int, hand: int) -> int:
    # upstream: apiserver pkg/util/shufflesharding/dealer.go RequiredEntropyBits
    return math.ceil(math.log2(deck) * hand)
