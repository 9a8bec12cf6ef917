"""Kinds that make pods of a template."""

from typing import ClassVar

from pykube_cp.machinery import names, objects
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.gvk import GVK
from pykube_cp.machinery.objects import Object
from pykube_cp.registry import defaulting
from pykube_cp.registry.strategy import StatusStrategy, Strategy, WriteContext
from pykube_cp.registry.validation import validate_immutable
from pykube_cp.resources.shared import claim_warnings, pod_fields, pod_warnings, workloads
from pykube_cp.resources.shared.meta import keep_labels
from pykube_cp.resources.shared.spec_and_status import SpecAndStatusStrategy
from pykube_cp.resources.shared.template_names import name_warnings

_TEMPLATE = Path("spec", "template")


class TemplateStrategy(SpecAndStatusStrategy):
    """A pod template at ``spec.template``."""

    warns_about_name = True

    def prepare_spec(self, ctx: WriteContext, obj: Object, old: Object | None) -> None:
        template = obj["spec"].get("template")
        if template:
            pod_fields.drop_disabled(template, old["spec"].get("template") if old else None)

    def warnings_on_create(self, ctx: WriteContext, obj: Object) -> list[str]:
        found = name_warnings(obj) if self.warns_about_name else []
        return found + pod_warnings.warnings_for_template(obj["spec"].get("template"), _TEMPLATE)

    def warnings_on_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[str]:
        if obj["metadata"].get("generation") == old["metadata"].get("generation"):
            return []
        return pod_warnings.warnings_for_template(obj["spec"].get("template"), _TEMPLATE)


class ReplicationControllerStrategy(TemplateStrategy):
    """Replication controllers."""

    garbage_collection_default = "Orphan"

    # upstream: pkg/registry/core/replicationcontroller/strategy.go

    def validate_name(self, name: str, *, prefix: bool) -> list[str]:
        return names.in_bytes(super().validate_name(name, prefix=prefix))

    def warnings_on_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[str]:
        """About the template that was there before: upstream takes one for the other."""
        if obj["metadata"].get("generation") == old["metadata"].get("generation"):
            return []
        return pod_warnings.warnings_for_template(old["spec"].get("template"), _TEMPLATE)


class ReplicationControllerStatusStrategy(StatusStrategy):
    """``replicationcontrollers/status``."""

    def canonicalize(self, obj: Object) -> None:
        """Labels come from the template that was kept, as upstream sets them when it reads."""
        defaulting.default(obj, GVK.of(obj))


class ReplicaSetStrategy(TemplateStrategy):
    """Replica sets; the selector never changes."""

    # upstream: pkg/registry/apps/replicaset/strategy.go

    def validate_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[FieldError]:
        return immutable_selector(obj, old)


class DeploymentStrategy(TemplateStrategy):
    """Deployments; annotations count as spec because they are copied to replica sets."""

    # upstream: pkg/registry/apps/deployment/strategy.go

    def spec_changed(self, obj: Object, old: Object) -> bool:
        return super().spec_changed(obj, old) or objects.annotations(obj) != objects.annotations(
            old
        )

    def validate_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[FieldError]:
        return immutable_selector(obj, old)


class CollisionsStatusStrategy(StatusStrategy):
    """The status of kinds that count names which were taken; the count only grows."""

    # upstream: pkg/apis/apps/validation/validation.go ValidateStatefulSetStatusUpdate

    def validate_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[FieldError]:
        before = (old.get("status") or {}).get("collisionCount")
        now = (obj.get("status") or {}).get("collisionCount")
        if before is None or (now is not None and now >= before):
            return []
        where = Path("status", "collisionCount")
        return [FieldError.invalid(where, now or 0, "cannot be decremented")]


class DeploymentStatusStrategy(CollisionsStatusStrategy):
    """``deployments/status`` leaves the labels alone."""

    reset_fields: ClassVar[Object] = {"f:metadata": {"f:labels": {}}, "f:spec": {}}

    def prepare_for_update(self, ctx: WriteContext, obj: Object, old: Object) -> None:
        super().prepare_for_update(ctx, obj, old)
        keep_labels(obj, old)


