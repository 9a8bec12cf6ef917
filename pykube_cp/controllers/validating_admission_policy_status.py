"""Says in the status of each ValidatingAdmissionPolicy that it has been looked at."""
# upstream: pkg/controller/validatingadmissionpolicystatus/controller.go Controller

from pykube_cp.client.interface import PatchType, WriteOptions
from pykube_cp.controllers.interface import Controller, ControllerContext, Result, Watch
from pykube_cp.controllers.shared.cluster_kinds import VALIDATING_ADMISSION_POLICIES
from pykube_cp.machinery import objects

_MANAGER = "validatingadmissionpolicy-status"


async def reconcile(ctx: ControllerContext, key: str) -> Result | None:
    policy = ctx.lister(VALIDATING_ADMISSION_POLICIES).get(key)
    if policy is None:
        return None
    generation = objects.metadata(policy).get("generation", 0)
    if generation <= objects.nested(policy, "status", "observedGeneration", default=0):
        return None
    apply = {
        "apiVersion": VALIDATING_ADMISSION_POLICIES.api_version,
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": key},
        "status": {"observedGeneration": generation, "typeChecking": {}},
    }
    await ctx.client.patch(
        VALIDATING_ADMISSION_POLICIES,
        key,
        apply,
        PatchType.APPLY,
        subresource="status",
        options=WriteOptions(field_manager=_MANAGER, force=True),
    )
    return None


CONTROLLER = Controller(
    name="validatingadmissionpolicy-status-controller",
    identity="validatingadmissionpolicy-status-controller",
    watches=(Watch(VALIDATING_ADMISSION_POLICIES),),
    reconcile=reconcile,
    workers=5,
)
