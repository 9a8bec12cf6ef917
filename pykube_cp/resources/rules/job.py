"""Jobs."""

from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object, nested
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.resources.shared import (
    checks,
    defaults,
    job_updates,
    pod_failure_policies,
    success_policies,
    workloads,
)
from pykube_cp.resources.shared.go_names import internal

_MAX_INT32 = 2**31 - 1


def _default_labels(job: Object, _ctx: RuleContext) -> None:
    labels = nested(job, "spec", "template", "metadata", "labels")
    meta = job.setdefault("metadata", {})
    if labels and not meta.get("labels"):
        # The same dict: as upstream, labels that are added to the one are added to the other.
        meta["labels"] = labels


def _default_spec(spec: Object, ctx: RuleContext) -> None:
    """Of jobs themselves; a CronJob's template is left as it is."""
    # upstream: pkg/apis/batch/v1/defaults.go SetDefaults_Job
    if ctx.kind.kind != "Job":
        return
    if spec.get("completions") is None and spec.get("parallelism") is None:
        spec["completions"] = 1
    by_index = spec.get("backoffLimitPerIndex") is not None
    values = {
        "parallelism": 1,
        "backoffLimit": _MAX_INT32 if by_index else 6,
        "completionMode": "NonIndexed",
        "suspend": False,
        "podReplacementPolicy": _replacement(spec),
        "manualSelector": False,
    }
    defaults.fill(spec, values)


def _replacement(spec: Object) -> str:
    return "TerminatingOrFailed" if spec.get("podFailurePolicy") is None else "Failed"


_MODES = ("NonIndexed", "Indexed")
_MAX_INDEXED = 100_000
_MANY_COMPLETIONS = 100_000
_MAX_FOR_MANY = 10_000
_MAX_MANAGED_BY = 63
_ONLY_INDEXED = "requires indexed completion mode"
_COUNTS = (
    "parallelism",
    "completions",
    "activeDeadlineSeconds",
    "backoffLimit",
    "ttlSecondsAfterFinished",
    "backoffLimitPerIndex",
    "maxFailedIndexes",
)


