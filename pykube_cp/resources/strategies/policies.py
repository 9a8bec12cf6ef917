"""Disruption budgets, autoscalers, ingresses and network policies."""

from pykube_cp.machinery import addresses, names
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.strategy import StatusStrategy, WriteContext
from pykube_cp.resources.shared import service_updates, service_warnings
from pykube_cp.resources.shared.spec_and_status import SpecAndStatusStrategy, SpecStrategy

_V1BETA1_LABEL = "pdb.kubernetes.io/deprecated-v1beta1-empty-selector-match"
_INGRESS_CLASS = "kubernetes.io/ingress.class"


class PodDisruptionBudgetStrategy(SpecAndStatusStrategy):
    """Disruption budgets."""

    # upstream: pkg/registry/policy/poddisruptionbudget/strategy.go

    allow_unconditional_update = False

    def validate_name(self, name: str, *, prefix: bool) -> list[str]:
        return names.is_path_segment_name(name, prefix=prefix)

    def prepare_spec(self, ctx: WriteContext, obj: Object, old: Object | None) -> None:
        """Keep a label that older servers gave a meaning from getting into other selectors."""
        selector = obj["spec"].get("selector")
        if not selector or (old is not None and old["spec"].get("selector") == selector):
            return
        expressions = selector.get("matchExpressions") or []
        if len(expressions) == 1 and not selector.get("matchLabels"):
            return
        kept = [item for item in expressions if item.get("key") != _V1BETA1_LABEL]
        if len(kept) < len(expressions):
            selector["matchExpressions"] = kept
        (selector.get("matchLabels") or {}).pop(_V1BETA1_LABEL, None)


class HorizontalPodAutoscalerStrategy(SpecAndStatusStrategy):
    """Horizontal pod autoscalers."""

    # upstream: pkg/registry/autoscaling/horizontalpodautoscaler/strategy.go


class IngressStrategy(SpecAndStatusStrategy):
    """Ingresses."""

    # upstream: pkg/registry/networking/ingress/strategy.go

    def validate(self, ctx: WriteContext, obj: Object) -> list[FieldError]:
        """The class is given once: by annotation or by field."""
        annotations = obj["metadata"].get("annotations") or {}
        name = obj["spec"].get("ingressClassName")
        given = annotations.get(_INGRESS_CLASS)
        if given is None or name is None or given == name:
            return []
        where = Path("annotations").child(_INGRESS_CLASS)
        text = "must match `ingressClassName` when both are specified"
        return [FieldError.invalid(where, given, text)]

    def warnings_on_create(self, ctx: WriteContext, obj: Object) -> list[str]:
        named = obj["spec"].get("ingressClassName") is not None
        if _INGRESS_CLASS in (obj["metadata"].get("annotations") or {}) and not named:
            return [
                (
                    'annotation "kubernetes.io/ingress.class" is deprecated, please use '
                    "'spec.ingressClassName' instead"
                )
            ]
        return []


class IngressStatusStrategy(StatusStrategy):
    """``ingresses/status``."""

    def validate_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[FieldError]:
        now = (obj.get("status") or {}).get("loadBalancer") or {}
        before = (old.get("status") or {}).get("loadBalancer") or {}
        path = Path("status", "loadBalancer", "ingress")
        return service_updates.validate_addresses(now, before, path)

    def warnings_on_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[str]:
        return service_warnings.of_status(obj)


class IngressClassStrategy(SpecStrategy):
    """Ingress classes."""

    # upstream: pkg/registry/networking/ingressclass/strategy.go


class NetworkPolicyStrategy(SpecStrategy):
    """Network policies."""

    # upstream: pkg/registry/networking/networkpolicy/strategy.go

    def warnings_on_create(self, ctx: WriteContext, obj: Object) -> list[str]:
        return _policy_warnings(obj["spec"])

    def warnings_on_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[str]:
        return _policy_warnings(obj["spec"])


def _policy_warnings(spec: Object) -> list[str]:
    found = []
    for field, peers in (("ingress", "from"), ("egress", "to")):
        for position, rule in enumerate(spec.get(field) or ()):
            for index, peer in enumerate(rule.get(peers) or ()):
                block = peer.get("ipBlock") or {}
                path = Path("spec", field).index(position).child(peers).index(index)
                if block.get("cidr"):
                    found += addresses.warnings_for_cidr(
                        path.child("ipBlock", "cidr"), block["cidr"]
                    )
                for number, cidr in enumerate(block.get("except") or ()):
                    where = path.child("ipBlock", "except").index(number)
                    found += addresses.warnings_for_cidr(where, cidr)
    return found
