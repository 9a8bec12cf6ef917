"""Figures to scale by, from the three metrics APIs, which a cluster may or may not have."""
# upstream: pkg/controller/podautoscaler/metrics/client.go

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

import orjson

from pykube_cp.client.interface import Client
from pykube_cp.machinery import clock, objects, quantity
from pykube_cp.machinery.errors import StatusError, from_status, is_not_found
from pykube_cp.machinery.objects import Object

_RESOURCE_API = "/apis/metrics.k8s.io/v1beta1"
_CUSTOM_APIS = ("/apis/custom.metrics.k8s.io/v1beta2", "/apis/custom.metrics.k8s.io/v1beta1")
_EXTERNAL_API = "/apis/external.metrics.k8s.io/v1beta1"
_DEFAULT_WINDOW = 60.0


class MetricsError(Exception):
    """Figures cannot be had; the text says why."""


@dataclass(frozen=True, slots=True)
class PodMetric:
    """A Pod's figure in thousandths, taken over ``window`` seconds up to ``timestamp``."""

    value: int
    timestamp: float
    window: float


PodMetrics = dict[str, PodMetric]


@dataclass(frozen=True, slots=True)
class MetricsClient:
    """Asks the metrics APIs. Failures are ``MetricsError``."""

    client: Client

    async def resource(
        self, resource: str, namespace: str, selector: str, container: str
    ) -> PodMetrics:
        """Use of a resource by each Pod, or by one container of each."""
        path = f"{_RESOURCE_API}/namespaces/{namespace}/pods"
        items = await self._items("resource", path, {"labelSelector": selector})
        found: PodMetrics = {}
        for item in items:
            value = _use(item, resource, container)
            if value is not None:
                window = duration_seconds(item.get("window", ""))
                found[objects.name(item)] = PodMetric(value, _time(item), window)
        return found

    async def pods(
        self, metric: str, namespace: str, selector: str, metric_selector: str
    ) -> PodMetrics:
        """A custom metric of each Pod."""
        path = f"/namespaces/{namespace}/pods/*/{quote(metric, safe='')}"
        query = {"labelSelector": selector, "metricLabelSelector": metric_selector}
        items = await self._custom(path, query)
        return {
            item["describedObject"]["name"]: PodMetric(
                quantity.parse(str(item["value"])).milli_value(),
                _time(item),
                float(item.get("windowSeconds") or item.get("window") or _DEFAULT_WINDOW),
            )
            for item in items
        }

    async def object(
        self, metric: str, namespace: str, resource: str, name: str, metric_selector: str
    ) -> int:
        """A custom metric of one object; ``resource`` is its group resource."""
        scope = f"namespaces/{name}" if resource == "namespaces" else f"namespaces/{namespace}"
        target = "metrics" if resource == "namespaces" else f"{resource}/{quote(name, safe='')}"
        path = f"/{scope}/{target}/{quote(metric, safe='')}"
        items = await self._custom(path, {"metricLabelSelector": metric_selector})
        return quantity.parse(str(items[0]["value"])).milli_value()

    async def external(self, metric: str, namespace: str, selector: str) -> list[int]:
        """All values of a metric from outside the cluster."""
        path = f"{_EXTERNAL_API}/namespaces/{namespace}/{quote(metric, safe='')}"
        items = await self._items("external", path, {"labelSelector": selector})
        return [quantity.parse(str(item["value"])).milli_value() for item in items]

    async def _custom(self, path: str, query: Mapping[str, str]) -> list[Object]:
        newer, older = _CUSTOM_APIS
        try:
            return await self._items("custom", newer + path, query)
        except MetricsError as err:
            if not is_not_found(err.__cause__):
                raise
        return await self._items("custom", older + path, query)

    async def _items(self, api: str, path: str, query: Mapping[str, str]) -> list[Object]:
        parameters = urlencode({name: value for name, value in query.items() if value})
        try:
            answer = await self._get(f"{path}?{parameters}" if parameters else path)
        except StatusError as err:
            text = f"unable to fetch metrics from {api} metrics API: {err}"
            raise MetricsError(text) from err
        items: list[Object] = answer.get("items") or []
        if not items:
            raise MetricsError(f"no metrics returned from {api} metrics API")
        return items

    async def _get(self, path: str) -> Object:
        response = await self.client.request("GET", path, headers={"Accept": "application/json"})
        if response.status == 200:
            found: Object = orjson.loads(response.body)
            return found
        resource = _requested_resource(path)
        raise from_status(_status(response.status, response.body, resource))


def _requested_resource(path: str) -> str:
    """What a path asks for, as error messages name it."""
    _, _, group, _, *rest = path.partition("?")[0].split("/")
    return f"{rest[2] if len(rest) > 2 else rest[0]}.{group}"


def _status(code: int, body: bytes, resource: str) -> Object:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        found = None
    if isinstance(found, dict) and found.get("kind") == "Status":
        return found
    # upstream: apimachinery pkg/api/errors/errors.go NewGenericServerResponse
    reason = "NotFound" if code == 404 else "ServiceUnavailable"
    text = "the server is currently unable to handle the request"
    if code == 404:
        text = "the server could not find the requested resource"
    message = f"{text} (get {resource})"
    return {"status": "Failure", "code": code, "reason": reason, "message": message}


def _time(item: Object) -> float:
    text = item.get("timestamp")
    return clock.parse_time(text) if text else clock.now()


def _use(item: Object, resource: str, container: str) -> int | None:
    """Thousandths used by the Pod or its container; None when that is not known in full."""
    containers = item.get("containers") or []
    if container:
        containers = [found for found in containers if found["name"] == container]
    uses = [(found.get("usage") or {}).get(resource) for found in containers]
    if not uses or any(use is None for use in uses):
        return None
    return sum(quantity.parse(str(use)).milli_value() for use in uses)


def duration_seconds(text: str) -> float:
    """Seconds of a Go duration such as ``1m30s``; the usual window where there is none."""
    units = {"h": 3600.0, "m": 60.0, "s": 1.0}
    seconds, number = 0.0, ""
    for letter in text:
        if letter in units and number:
            seconds += float(number) * units[letter]
            number = ""
        elif letter.isdigit() or letter == ".":
            number += letter
        else:
            return _DEFAULT_WINDOW
    return seconds or _DEFAULT_WINDOW
