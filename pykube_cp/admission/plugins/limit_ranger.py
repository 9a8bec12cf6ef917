"""Limits of a namespace: defaults for containers, and bounds for pods, containers and claims."""
# upstream: plugin/pkg/admission/limitranger/admission.go

from collections.abc import Iterator

from pykube_cp.admission.base import WRITES, BasePlugin, forbidden
from pykube_cp.admission.interface import Attributes, Operation
from pykube_cp.machinery import pod_resources, quota
from pykube_cp.machinery.gvk import GVR
from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.quantity import Quantity

_RANGES = GVR("", "v1", "limitranges")
_ANNOTATION = "kubernetes.io/limit-ranger"
_CLAIM = "PersistentVolumeClaim"
_MAX_MILLI = (2**63 - 1) // 1000


class LimitRanger(BasePlugin):
    """Applies every LimitRange of the namespace."""

    name = "LimitRanger"
    operations = WRITES
    resources = frozenset({("", "pods"), ("", "persistentvolumeclaims")})

    async def admit(self, attributes: Attributes) -> None:
        obj = attributes.object
        if obj is None or not _concerns(attributes) or attributes.resource.resource != "pods":
            return
        for limits in await self._limits(attributes.namespace):
            changes = _fill_in(obj["spec"], limits)
            if changes:
                annotations = obj["metadata"].setdefault("annotations", {})
                annotations[_ANNOTATION] = "LimitRanger plugin set: " + "; ".join(changes)

    async def validate(self, attributes: Attributes) -> None:
        """The first limit range that has something to say speaks, and says everything once."""
        obj = attributes.object
        if obj is None or not _concerns(attributes):
            return
        is_pod = attributes.resource.resource == "pods"
        for limits in await self._limits(attributes.namespace):
            said = _judge_pod(obj["spec"], limits) if is_pod else _judge_claim(obj["spec"], limits)
            found = list(dict.fromkeys(said))
            if found:
                text = found[0] if len(found) == 1 else f"[{', '.join(found)}]"
                raise forbidden(attributes, text)

    async def _limits(self, namespace: str) -> list[list[Object]]:
        """Those of each limit range."""
        ranges = await self.services.client.list(_RANGES, namespace)
        return [(each.get("spec") or {}).get("limits") or [] for each in ranges.items]


def _concerns(attributes: Attributes) -> bool:
    """Pods when they are made or resized, claims whenever they are written; none that is on its way out."""
    old = attributes.old_object
    if old is not None and old["metadata"].get("deletionTimestamp"):
        return False
    if attributes.resource.resource == "pods" and attributes.operation is Operation.UPDATE:
        return attributes.subresource == "resize"
    return not attributes.subresource


def _judge_claim(spec: Object, limits: list[Object]) -> Iterator[str]:
    requests = (spec.get("resources") or {}).get("requests") or {}
    for item in limits:
        if item["type"] == _CLAIM:
            yield from _minimum(_CLAIM, item.get("min") or {}, requests, {})
            yield from _maximum_requested(_CLAIM, item.get("max") or {}, requests)


def _judge_pod(spec: Object, limits: list[Object]) -> Iterator[str]:
    for item in limits:
        if item["type"] == "Container":
            for container in (*(spec.get("containers") or ()), *(spec.get("initContainers") or ())):
                yield from _bounds("Container", item, *_of(container))
        elif item["type"] == "Pod":
            yield from _bounds("Pod", item, _total(spec, "requests"), _total(spec, "limits"))


def _of(container: Object) -> tuple[dict[str, str], dict[str, str]]:
    resources = container.get("resources") or {}
    return resources.get("requests") or {}, resources.get("limits") or {}


def _fill_in(spec: Object, limits: list[Object]) -> list[str]:
    """Set what containers leave out; the answer tells of it, for the annotation."""
    merged: dict[str, dict[str, str]] = {"request": {}, "limit": {}}
    for item in limits:
        if item["type"] == "Container":
            merged["request"].update(item.get("defaultRequest") or {})
            merged["limit"].update(item.get("default") or {})
    said = []
    for kind, field in (("container", "containers"), ("init container", "initContainers")):
        for container in spec.get(field) or []:
            resources = container.setdefault("resources", {})
            for what, defaults in merged.items():
                names = _complete(resources, f"{what}s", defaults)
                if names:
                    said.append(f"{', '.join(names)} {what} for {kind} {container['name']}")
    return said


