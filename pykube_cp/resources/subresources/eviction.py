"""Evicting a pod: a delete that asks the pod's disruption budgets first."""
# upstream: pkg/registry/core/pod/storage/eviction.go EvictionREST

from pykube_cp.machinery import clock, errors, selectors
from pykube_cp.machinery.gvk import GVK, GVR
from pykube_cp.machinery.objects import Object, deep_copy
from pykube_cp.registry.strategy import Deletion, Strategy
from pykube_cp.resources.shared.statuses import created
from pykube_cp.resources.subresources.interface import Answer, Call, Page

_PODS = ("", "pods")
_BUDGETS = GVR("policy", "v1", "poddisruptionbudgets")
MAX_DISRUPTED_PODS = 2000


async def create(call: Call) -> Answer:
    """Delete the pod when its budgets allow it; 429 when they do not."""
    assert call.body is not None
    pod = (await call.store.get(call.namespace, call.name)).object()
    options = call.body.get("deleteOptions") or {}
    if options.get("dryRun"):
        call.context.dry_run = True
    if not _is_exempt(pod):
        budgets = await _matching_budgets(call, pod)
        if len(budgets) > 1:
            raise errors.internal_error(
                "This pod has more than one PodDisruptionBudget, which the eviction subresource "
                "does not support."
            )
        for budget in budgets:
            if not _ignores_unhealthy(budget, pod):
                await _take_disruption(call, budget, pod)
    await _mark(call, pod)
    await _delete(call, options)
    return Answer(created(), 201)


def _is_exempt(pod: Object) -> bool:
    phase = (pod.get("status") or {}).get("phase")
    return phase in {"Succeeded", "Failed", "Pending"} or bool(
        pod["metadata"].get("deletionTimestamp")
    )


def _ready(pod: Object) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or []
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def _ignores_unhealthy(budget: Object, pod: Object) -> bool:
    """An unhealthy pod may go when the application does not need it for its budget."""
    if _ready(pod):
        return False
    if (budget.get("spec") or {}).get("unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return True
    status = budget.get("status") or {}
    healthy, desired = status.get("currentHealthy", 0), status.get("desiredHealthy", 0)
    return bool(healthy >= desired > 0)


async def _matching_budgets(call: Call, pod: Object) -> list[Object]:
    cache = await call.stores(_BUDGETS).cache()
    labels = pod["metadata"].get("labels") or {}
    found = []
    for entry in cache.entries(call.namespace):
        budget = entry.object()
        if selectors.from_label_selector(budget["spec"].get("selector")).matches(labels):
            found.append(budget)
    return found


async def _take_disruption(call: Call, budget: Object, pod: Object) -> None:
    """Book the disruption in the budget's status, so that the next eviction sees it."""

    async def change(current: Object | None) -> Object:
        if current is None:
            raise errors.not_found(("policy", "poddisruptionbudgets"), budget["metadata"]["name"])
        return _booked(current, pod)

    context = call.context
    await call.stores(_BUDGETS).update(
        context,
        budget["metadata"]["name"],
        change,
        _accept,
        strategy=Strategy(),
    )


def _booked(budget: Object, pod: Object) -> Object:
    # upstream: pkg/registry/core/pod/storage/eviction.go EvictionREST.checkAndDecrement
    status = budget.setdefault("status", {})
    name = budget["metadata"]["name"]
    if status.get("observedGeneration", 0) < budget["metadata"].get("generation", 0):
        raise _refused(
            f"The disruption budget {name} is still being processed by the server.", name, 10
        )
    if status.get("disruptionsAllowed", 0) < 0:
        raise errors.forbidden(
            ("policy", "poddisruptionbudgets"), name, "pdb disruptions allowed is negative"
        )
    if len(status.get("disruptedPods") or {}) > MAX_DISRUPTED_PODS:
        raise errors.forbidden(
            ("policy", "poddisruptionbudgets"),
            name,
            "DisruptedPods map too big - too many evictions not confirmed by PDB controller",
        )
    if status.get("disruptionsAllowed", 0) == 0:
        raise _refused(
            f"The disruption budget {name} needs {status.get('desiredHealthy', 0)} healthy pods and "
            f"has {status.get('currentHealthy', 0)} currently",
            name,
            0,
        )
    status["disruptionsAllowed"] -= 1
    disrupted = deep_copy(status.get("disruptedPods") or {})
    disrupted[pod["metadata"]["name"]] = clock.timestamp()
    status["disruptedPods"] = disrupted
    return budget


def _refused(cause: str, budget: str, retry_after: int) -> errors.StatusError:
    del budget
    error = errors.too_many_requests(
        "Cannot evict pod as it would violate the pod's disruption budget.", retry_after
    )
    error.details = dict(error.details or {})
    error.details["causes"] = [{"reason": "DisruptionBudget", "message": cause}]
    return error


async def _mark(call: Call, pod: Object) -> None:
    """Say in the pod's conditions why it goes."""
    if pod["metadata"].get("deletionTimestamp"):
        return

    async def change(current: Object | None) -> Object:
        if current is None:
            raise errors.not_found(_PODS, call.name)
        conditions = current.setdefault("status", {}).setdefault("conditions", [])
        conditions[:] = [each for each in conditions if each["type"] != "DisruptionTarget"]
        conditions.append(
            {
                "type": "DisruptionTarget",
                "status": "True",
                "reason": "EvictionByEvictionAPI",
                "message": "Eviction API: evicting",
                "lastProbeTime": None,
                "lastTransitionTime": clock.timestamp(),
            }
        )
        return current

    await call.store.update(call.context, call.name, change, _accept, strategy=Strategy())


async def _delete(call: Call, options: Object) -> None:
    deletion = Deletion(
        grace_period_seconds=options.get("gracePeriodSeconds"), options=dict(options)
    )
    await call.store.delete(call.context, call.name, deletion, call.admit)


async def _accept(obj: Object | None, old: Object | None) -> None:
    """Admission has seen the eviction itself."""


PAGES = (
    Page(
        resource=_PODS,
        subresource="eviction",
        accepts=GVK("policy", "v1", "Eviction"),
        verbs={"create": create},
    ),
)
