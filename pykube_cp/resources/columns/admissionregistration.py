"""Columns of admissionregistration.k8s.io."""
# upstream: pkg/printers/internalversion/printers.go

from collections.abc import Iterable, Mapping

from pykube_cp.machinery.objects import Object
from pykube_cp.registry import table
from pykube_cp.registry.resource import Column
from pykube_cp.resources.shared import cells

WEBHOOK_CONFIGURATION = (
    table.NAME,
    Column(
        "Webhooks",
        cells.count("webhooks"),
        type="integer",
        description="Webhooks indicates the number of webhooks registered in this configuration",
    ),
    table.AGE,
)


def _param_kind(policy: Object) -> str:
    found = (policy.get("spec") or {}).get("paramKind")
    if found is None:
        return cells.UNSET
    return f"{found.get('apiVersion') or ''}/{found.get('kind') or ''}"


_PARAM_KIND = Column(
    "ParamKind",
    _param_kind,
    description="ParamKind specifies the kind of resources used to parameterize this policy",
)

VALIDATING_ADMISSION_POLICY = (
    table.NAME,
    Column(
        "Validations",
        cells.count("spec", "validations"),
        type="integer",
        description="Validations indicates the number of validation rules defined in this "
        "configuration",
    ),
    _PARAM_KIND,
    table.AGE,
)

MUTATING_ADMISSION_POLICY = (
    table.NAME,
    Column(
        "Mutations",
        cells.count("spec", "mutations"),
        type="integer",
        description="Mutation indicates the number of mutations rules defined in this "
        "configuration",
    ),
    _PARAM_KIND,
    table.AGE,
)


def _param_ref(binding: Object) -> str:
    # upstream: printValidatingAdmissionPolicyBinding
    ref = (binding.get("spec") or {}).get("paramRef") or {}
    if ref.get("name"):
        return f"{ref.get('namespace') or '*'}/{ref['name']}"
    return cells.UNSET if ref.get("selector") is None else _go_selector(ref["selector"])


def _go_selector(selector: Object) -> str:
    # upstream: apimachinery pkg/apis/meta/v1/generated.pb.go LabelSelector.String
    return (
        f"&LabelSelector{{MatchLabels:map[string]string{{{_go_map(selector.get('matchLabels'))}}},"
        f"MatchExpressions:[]LabelSelectorRequirement{{"
        f"{_go_expressions(selector.get('matchExpressions') or ())}}},}}"
    )


def _go_map(labels: Mapping[str, str] | None) -> str:
    return "".join(f"{key}: {value}," for key, value in sorted((labels or {}).items()))


def _go_expressions(expressions: Iterable[Object]) -> str:
    return "".join(
        f"LabelSelectorRequirement{{Key:{found.get('key') or ''},"
        f"Operator:{found.get('operator') or ''},"
        f"Values:[{' '.join(found.get('values') or ())}],}},"
        for found in expressions
    )


ADMISSION_POLICY_BINDING = (
    table.NAME,
    Column(
        "PolicyName",
        cells.at("spec", "policyName"),
        description="PolicyName indicates the policy definition which the policy binding binded to",
    ),
    Column(
        "ParamRef",
        _param_ref,
        description="ParamRef indicates the param resource which sets the configuration param",
    ),
    table.AGE,
)