def _complete(resources: Object, field: str, defaults: dict[str, str]) -> list[str]:
    """The names of what was missing, and is there now."""
    given = resources.get(field) or {}
    missing = {name: value for name, value in defaults.items() if name not in given}
    if missing:
        resources[field] = {**given, **missing}
    return sorted(missing)


def _total(spec: Object, field: str) -> dict[str, str]:
    """What the pod as a whole requests or is limited to; what runs now does not count."""
    # upstream: plugin/pkg/admission/limitranger/admission.go podRequests, podLimits
    total = quota.written(pod_resources.stated({"spec": spec}, field))
    own = (spec.get("resources") or {}).get(field) or {}
    return total | {name: value for name, value in own.items() if name in {"cpu", "memory"}}


def _bounds(
    kind: str, item: Object, requests: dict[str, str], limits: dict[str, str]
) -> Iterator[str]:
    yield from _minimum(kind, item.get("min") or {}, requests, limits)
    yield from _maximum(kind, item.get("max") or {}, requests, limits)
    yield from _ratio(kind, item.get("maxLimitRequestRatio") or {}, requests, limits)


def _numbers(*quantities: str) -> tuple[int, ...]:
    """As upstream compares them: thousandths where all have room for them in 64 bits, else units."""
    # upstream: requestLimitEnforcedValues
    parsed = [Quantity.parse(quantity) for quantity in quantities]
    units = tuple(_in_64_bits(each.value()) for each in parsed)
    if max(units) > _MAX_MILLI:
        return units
    return tuple(_in_64_bits(each.milli_value()) for each in parsed)


def _in_64_bits(number: int) -> int:
    """What has no room there counts as nothing."""
    # upstream: apimachinery pkg/api/resource/amount.go int64Amount.AsScaledInt64
    return number if -(2**63) <= number < 2**63 else 0


def _minimum(
    kind: str, least: Object, requests: dict[str, str], limits: dict[str, str]
) -> Iterator[str]:
    for name, bound in sorted(least.items()):
        request, limit = requests.get(name), limits.get(name)
        start = f"minimum {name} usage per {kind} is {bound}"
        asked, limited, enforced = _numbers(request or "0", limit or "0", bound)
        if request is None:
            yield f"{start}.  No request is specified"
        elif asked < enforced:
            yield f"{start}, but request is {request}"
        elif limit is not None and limited < enforced:
            yield f"{start}, but limit is {limit}"


def _maximum(
    kind: str, most: Object, requests: dict[str, str], limits: dict[str, str]
) -> Iterator[str]:
    for name, bound in sorted(most.items()):
        request, limit = requests.get(name), limits.get(name)
        start = f"maximum {name} usage per {kind} is {bound}"
        asked, limited, enforced = _numbers(request or "0", limit or "0", bound)
        if limit is None:
            yield f"{start}.  No limit is specified"
        elif limited > enforced:
            yield f"{start}, but limit is {limit}"
        elif request is not None and asked > enforced:
            yield f"{start}, but request is {request}"


def _maximum_requested(kind: str, most: Object, requests: dict[str, str]) -> Iterator[str]:
    # upstream: maxRequestConstraint
    for name, bound in sorted(most.items()):
        request = requests.get(name)
        start = f"maximum {name} usage per {kind} is {bound}"
        asked, enforced = _numbers(request or "0", bound)
        if request is None:
            yield f"{start}.  No request is specified"
        elif asked > enforced:
            yield f"{start}, but request is {request}"


def _ratio(
    kind: str, ratios: Object, requests: dict[str, str], limits: dict[str, str]
) -> Iterator[str]:
    for name, bound in sorted(ratios.items()):
        asked, limited, _ = _numbers(requests.get(name, "0"), limits.get(name, "0"), bound)
        start = f"{name} max limit to request ratio per {kind} is {bound}"
        if not asked:
            yield f"{start}, but no request is specified or request is 0"
        elif not limited:
            yield f"{start}, but no limit is specified or limit is 0"
        elif limited / asked * 1000 > Quantity.parse(bound).milli_value():
            yield f"{start}, but provided ratio is {limited / asked:f}"
