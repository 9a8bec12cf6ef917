"""Feature gates: those of upstream's that can be switched here, off until someone does."""
# upstream: component-base featuregate/feature_gate.go featureGate.Set, SetFromMap

from collections.abc import Mapping

from pykube_cp.machinery.go_numbers import parse_bool

CBOR = "CBORServingAndStorage"
GATES: Mapping[str, bool] = {CBOR: False}
"""Known gates and their defaults."""
STAGES: Mapping[str, str] = {CBOR: "ALPHA"}


class FeatureGateError(ValueError):
    """What is wrong with ``--feature-gates``."""


def parse(text: str) -> dict[str, bool]:
    """``Name=true,Other=false``, with the defaults of those that are not named."""
    found = dict(GATES)
    for part in filter(None, text.split(",")):
        name, equals, value = (side.strip() for side in part.partition("="))
        if not equals:
            raise FeatureGateError(f"missing bool value for {name}")
        try:
            is_on = parse_bool(value)
        except ValueError as error:
            raise FeatureGateError(f"invalid value of {name}={value}, err: {error}") from None
        if name not in GATES:
            raise FeatureGateError(f"unrecognized feature gate: {name}")
        found[name] = is_on
    return found
