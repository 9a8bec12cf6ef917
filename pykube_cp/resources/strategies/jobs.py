"""Jobs and cron jobs."""
# upstream: pkg/registry/batch/job/strategy.go, pkg/registry/batch/cronjob/strategy.go

from pykube_cp.machinery import names, objects
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.gvk import GVK
from pykube_cp.machinery.objects import Object
from pykube_cp.registry import defaulting
from pykube_cp.registry.strategy import Deletion, StatusStrategy, WriteContext
from pykube_cp.resources.shared import job_status_updates, job_updates, pod_fields, pod_warnings
from pykube_cp.resources.shared.spec_and_status import SpecAndStatusStrategy
from pykube_cp.resources.shared.template_names import name_warnings

LEGACY_NAME, LEGACY_UID = "job-name", "controller-uid"
NAME, UID = "batch.kubernetes.io/job-name", "batch.kubernetes.io/controller-uid"

_COMPLETIONS_LIMIT = 100_000
_PARALLELISM_LIMIT = 10_000
_MANY_INDEXES = (
    "In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than "
    "10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail"
)


class JobStrategy(SpecAndStatusStrategy):
    """Jobs; the selector is made up so that no two jobs share pods."""

    garbage_collection_default = "Orphan"

    def prepare_for_create(self, ctx: WriteContext, obj: Object) -> None:
        if not obj["spec"].get("manualSelector"):
            _generate_selector(obj)
        super().prepare_for_create(ctx, obj)

    def prepare_spec(self, ctx: WriteContext, obj: Object, old: Object | None) -> None:
        _drop_disabled(obj["spec"], old["spec"] if old else None)

    def canonicalize(self, obj: Object) -> None:
        """Defaults once more, as upstream sets them when it reads from storage."""
        defaulting.default(obj, GVK.of(obj))

    def validate(self, ctx: WriteContext, obj: Object) -> list[FieldError]:
        return job_updates.check_room_for_indexes(obj)

    def validate_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[FieldError]:
        return job_updates.validate(obj, old)

    def warnings_on_create(self, ctx: WriteContext, obj: Object) -> list[str]:
        return name_warnings(obj) + _warnings(obj["spec"], Path("spec"))

    def warnings_on_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[str]:
        if obj["metadata"].get("generation") == old["metadata"].get("generation"):
            return []
        return _warnings(obj["spec"], Path("spec"))

    def warnings_on_delete(self, deletion: Deletion) -> list[str]:
        # upstream: pkg/registry/batch/job/storage/storage.go REST.Delete
        options = deletion.options
        if options.get("propagationPolicy") or options.get("orphanDependents") is not None:
            return []
        return [_PRESERVED]


_PRESERVED = (
    "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to "
    "remove them or set propagationPolicy=Orphan to suppress this warning"
)


class JobStatusStrategy(StatusStrategy):
    """``jobs/status``."""

    def validate_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[FieldError]:
        return job_status_updates.validate(obj, old)

    def canonicalize(self, obj: Object) -> None:
        """Labels come from the template that was kept, as upstream sets them when it reads."""
        defaulting.default(obj, GVK.of(obj))


class CronJobStrategy(SpecAndStatusStrategy):
    """Cron jobs."""

    def prepare_spec(self, ctx: WriteContext, obj: Object, old: Object | None) -> None:
        _drop_disabled(_job_spec(obj), _job_spec(old) if old else None)

    def validate(self, ctx: WriteContext, obj: Object) -> list[FieldError]:
        """Jobs get eleven characters more."""
        if len(objects.name(obj)) <= names.DNS1035_LABEL_MAX_LENGTH - 11:
            return []
        text = "must be no more than 52 characters"
        return [FieldError.invalid(Path("metadata", "name"), objects.name(obj), text)]

    def warnings_on_create(self, ctx: WriteContext, obj: Object) -> list[str]:
        return name_warnings(obj) + _warnings(_job_spec(obj), _JOB_SPEC)

    def warnings_on_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[str]:
        found = []
        if obj["metadata"].get("generation") != old["metadata"].get("generation"):
            found = _warnings(_job_spec(obj), _JOB_SPEC)
        if "TZ" in (obj["spec"].get("schedule") or ""):
            found.append(
                "cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see "
                "https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more "
                "details"
            )
        return found


_JOB_SPEC = Path("spec", "jobTemplate", "spec")


def _job_spec(cron_job: Object) -> Object:
    found: Object = objects.nested(cron_job, "spec", "jobTemplate", "spec", default={})
    return found


def _drop_disabled(spec: Object, old: Object | None) -> None:
    """``scheduling`` belongs to a feature that is off."""
    if spec.get("scheduling") is not None and (old or {}).get("scheduling") is None:
        del spec["scheduling"]
    if spec.get("template"):
        pod_fields.drop_disabled(spec["template"], (old or {}).get("template"))


def _generate_selector(job: Object) -> None:
    """Labels that the client set himself stay, for validation to judge."""
    meta, spec = job["metadata"], job["spec"]
    uid = meta.get("uid", "")
    template = spec.setdefault("template", {}).setdefault("metadata", {})
    name = meta.get("name", "")
    wanted = {LEGACY_NAME: name, NAME: name, LEGACY_UID: uid, UID: uid}
    # In place, because the labels of the job itself may be these.
    labels = template["labels"] = template.get("labels") or {}
    for key, value in wanted.items():
        labels.setdefault(key, value)
    selector = spec["selector"] = dict(spec.get("selector") or {})
    selector["matchLabels"] = {UID: uid, **(selector.get("matchLabels") or {})}


def _warnings(spec: Object, path: Path) -> list[str]:
    # upstream: pkg/api/job/warnings.go WarningsForJobSpec
    found = []
    if spec.get("completionMode") == "Indexed":
        many = (spec.get("completions") or 0) > _COMPLETIONS_LIMIT
        if many and (spec.get("parallelism") or 0) > _PARALLELISM_LIMIT:
            found.append(f"{path}: {_MANY_INDEXES}")
    template = pod_warnings.warnings_for_template(spec.get("template"), path.child("template"))
    return found + template
