"""Quotas of a namespace: what is created is booked before it is stored."""
# upstream: apiserver pkg/admission/plugin/resourcequota/controller.go

import asyncio
from collections import defaultdict

from pykube_cp.admission.base import WRITES, BasePlugin, forbidden
from pykube_cp.admission.interface import Attributes, Operation
from pykube_cp.machinery import errors, quota
from pykube_cp.machinery.gvk import GVR
from pykube_cp.machinery.objects import Object, deep_copy, nested
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
        if not attributes.namespace or obj is None:
            return
        evaluator = quota.evaluator_for(attributes.resource.group, attributes.resource.resource)
        old = attributes.old_object
        if not evaluator.handles(attributes.operation.value, attributes.subresource, obj, old):
            return
        quotas = (await self.services.client.list(_QUOTAS, attributes.namespace)).items
        concerned = [each for each in quotas if quota.matches(each, evaluator, obj)]
        if not concerned:
            return
        delta = evaluator.usage(obj)
        if attributes.operation is Operation.UPDATE and old is not None:
            delta = quota.subtract(delta, evaluator.usage(old))
        for each in concerned:
            self._check_constraints(attributes, evaluator, each, obj)
        async with self._locks[attributes.namespace]:
            await self._book(attributes, evaluator, concerned, delta)

    def _check_constraints(
        self,
        attributes: Attributes,
        evaluator: ObjectCountEvaluator,
        each: Object,
        obj: Object,
    ) -> None:
        hard = nested(each, "status", "hard", default={})
        missing = evaluator.constraints(evaluator.matching_resources(hard), obj)
        if missing:
            name = each["metadata"]["name"]
            raise forbidden(attributes, f"failed quota: {name}: {missing}")

    async def _book(
        self,
        attributes: Attributes,
        evaluator: ObjectCountEvaluator,
        concerned: list[Object],
        delta: ResourceList,
    ) -> None:
        for attempt in range(_TRIES):
            changed = [
                made
                for each in concerned
                if (made := _booked(attributes, evaluator, each, delta)) is not None
            ]
            if attributes.dry_run:
                return
            try:
                for made in changed:
                    await self.services.client.update(_QUOTAS, made, subresource="status")
            except errors.StatusError as error:
                if not errors.is_conflict(error) or attempt == _TRIES - 1:
                    raise
                names = {each["metadata"]["name"] for each in concerned}
                fresh = await self.services.client.list(_QUOTAS, attributes.namespace)
                concerned = [each for each in fresh.items if each["metadata"]["name"] in names]
            else:
                return


def _booked(
    attributes: Attributes,
    evaluator: ObjectCountEvaluator,
    each: Object,
    delta: ResourceList,
) -> Object | None:
    """The quota with the delta added; 403 when that is more than it allows."""
    status = each.get("status") or {}
    hard = _read(status.get("hard") or {})
    used = _read(status.get("used") or {})
    wanted = quota.mask(delta, evaluator.matching_resources(hard))
    wanted = quota.without_zeros(wanted)
    if not wanted:
        return None
    sums = {
        name: used.get(name, Quantity.parse("0")).add(amount) for name, amount in wanted.items()
    }
    grows = {name: total for name, total in sums.items() if wanted[name].sign() > 0}
    over = quota.exceeded(grows, hard)
    if over:
        raise forbidden(attributes, _refusal(each, over, wanted, used, hard))
    made: Object = deep_copy(each)
    made["status"]["used"] = {**(status.get("used") or {}), **quota.written(sums)}
    return made


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
