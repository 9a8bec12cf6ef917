"""Evicting a pod: a delete that asks the pod's disruption budgets first."""
# upstream: pkg/registry/core/pod/storage/eviction.go EvictionREST

from pykube_cp.machinery import clock, errors, selectors
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.go_text import plain
from pykube_cp.machinery.gvk import GVK, GVR
from pykube_cp.machinery.objects import Object, deep_copy
from pykube_cp.registry import deletion
from pykube_cp.registry.strategy import Deletion
from pykube_cp.resources.shared import written_conditions
from pykube_cp.resources.shared.statuses import created
from pykube_cp.resources.subresources.interface import Answer, Call, Page

_BUDGETS = GVR("policy", "v1", "poddisruptionbudgets")
_TRIES = 20
MAX_DISRUPTED_PODS = 2000
_CONDITION = {
    "type": "DisruptionTarget",
    "status": "True",
    "reason": "EvictionByEvictionAPI",
    "message": "Eviction API: evicting",
}


async def create(call: Call) -> Answer:
    """Delete the pod when its budgets allow it; 429 when they do not."""
    body = call.body
    assert body is not None
    if call.name != body["metadata"].get("name", ""):
        raise errors.bad_request("name in URL does not match name in Eviction object")
    options = body.get("deleteOptions")
    if (options or {}).get(deletion.UNSAFE):
        raise _unsafe(call.name)
    options = _with_dry_run(call, options)
    await call.validate(body)
    pod = await _guarded(call, options)
    if pod is not None:
        await _evict(call, pod, options)
    return Answer(created(), 201)


def _unsafe(name: str) -> errors.StatusError:
    text = "can not be set for pod eviction, try after removing the option"
    found = FieldError.invalid(Path("deleteOptions").child(deletion.UNSAFE), True, text)
    return errors.invalid(("policy", "Eviction"), name, [found])


def _with_dry_run(call: Call, options: Object | None) -> Object:
    """The delete options; either they or the request may ask for a dry run."""
    asked = ["All"] if call.context.dry_run else []
    made = dict(options or {})
    stated = made.get("dryRun") or []
    if asked and stated and asked != stated:
        raise errors.StatusError(
            500,
            "",
            f"Non-matching dry-run options in request and content: {plain(asked)} and {plain(stated)}",
        )
    if stated or asked:
        made["dryRun"] = stated or asked
        call.context.dry_run = True
    return made


async def _guarded(call: Call, options: Object) -> Object | None:
    """The pod if budgets have a say; None when it was none of their business and is deleted."""
    last: errors.StatusError | None = None
    for _ in range(_TRIES):
        pod = (await call.store.get(call.namespace, call.name)).object()
        if not _is_exempt(pod):
            return pod
        exact = options
        if _could_get_ready(pod) and not _version(options):
            # Not to race with whatever makes it count for a budget.
            exact = _at_version(options, pod)
        try:
            await _delete(call, exact)
        except errors.StatusError as error:
            if not errors.is_conflict(error) or _version(options):
                raise
            last = error
        else:
            return None
    assert last is not None
    raise last


async def _evict(call: Call, pod: Object, options: Object) -> None:
    budgets = await _matching_budgets(call, pod)
    if len(budgets) > 1:
        text = (
            "This pod has more than one PodDisruptionBudget, which the eviction subresource does "
            "not support."
        )
        raise errors.StatusError(500, "", text)
    if not budgets:
        await _delete(call, options)
        return
    (budget,) = budgets
    if not _ignores_unhealthy(budget, pod):
        await _take_disruption(call, budget, pod)
        await _delete(call, options)
        return
    try:
        await _delete(call, _at_version(options, pod))
    except errors.StatusError as error:
        if not errors.is_conflict(error) or _version(options):
            raise
        # It may have got healthy meanwhile, so that its budget counts.
        raise _still_processed(budget["metadata"]["name"]) from None


def _is_exempt(pod: Object) -> bool:
    phase = (pod.get("status") or {}).get("phase")
    return phase == "Pending" or not _could_get_ready(pod)


def _could_get_ready(pod: Object) -> bool:
    phase = (pod.get("status") or {}).get("phase")
    return phase not in {"Succeeded", "Failed"} and not pod["metadata"].get("deletionTimestamp")


def _version(options: Object) -> bool:
    """Whether the client means one version of the pod."""
    return (options.get("preconditions") or {}).get("resourceVersion") is not None


def _at_version(options: Object, pod: Object) -> Object:
    version = pod["metadata"]["resourceVersion"]
    wanted = (options.get("preconditions") or {}) | {"resourceVersion": version}
    return options | {"preconditions": wanted}


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
        try:
            selector = selectors.from_label_selector(budget["spec"].get("selector"))
        except selectors.SelectorError:
            continue
        if selector.matches(labels):
            found.append(budget)
    return found


