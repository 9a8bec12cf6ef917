"""Amounts by resource name."""

from typing import Any

from pykube_cp.machinery.quantity import Quantity
from pykube_cp.registry.rules import RuleContext, TypeRule


def _default(amounts: dict[str, Any], _ctx: RuleContext) -> None:
    """Round up to thousandths; only unusual spellings can be finer."""
    # upstream: pkg/apis/core/v1/defaults.go SetDefaults_ResourceList
    for name, text in amounts.items():
        if isinstance(text, str) and (text[-1:] in {"n", "u"} or "." in text or "-" in text):
            amounts[name] = _rounded(text)


def _rounded(text: str) -> str:
    return str(Quantity.parse(text).round_up(-3))


RULES = (TypeRule(type="v1.ResourceList", default=_default),)
