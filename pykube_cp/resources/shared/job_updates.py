"""What may change about a job."""
# upstream: pkg/apis/batch/validation/validation.go ValidateJobUpdate

from typing import Any

from pykube_cp.machinery import names, objects, selectors
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.validation import IMMUTABLE, validate_immutable

_IMMUTABLE_FIELDS = (
    "completionMode",
    "podFailurePolicy",
    "backoffLimitPerIndex",
    "managedBy",
    "successPolicy",
)
_LABELS = (
    ("controller-uid", "uid"),
    ("job-name", "name"),
    ("batch.kubernetes.io/controller-uid", "uid"),
    ("batch.kubernetes.io/job-name", "name"),
)


def validate(job: Object, old: Object) -> list[FieldError]:
    spec, before, path = job["spec"], old["spec"], Path("spec")
    found = _completions(spec, before, path.child("completions"))
    found += validate_immutable(
        spec.get("selector"), before.get("selector"), path.child("selector")
    )
    found += _template(spec, old, path)
    for field in _IMMUTABLE_FIELDS:
        found += validate_immutable(spec.get(field), before.get(field), path.child(field))
    return found + _room_for_indexes(job)


def _completions(spec: Object, old: Object, path: Path) -> list[FieldError]:
    now, before = spec.get("completions"), old.get("completions")
    if spec.get("completionMode") != "Indexed":
        return _same(now, before, path)
    if now == before or now is None or now == spec.get("parallelism"):
        return []
    text = "can only be modified in tandem with spec.parallelism"
    return [FieldError.invalid(path, now, text)]


def _same(now: Any, before: Any, path: Path) -> list[FieldError]:
    """Unlike in most fields, zero differs from nothing."""
    return [] if now == before else [FieldError.invalid(path, now, IMMUTABLE)]


def _template(spec: Object, old: Object, path: Path) -> list[FieldError]:
    """While a job is suspended, where and with how much its pods will run may change."""
    # upstream: validatePodTemplateUpdate
    template, before = spec.get("template") or {}, old["spec"].get("template") or {}
    where = path.child("template")
    if not old["spec"].get("suspend"):
        return validate_immutable(template, before, where)
    if not _is_quiet(old):
        return validate_immutable(template, before, where)
    if _fixed(template) == _fixed(before):
        return []
    return [FieldError.invalid(where, template, IMMUTABLE)]


def _is_quiet(job: Object) -> bool:
    """Suspended, and nothing runs any more."""
    # upstream: pkg/registry/batch/job/strategy.go shouldAllowMutablePodTemplate
    status = job.get("status") or {}
    paused = any(
        condition.get("type") == "Suspended" and condition.get("status") == "True"
        for condition in status.get("conditions") or ()
    )
    return (not status.get("startTime") or paused) and not status.get("active")


def _fixed(template: Object) -> Object:
    """What of the template stays even then."""
    spec = dict(template.get("spec") or {})
    for field in ("nodeSelector", "tolerations", "schedulingGates"):
        spec.pop(field, None)
    affinity = {k: v for k, v in (spec.pop("affinity", None) or {}).items() if k != "nodeAffinity"}
    for field in ("containers", "initContainers"):
        spec[field] = [
            {key: value for key, value in container.items() if key != "resources"}
            for container in spec.get(field) or ()
        ]
    meta = template.get("metadata") or {}
    rest = {k: v for k, v in meta.items() if k not in {"labels", "annotations"}}
    return {"metadata": rest, "spec": spec, "affinity": affinity}


def validate_on_create(job: Object) -> list[FieldError]:
    """The selector must be the generated one, and the name must leave room for indexes."""
    # upstream: ValidateJobCreate, validateGeneratedSelector
    found = [] if job["spec"].get("manualSelector") else _generated(job)
    return found + _room_for_indexes(job)


def _room_for_indexes(job: Object) -> list[FieldError]:
    # upstream: validateNameAllowsCompletions
    spec = job["spec"]
    if spec.get("completionMode") != "Indexed" or (spec.get("completions") or 0) <= 0:
        return []
    longest = f"{objects.name(job)}-{spec['completions'] - 1}"
    if not names.is_dns1123_label(longest):
        return []
    text = f"will not able to create pod with invalid DNS label: {longest}"
    return [FieldError.invalid(Path("metadata", "name"), objects.name(job), text)]


def _generated(job: Object) -> list[FieldError]:
    path, found = Path("spec", "template", "metadata", "labels"), []
    labels = objects.nested(job, "spec", "template", "metadata", "labels", default={})
    expected = {key: job["metadata"].get(source, "") for key, source in _LABELS}
    for key, wanted in expected.items():
        if key not in labels:
            found.append(FieldError.required(path.key(key), f"must be '{wanted}'"))
        elif labels[key] != wanted:
            found.append(FieldError.invalid(path.key(key), labels, f"must be '{wanted}'"))
    selector = job["spec"].get("selector")
    try:
        matches = selectors.from_label_selector(selector).matches(expected)
    except ValueError:
        return found
    if not matches:
        text = "`selector` not auto-generated"
        found.append(FieldError.invalid(Path("spec", "selector"), selector, text))
    return found