def _validate_spec(spec: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/batch/validation/validation.go validateJobSpec
    found = checks.nonnegative(spec, path, *_COUNTS)
    if spec.get("maxFailedIndexes") is not None and spec.get("backoffLimitPerIndex") is None:
        text = "when maxFailedIndexes is specified"
        found.append(FieldError.required(path.child("backoffLimitPerIndex"), text))
    found += _manager(spec, path)
    found += checks.optional(spec, path, "completionMode", _MODES)
    is_indexed = spec.get("completionMode") == "Indexed"
    found += _indexed(spec, path) if is_indexed else _not_indexed(spec, path)
    if spec.get("podFailurePolicy") is not None:
        found += pod_failure_policies.check(spec, path.child("podFailurePolicy"))
    if spec.get("successPolicy") is not None:
        found += _success_policy(spec, path.child("successPolicy"), is_indexed=is_indexed)
    return found + _replacement_policy(spec, path)


def _validate_rest(spec: Object, path: Path, ctx: RuleContext) -> checks.Errors:
    found = _restart_policy(spec, path.child("template", "spec", "restartPolicy"))
    if ctx.kind.kind == "Job":
        return found + workloads.check_has_selector(spec, path)
    return found + _template(spec, path)


def _validate_labels(spec: Object, path: Path, ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/batch/validation/validation.go ValidateJobSpec
    return workloads.check_labels(spec, path, ctx) if ctx.kind.kind == "Job" else []


def _manager(spec: Object, path: Path) -> checks.Errors:
    name, where = spec.get("managedBy"), path.child("managedBy")
    if name is None:
        return []
    found = checks.prefixed_path(name, where)
    if len(name) > _MAX_MANAGED_BY:
        found.append(FieldError.too_long(where, "", _MAX_MANAGED_BY))
    return found


def _indexed(spec: Object, path: Path) -> checks.Errors:
    found = []
    completions, failed = spec.get("completions"), spec.get("maxFailedIndexes")
    if completions is None:
        text = "when completion mode is Indexed"
        found.append(FieldError.required(path.child("completions"), text))
    limit = f"must be less than or equal to {_MAX_INDEXED}"
    if (spec.get("parallelism") or 0) > _MAX_INDEXED:
        text = f"{limit} when completion mode is Indexed"
        found.append(FieldError.invalid(path.child("parallelism"), spec["parallelism"], text))
    if failed is not None:
        where = path.child("maxFailedIndexes")
        if completions is not None and failed > completions:
            text = "must be less than or equal to completions"
            found.append(FieldError.invalid(where, failed, text))
        if failed > _MAX_INDEXED:
            found.append(FieldError.invalid(where, failed, limit))
    if (completions or 0) > _MANY_COMPLETIONS and spec.get("backoffLimitPerIndex") is not None:
        found += _many(spec, path)
    return found


def _many(spec: Object, path: Path) -> checks.Errors:
    """With so many completions, each with a limit of its own, the rest must be moderate."""
    found = []
    if spec.get("maxFailedIndexes") is None:
        text = f"must be specified when completions is above {_MANY_COMPLETIONS}"
        found.append(FieldError.required(path.child("maxFailedIndexes"), text))
    for field in ("parallelism", "maxFailedIndexes"):
        if (spec.get(field) or 0) > _MAX_FOR_MANY:
            text = (
                f"must be less than or equal to {_MAX_FOR_MANY} when completions are above "
                f"{_MANY_COMPLETIONS} and used with backoff limit per index"
            )
            found.append(FieldError.invalid(path.child(field), spec[field], text))
    return found


def _not_indexed(spec: Object, path: Path) -> checks.Errors:
    if spec.get("completionMode") not in {None, "NonIndexed"}:
        return []
    return [
        FieldError.invalid(path.child(field), spec[field], _ONLY_INDEXED)
        for field in ("backoffLimitPerIndex", "maxFailedIndexes")
        if spec.get(field) is not None
    ]


def _success_policy(spec: Object, path: Path, *, is_indexed: bool) -> checks.Errors:
    if is_indexed:
        return success_policies.check(spec, path)
    shown = internal(spec["successPolicy"], "io.k8s.api.batch.v1.SuccessPolicy")
    return [FieldError.invalid(path, shown, _ONLY_INDEXED)]


def _replacement_policy(spec: Object, path: Path) -> checks.Errors:
    has_rules = spec.get("podFailurePolicy") is not None
    allowed = ("Failed",) if has_rules else ("Failed", "TerminatingOrFailed")
    return checks.optional(spec, path, "podReplacementPolicy", allowed)


def _restart_policy(spec: Object, path: Path) -> checks.Errors:
    policy = nested(spec, "template", "spec", "restartPolicy") or ""
    if policy in {"Always", ""}:
        return [FieldError.required(path, 'valid values: "OnFailure", "Never"')]
    if policy not in {"OnFailure", "Never"}:
        return [FieldError.not_supported(path, policy, ("OnFailure", "Never"))]
    if spec.get("podFailurePolicy") is not None and policy != "Never":
        text = 'only "Never" is supported when podFailurePolicy is specified'
        return [FieldError.invalid(path, policy, text)]
    return []


def _template(spec: Object, path: Path) -> checks.Errors:
    # upstream: pkg/apis/batch/validation/validation.go ValidateJobTemplateSpec
    found = []
    if spec.get("selector") is not None:
        text = "`selector` will be auto-generated"
        found.append(FieldError.invalid(path.child("selector"), spec["selector"], text))
    if spec.get("manualSelector"):
        where = path.child("manualSelector")
        found.append(FieldError.not_supported(where, spec["manualSelector"], ("nil", "false")))
    return found


def _validate_generated(job: Object, _path: Path, ctx: RuleContext) -> checks.Errors:
    return job_updates.check_generated(job) if ctx.old is None else []


RULES = (
    TypeRule(type="io.k8s.api.batch.v1.Job", default=_default_labels, validate=_validate_generated),
    TypeRule(
        type="io.k8s.api.batch.v1.JobSpec",
        default=_default_spec,
        validate=_validate_spec,
        order=("template", _validate_rest, "selector", _validate_labels),
    ),
    # upstream: SetDefaults_PodFailurePolicyOnPodConditionsPattern
    TypeRule(
        type="io.k8s.api.batch.v1.PodFailurePolicyOnPodConditionsPattern",
        default=defaults.zeros(status="True"),
    ),
)
