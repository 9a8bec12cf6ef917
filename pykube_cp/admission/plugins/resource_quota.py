"""Quotas of a namespace: what is created is booked before it is stored."""
# upstream: apiserver pkg/admission/plugin/resourcequota/controller.go

import asyncio
from collections import defaultdict

from pykube_cp.admission.base import WRITES, BasePlugin, forbidden
from pykube_cp.admission.interface import Attributes
from pykube_cp.machinery import errors, quota
from pykube_cp.machinery.gvk import GVR
from pykube_cp.machinery.objects import Object, deep_copy
from pykube_cp.machinery.pod_resources import ResourceList
from pykube_cp.machinery.quantity import Quantity
from pykube_cp.machinery.quota_evaluators import ObjectCountEvaluator

_QUOTAS = GVR("", "v1", "resourcequotas")
_TRIES = 5


class ResourceQuota(BasePlugin):
    """Books usage in the quotas' status; one namespace at a time, so that none is overdrawn."""

    name = "ResourceQuota"
    operations = WRITES

    def __init__(self) -> None:
        self._locks: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def validate(self, attributes: Attributes) -> None:
        obj = attributes.object
        group_resource = attributes.resource.group, attributes.resource.resource
        if not attributes.namespace or obj is None or group_resource in quota.IGNORED:
            return
        evaluator = quota.evaluator_for(*group_resource)
        old = attributes.old_object
        if not evaluator.handles(attributes.operation.value, attributes.subresource, obj, old):
            return
        quotas = (await self.services.client.list(_QUOTAS, attributes.namespace)).items
        request = _Request(attributes, evaluator, obj)
        concerned = [each for each in quotas if request.concerns(each)]
        if concerned:
            async with self._locks[attributes.namespace]:
                await self._book(request, concerned)

    async def _book(self, request: "_Request", concerned: list[Object]) -> None:
        for attempt in range(_TRIES):
            changed = [made for each in concerned if (made := request.booked(each)) is not None]
            if request.attributes.dry_run:
                return
            try:
                for made in changed:
                    await self.services.client.update(_QUOTAS, made, subresource="status")
            except errors.StatusError as error:
                if not errors.is_conflict(error) or attempt == _TRIES - 1:
                    raise
                names = {each["metadata"]["name"] for each in concerned}
                fresh = await self.services.client.list(_QUOTAS, request.attributes.namespace)
                concerned = [each for each in fresh.items if each["metadata"]["name"] in names]
            else:
                return


class _Request:
    """What is asked for, as quotas see it."""

    def __init__(
        self, attributes: Attributes, evaluator: ObjectCountEvaluator, obj: Object
    ) -> None:
        self.attributes, self._evaluator = attributes, evaluator
        self._object, self._usage = obj, evaluator.usage(obj)

    def concerns(self, each: Object) -> bool:
        """Whether it counts against the quota; 403 where that cannot be judged."""
        if not quota.matches(each, self._evaluator, self._object):
            return False
        status, name = each["status"], each["metadata"]["name"]
        restricted = self._evaluator.matching_resources(status["hard"])
        missing = self._evaluator.constraints(restricted, self._object)
        if missing:
            raise forbidden(self.attributes, f"failed quota: {name}: {missing}")
        if not set(restricted) <= set(status.get("used") or ()):
            text = f"status unknown for quota: {name}, resources: {','.join(sorted(restricted))}"
            raise forbidden(self.attributes, text)
        return True

    def booked(self, each: Object) -> Object | None:
        """The quota with the request added; 403 when that is more than it allows."""
        status = each.get("status") or {}
        hard = _read(status.get("hard") or {})
        used = _read(status.get("used") or {})
        wanted = quota.mask(quota.without_zeros(self._delta(each)), hard)
        if not wanted:
            return None
        sums = {
            name: used.get(name, Quantity.parse("0")).add(amount) for name, amount in wanted.items()
        }
        over = quota.exceeded(sums, hard)
        if over and self.attributes.subresource != "status":
            raise forbidden(self.attributes, _refusal(each, over, wanted, used, hard))
        made: Object = deep_copy(each)
        made["status"]["used"] = {**(status.get("used") or {}), **quota.written(sums)}
        return made

    def _delta(self, each: Object) -> ResourceList:
        """How much more it is than before, where it counted before; nothing is given back here."""
        old = self.attributes.old_object
        if old is None or not quota.matches(each, self._evaluator, old):
            return self._usage
        return quota.subtract_to_zero(self._usage, self._evaluator.usage(old))


def _read(resources: dict[str, str]) -> ResourceList:
    return {name: Quantity.parse(value) for name, value in resources.items()}


def _refusal(
    each: Object, over: list[str], wanted: ResourceList, used: ResourceList, hard: ResourceList
) -> str:
    def pretty(amounts: ResourceList) -> str:
        return ",".join(f"{name}={amounts.get(name, Quantity.parse('0'))}" for name in over)

    return (
        f"exceeded quota: {each['metadata']['name']}, requested: {pretty(wanted)}, "
        f"used: {pretty(used)}, limited: {pretty(hard)}"
    )
