"""Feature gates: those of upstream's that can be switched here, off until someone does."""
# upstream: component-base featuregate/feature_gate.go featureGate.Set, SetFromMap

from collections.abc import Mapping

CBOR = "CBORServingAndStorage"
GATES: Mapping[str, bool] = {CBOR: False}
"""Known gates and their defaults."""

_TRUTHS = dict.fromkeys(("1", "t", "T", "TRUE", "true", "True"), True)
_TRUTHS |= dict.fromkeys(("0", "f", "F", "FALSE", "false", "False"), False)


class FeatureGateError(ValueError):
    """What is wrong with ``--feature-gates``."""


def parse(text: str) -> dict[str, bool]:
    """``Name=true,Other=false``, with the defaults of those that are not named."""
    found = dict(GATES)
    for part in filter(None, text.split(",")):
        name, equals, value = (side.strip() for side in part.partition("="))
        if not equals:
            raise FeatureGateError(f"missing bool value for {name}")
        if value not in _TRUTHS:
            why = f'strconv.ParseBool: parsing "{value}": invalid syntax'
            raise FeatureGateError(f"invalid value of {name}={value}, err: {why}")
        if name not in GATES:
            raise FeatureGateError(f"unrecognized feature gate: {name}")
        found[name] = _TRUTHS[value]
    return found