class DaemonSetStrategy(TemplateStrategy):
    """Daemon sets; the template's generation is kept in an annotation."""

    # upstream: pkg/registry/apps/daemonset/strategy.go, pkg/apis/apps/v1/conversion.go

    warns_about_name = False

    def prepare_spec(self, ctx: WriteContext, obj: Object, old: Object | None) -> None:
        super().prepare_spec(ctx, obj, old)
        generation = _template_generation(old if old is not None else obj)
        if old is None:
            generation = max(generation, 1)
        elif obj["spec"].get("template") != old["spec"].get("template"):
            generation += 1
        _set_template_generation(obj, generation)


class DaemonSetStatusStrategy(CollisionsStatusStrategy):
    """``daemonsets/status``; the template's generation is none of the annotations here."""

    def prepare_for_update(self, ctx: WriteContext, obj: Object, old: Object) -> None:
        super().prepare_for_update(ctx, obj, old)
        _set_template_generation(obj, _template_generation(old))


def _set_template_generation(obj: Object, generation: int) -> None:
    annotations = {**objects.annotations(obj), workloads.TEMPLATE_GENERATION: str(generation)}
    obj["metadata"]["annotations"] = annotations


def _template_generation(obj: Object) -> int:
    text = objects.annotations(obj).get(workloads.TEMPLATE_GENERATION, "0")
    return int(text) if text.lstrip("-").isdigit() else 0


class StatefulSetStrategy(TemplateStrategy):
    """Stateful sets."""

    # upstream: pkg/registry/apps/statefulset/strategy.go

    warns_about_name = False

    def validate_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[FieldError]:
        fields = ("selector", "volumeClaimTemplates", "serviceName", "podManagementPolicy")
        found = []
        for field in fields:
            now, before = obj["spec"].get(field), old["spec"].get(field)
            found += validate_immutable(now, before, Path("spec", field))
        return found

    def validate_name(self, name: str, *, prefix: bool) -> list[str]:
        return names.is_dns1123_label(name, prefix=prefix)

    def warnings_on_create(self, ctx: WriteContext, obj: Object) -> list[str]:
        return super().warnings_on_create(ctx, obj) + _claim_warnings(obj, "")

    def warnings_on_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[str]:
        return super().warnings_on_update(ctx, obj, old) + _claim_warnings(obj, "Spec")


def _claim_warnings(obj: Object, below: str) -> list[str]:
    spec, found = obj["spec"], []
    for position, claim in enumerate(spec.get("volumeClaimTemplates") or ()):
        path = Path("spec", "volumeClaimTemplates").index(position)
        path = path.child(below) if below else path
        found += claim_warnings.warnings(claim.get("spec") or {}, path)
    if (spec.get("revisionHistoryLimit") or 0) < 0:
        found.append(
            "spec.revisionHistoryLimit: a negative value retains all historical revisions; "
            "a value >= 0 is recommended"
        )
    return found


class PodTemplateStrategy(Strategy):
    """Pod templates as objects."""

    # upstream: pkg/registry/core/podtemplate/strategy.go

    has_generation = True
    returns_deleted_object = True

    def prepare_for_create(self, ctx: WriteContext, obj: Object) -> None:
        pod_fields.drop_disabled(obj.get("template") or {}, None)

    def prepare_for_update(self, ctx: WriteContext, obj: Object, old: Object) -> None:
        pod_fields.drop_disabled(obj.get("template") or {}, old.get("template"))

    def warnings_on_create(self, ctx: WriteContext, obj: Object) -> list[str]:
        return pod_warnings.warnings_for_template(obj.get("template"), Path("template"))

    def warnings_on_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[str]:
        same = obj["metadata"].get("generation") == old["metadata"].get("generation")
        return [] if same else self.warnings_on_create(ctx, obj)


class ControllerRevisionStrategy(Strategy):
    """Controller revisions, whose data never changes."""

    # upstream: pkg/registry/apps/controllerrevision/strategy.go

    def validate_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[FieldError]:
        return validate_immutable(obj.get("data"), old.get("data"), Path("data"))


def immutable_selector(obj: Object, old: Object) -> list[FieldError]:
    now, before = obj["spec"].get("selector"), old["spec"].get("selector")
    return validate_immutable(now, before, Path("spec", "selector"))
