"""Workloads, and groups of pods that are scheduled together."""

from collections.abc import Sequence

from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object, nested
from pykube_cp.registry.strategy import Strategy, WriteContext
from pykube_cp.resources.shared import conditions, features, workload_templates
from pykube_cp.resources.shared.spec_and_status import (
    KeptMetaStatusStrategy,
    SpecAndStatusStrategy,
)

_STATUS = Path("status")
_OF_GROUPS = ("schedulingConstraints", "resourceClaims", "preemptionPolicy")
"""TopologyAwareWorkloadScheduling, DRAWorkloadResourceClaims and PodGroupPreemptionPolicy are off."""


class PodGroupStrategy(SpecAndStatusStrategy):
    """Groups of pods."""

    # upstream: pkg/registry/scheduling/podgroup/strategy.go

    has_generation = False
    allow_unconditional_update = False

    def prepare_spec(self, ctx: WriteContext, obj: Object, old: Object | None) -> None:
        before = old["spec"] if old is not None else None
        features.drop_own(obj["spec"], before, *_OF_GROUPS, "parentCompositePodGroupName")


class CompositePodGroupStrategy(SpecAndStatusStrategy):
    """Groups of groups."""

    # upstream: pkg/registry/scheduling/compositepodgroup/strategy.go

    has_generation = False
    allow_unconditional_update = False

    def prepare_spec(self, ctx: WriteContext, obj: Object, old: Object | None) -> None:
        before = old["spec"] if old is not None else None
        features.drop_own(obj["spec"], before, "preemptionPolicy")


class GroupStatusStrategy(KeptMetaStatusStrategy):
    """``podgroups/status`` and ``compositepodgroups/status``."""

    allow_unconditional_update = False

    def prepare_for_update(self, ctx: WriteContext, obj: Object, old: Object) -> None:
        super().prepare_for_update(ctx, obj, old)
        if not old["spec"].get("resourceClaims"):
            (obj.get("status") or {}).pop("resourceClaimStatuses", None)

    def validate_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[FieldError]:
        # upstream: pkg/apis/scheduling/validation/validation.go ValidatePodGroupStatusUpdate
        status = obj.get("status") or {}
        found = conditions.check(status.get("conditions") or (), _STATUS.child("conditions"))
        known = {claim.get("name") for claim in nested(obj, "spec", "resourceClaims") or ()}
        for position, claim in enumerate(status.get("resourceClaimStatuses") or ()):
            if claim.get("name") not in known:
                where = _STATUS.child("resourceClaimStatuses").index(position).child("name")
                text = "must match the name of an entry in `spec.resourceClaims`"
                found.append(FieldError.invalid(where, claim.get("name") or "", text))
        return found


class WorkloadStrategy(Strategy):
    """Workloads; groups of groups are off."""

    # upstream: pkg/registry/scheduling/workload/strategy.go

    allow_unconditional_update = False

    def prepare_for_create(self, ctx: WriteContext, obj: Object) -> None:
        _prepare(obj["spec"], None)

    def prepare_for_update(self, ctx: WriteContext, obj: Object, old: Object) -> None:
        _prepare(obj["spec"], old["spec"])


def _prepare(owner: Object, old: Object | None) -> None:
    features.drop_own(owner, old, workload_templates.COMPOSITES)
    before = workload_templates.groups(old or {})
    for position, group in enumerate(workload_templates.groups(owner)):
        features.drop_own(group, _at(before, position), *_OF_GROUPS)
        group.setdefault("schedulingConstraints", None)
    known = {each.get("name"): each for each in workload_templates.composites(old or {})}
    for composite in workload_templates.composites(owner):
        kept = known.get(composite.get("name"))
        features.drop_own(composite, kept, "preemptionPolicy")
        _prepare(composite, kept)


def _at(templates: Sequence[Object], position: int) -> Object | None:
    return templates[position] if position < len(templates) else None