async def _take_disruption(call: Call, budget: Object, pod: Object) -> None:
    """Book the disruption in the budget's status, so that the next eviction sees it."""
    client, name = call.context.client, budget["metadata"]["name"]
    for _ in range(_TRIES):
        booked = _booked(deep_copy(budget), pod)
        if call.context.dry_run:
            return
        try:
            await client.update(_BUDGETS, booked, subresource="status")
        except errors.StatusError as error:
            if not errors.is_conflict(error):
                raise
            budget = await client.get(_BUDGETS, name, call.namespace)
        else:
            return
    text = f'couldn\'t update PodDisruptionBudget "{name}" due to conflicts'
    raise errors.timeout_error(text, 10)


def _booked(budget: Object, pod: Object) -> Object:
    # upstream: as above, EvictionREST.checkAndDecrement
    status = budget.setdefault("status", {})
    name = budget["metadata"]["name"]
    allowed = status.get("disruptionsAllowed", 0)
    disrupted = dict(status.get("disruptedPods") or {})
    if status.get("observedGeneration", 0) < budget["metadata"].get("generation", 0):
        raise _still_processed(name)
    if allowed < 0:
        text = "pdb disruptions allowed is negative"
        raise _forbidden(name, text, text)
    if len(disrupted) > MAX_DISRUPTED_PODS:
        text = "too many evictions not confirmed by PDB controller"
        cause = "too many pending evictions not confirmed by PDB controller"
        raise _forbidden(name, f"DisruptedPods map too big - {text}", cause)
    if allowed == 0:
        raise _violated(_reason(name, status), 0)
    status["disruptionsAllowed"] = allowed - 1
    if allowed == 1:
        _forbid_more(status)
    disrupted[pod["metadata"]["name"]] = clock.timestamp()
    status["disruptedPods"] = disrupted
    return budget


def _forbid_more(status: Object) -> None:
    # upstream: component-helpers apps/poddisruptionbudget/helpers.go UpdateDisruptionAllowedCondition
    condition: Object = {
        "type": "DisruptionAllowed",
        "status": "False",
        "reason": "InsufficientPods",
        "message": "",
    }
    if generation := status.get("observedGeneration"):
        condition["observedGeneration"] = generation
    written_conditions.update(status.setdefault("conditions", []), condition)


def _reason(name: str, status: Object) -> str:
    """Why no pod may go."""
    start = f"The disruption budget {name}"
    conditions = {each["type"]: each for each in status.get("conditions") or ()}
    found = conditions.get("DisruptionAllowed") or {}
    is_denied = found.get("status") == "False"
    message, reason = is_denied and found.get("message"), found.get("reason")
    if message and reason == "SyncFailed":
        return f"{start} does not allow evicting pods currently because it failed sync: {message}"
    healthy, desired = status.get("currentHealthy", 0), status.get("desiredHealthy", 0)
    if healthy <= desired:
        return f"{start} needs {desired} healthy pods and has {healthy} currently"
    if message:
        return f"{start} does not allow evicting pods currently ({reason}): {message}"
    return f"{start} does not allow evicting pods currently"


def _still_processed(name: str) -> errors.StatusError:
    cause = f"The disruption budget {name} is still being processed by the server."
    return _violated(cause, 10)


def _violated(cause: str, retry_after: int) -> errors.StatusError:
    text = "Cannot evict pod as it would violate the pod's disruption budget."
    return _caused(errors.too_many_requests(text, retry_after), cause)


def _forbidden(name: str, text: str, cause: str) -> errors.StatusError:
    cause = f"The disruption budget {name} does not allow evicting pods currently: {cause}"
    return _caused(errors.forbidden(("policy", "poddisruptionbudget"), name, text), cause)


def _caused(error: errors.StatusError, cause: str) -> errors.StatusError:
    causes = [{"reason": "DisruptionBudget", "message": cause}]
    error.details = {**(error.details or {}), "causes": causes}
    return error


async def _delete(call: Call, options: Object) -> None:
    """Say in the pod's conditions why it goes, and delete it."""
    # upstream: as above, addConditionAndDeletePod
    wish = Deletion(grace_period_seconds=options.get("gracePeriodSeconds"), options=dict(options))
    if not call.context.dry_run:
        version = await _mark(call, wish)
        if _version(options):  # of the pod as it was before that
            wanted = options["preconditions"] | {"resourceVersion": version}
            wish.options["preconditions"] = wanted
    deletion.check_options(options)
    await call.store.delete(call.context, call.name, wish, _accept)


async def _mark(call: Call, wish: Deletion) -> str:
    async def change(pod: Object | None) -> Object:
        assert pod is not None
        stated = wish.options.get("preconditions") or {}
        exact = {field: value for field, value in stated.items() if value}
        deletion.check_preconditions(call.resource, pod, Deletion(options={"preconditions": exact}))
        written_conditions.update_pod(pod, _CONDITION)
        return pod

    status = call.resource.subresource("status")
    updated = await call.store.update(
        call.context,
        call.name,
        change,
        _accept,
        strategy=status.strategy if status is not None else None,
    )
    return str(updated.entry.revision)


async def _accept(obj: Object | None, old: Object | None) -> None:
    """Admission has seen the eviction itself."""


PAGES = (
    Page(
        resource=("", "pods"),
        subresource="eviction",
        accepts=GVK("policy", "v1", "Eviction"),
        verbs={"create": create},
        accepts_also=(GVK("policy", "v1beta1", "Eviction"),),
    ),
)
