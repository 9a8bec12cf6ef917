"""Limits of a namespace: defaults for containers, and bounds for pods, containers and claims."""
# upstream: plugin/pkg/admission/limitranger/admission.go

from collections.abc import Iterable, Iterator

from pykube_cp.admission.base import WRITES, BasePlugin, forbidden
from pykube_cp.admission.interface import Attributes, Operation
from pykube_cp.machinery.gvk import GVR
from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.quantity import Quantity

_RANGES = GVR("", "v1", "limitranges")
_ANNOTATION = "kubernetes.io/limit-ranger"
_ZERO = Quantity.parse("0")


class LimitRanger(BasePlugin):
    """Applies every LimitRange of the namespace."""

    name = "LimitRanger"
    operations = WRITES
    resources = frozenset({("", "pods"), ("", "persistentvolumeclaims")})

    async def admit(self, attributes: Attributes) -> None:
        obj = attributes.object
        if obj is None or not _concerns(attributes) or attributes.resource.resource != "pods":
            return
        if attributes.operation is Operation.UPDATE:
            return
        changes: list[str] = []
        for item in await self._items(attributes.namespace):
            if item["type"] == "Container":
                changes += _fill_in(obj["spec"], item)
        if changes:
            annotations = obj["metadata"].setdefault("annotations", {})
            annotations[_ANNOTATION] = "LimitRanger plugin set: " + "; ".join(changes)

    async def validate(self, attributes: Attributes) -> None:
        obj = attributes.object
        if obj is None or not _concerns(attributes):
            return
        items = await self._items(attributes.namespace)
        if attributes.resource.resource == "persistentvolumeclaims":
            found = _judge_claim(obj["spec"], items)
        else:
            found = _judge_pod(obj["spec"], items)
        if found:
            text = found[0] if len(found) == 1 else f"[{', '.join(found)}]"
            raise forbidden(attributes, text)

    async def _items(self, namespace: str) -> list[Object]:
        ranges = await self.services.client.list(_RANGES, namespace)
        return [
            item for each in ranges.items for item in (each.get("spec") or {}).get("limits") or []
        ]


def _concerns(attributes: Attributes) -> bool:
    if attributes.resource.resource == "pods":
        resize = attributes.subresource == "resize"
        return resize or (not attributes.subresource and attributes.operation is Operation.CREATE)
    return not attributes.subresource


def _judge_claim(spec: Object, items: list[Object]) -> list[str]:
    requests = (spec.get("resources") or {}).get("requests") or {}
    return [
        text
        for item in items
        if item["type"] == "PersistentVolumeClaim"
        for text in _bounds("PersistentVolumeClaim", item, requests, {})
    ]


def _judge_pod(spec: Object, items: list[Object]) -> list[str]:
    found: list[str] = []
    for item in items:
        if item["type"] == "Container":
            for container in _containers(spec):
                found += _bounds("Container", item, *_of(container))
    for item in items:
        if item["type"] == "Pod":
            found += _bounds("Pod", item, *_total(spec))
    return found


def _containers(spec: Object) -> Iterator[Object]:
    yield from spec.get("initContainers") or []
    yield from spec.get("containers") or []


def _of(container: Object) -> tuple[dict[str, str], dict[str, str]]:
    resources = container.get("resources") or {}
    return resources.get("requests") or {}, resources.get("limits") or {}


def _fill_in(spec: Object, item: Object) -> list[str]:
    """Set what containers leave out; the answer tells of it, for the annotation."""
    said = []
    for kind, field in (("container", "containers"), ("init container", "initContainers")):
        for container in spec.get(field) or []:
            resources = container.setdefault("resources", {})
            for what, source in (("request", "defaultRequest"), ("limit", "default")):
                given = resources.setdefault(f"{what}s", {})
                missing = {
                    name: value
                    for name, value in (item.get(source) or {}).items()
                    if name not in given
                }
                given.update(missing)
                if missing:
                    names = ", ".join(sorted(missing))
                    said.append(f"{names} {what} for {kind} {container['name']}")
                if not given:
                    del resources[f"{what}s"]
    return said


def _total(spec: Object) -> tuple[dict[str, str], dict[str, str]]:
    """What the pod as a whole requests and is limited to."""
    # upstream: plugin/pkg/admission/limitranger/admission.go podRequests, podLimits
    return _sum(spec, 0), _sum(spec, 1)


def _sum(spec: Object, which: int) -> dict[str, str]:
    total: dict[str, Quantity] = {}
    for container in spec.get("containers") or []:
        for name, value in _of(container)[which].items():
            total[name] = total.get(name, _ZERO).add(Quantity.parse(value))
    for container in spec.get("initContainers") or []:
        for name, value in _of(container)[which].items():
            quantity = Quantity.parse(value)
            if name not in total or total[name] < quantity:
                total[name] = quantity
    return {name: str(value) for name, value in total.items()}


def _bounds(kind: str, item: Object, requests: dict[str, str], limits: dict[str, str]) -> list[str]:
    found = list(_minimum(kind, item.get("min") or {}, requests, limits))
    found += _maximum(kind, item.get("max") or {}, requests, limits)
    return found + list(_ratio(kind, item.get("maxLimitRequestRatio") or {}, requests, limits))


def _minimum(
    kind: str, least: Object, requests: dict[str, str], limits: dict[str, str]
) -> Iterator[str]:
    for name, bound in least.items():
        request, limit = requests.get(name), limits.get(name)
        if request is None:
            yield f"minimum {name} usage per {kind} is {bound}.  No request is specified"
        elif Quantity.parse(request) < Quantity.parse(bound):
            yield f"minimum {name} usage per {kind} is {bound}, but request is {request}"
        elif limit is not None and Quantity.parse(limit) < Quantity.parse(bound):
            yield f"minimum {name} usage per {kind} is {bound}, but limit is {limit}"


def _maximum(
    kind: str, most: Object, requests: dict[str, str], limits: dict[str, str]
) -> Iterable[str]:
    for name, bound in most.items():
        request, limit = requests.get(name), limits.get(name)
        by_request = kind == "PersistentVolumeClaim"
        if by_request:
            if request is not None and Quantity.parse(bound) < Quantity.parse(request):
                yield f"maximum {name} usage per {kind} is {bound}, but request is {request}"
        elif limit is None:
            yield f"maximum {name} usage per {kind} is {bound}.  No limit is specified"
        elif Quantity.parse(bound) < Quantity.parse(limit):
            yield f"maximum {name} usage per {kind} is {bound}, but limit is {limit}"
        elif request is not None and Quantity.parse(bound) < Quantity.parse(request):
            yield f"maximum {name} usage per {kind} is {bound}, but request is {request}"


def _ratio(
    kind: str, ratios: Object, requests: dict[str, str], limits: dict[str, str]
) -> Iterator[str]:
    for name, bound in ratios.items():
        request = Quantity.parse(requests.get(name, "0")).as_float()
        limit = Quantity.parse(limits.get(name, "0")).as_float()
        start = f"{name} max limit to request ratio per {kind} is {bound}"
        if not request:
            yield f"{start}, but no request is specified or request is 0."
        elif not limit:
            yield f"{start}, but no limit is specified or limit is 0."
        elif limit / request > Quantity.parse(bound).as_float():
            yield f"{start}, but provided ratio is {limit / request:f}."
