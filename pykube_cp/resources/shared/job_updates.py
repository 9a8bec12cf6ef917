"""What may change about a job."""
# upstream: pkg/apis/batch/validation/validation.go ValidateJobUpdate

from typing import Any

from pykube_cp.machinery import names, objects, selectors
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.validation import IMMUTABLE, validate_immutable
from pykube_cp.resources.shared import workloads

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
    return found + check_room_for_indexes(job)


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
    if not old["spec"].get("suspend") or not _is_quiet(old):
        return validate_immutable(template, before, path.child("template"))
    now, then = template.get("spec") or {}, before.get("spec") or {}
    if _fixed(now, then) == _fixed(then, now):
        return []
    return [FieldError.invalid(path.child("template.spec"), now, IMMUTABLE)]


def _is_quiet(job: Object) -> bool:
    """Suspended, and nothing runs any more."""
    # upstream: pkg/registry/batch/job/strategy.go shouldAllowMutablePodTemplate
    status = job.get("status") or {}
    paused = any(
        condition.get("type") == "Suspended" and condition.get("status") == "True"
        for condition in status.get("conditions") or ()
    )
    return (not status.get("startTime") or paused) and not status.get("active")


def _fixed(pod: Object, other: Object) -> Object:
    """What of the template's pod stays even then."""
    spec = dict(pod)
    for field in ("nodeSelector", "tolerations", "schedulingGates"):
        spec.pop(field, None)
    affinity = {k: v for k, v in (spec.pop("affinity", None) or {}).items() if k != "nodeAffinity"}
    for field in ("containers", "initContainers"):
        spec[field] = _without_resources(spec.get(field) or [], other.get(field) or [])
    return spec | {"affinity": affinity}


def _without_resources(containers: list[Object], others: list[Object]) -> list[Object]:
    """As upstream compares them: those that are at the same place under the same name."""
    if len(containers) != len(others):
        return containers
    return [
        {key: value for key, value in container.items() if key != "resources"}
        if container.get("name") == other.get("name")
        else container
        for container, other in zip(containers, others, strict=True)
    ]


def check_room_for_indexes(job: Object) -> list[FieldError]:
    # upstream: validateNameAllowsCompletions
    spec = job["spec"]
    if spec.get("completionMode") != "Indexed" or (spec.get("completions") or 0) <= 0:
        return []
    longest = f"{objects.name(job)}-{spec['completions'] - 1}"
    if not names.is_dns1123_label(longest):
        return []
    text = f"will not able to create pod with invalid DNS label: {longest}"
    return [FieldError.invalid(Path("metadata", "name"), objects.name(job), text)]


def check_generated(job: Object) -> list[FieldError]:
    """The selector must be the generated one, unless it is said to be the client's."""
    # upstream: validateGeneratedSelector
    if job["spec"].get("manualSelector") or job["spec"].get("selector") is None:
        return []
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
        shown = workloads.shown_selector(selector)
        found.append(FieldError.invalid(Path("spec", "selector"), shown, text))
    return found
