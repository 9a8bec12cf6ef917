"""Deletes PodCertificateRequests that are a quarter of an hour old."""
# upstream: pkg/controller/certificates/cleaner/pcrcleaner.go PCRCleanerController

from pykube_cp.client.interface import DeleteOptions
from pykube_cp.controllers.interface import Controller, ControllerContext, Result, Watch
from pykube_cp.controllers.shared.cluster_kinds import POD_CERTIFICATE_REQUESTS
from pykube_cp.machinery import clock, objects
from pykube_cp.machinery.errors import StatusError, is_not_found

_LIFETIME = 15 * 60.0


async def reconcile(ctx: ControllerContext, key: str) -> Result | None:
    request = ctx.lister(POD_CERTIFICATE_REQUESTS).get(key)
    if request is None:
        return None
    created = clock.parse_time(objects.metadata(request)["creationTimestamp"])
    left = created + _LIFETIME - clock.now()
    if left > 0:
        return Result(requeue_after=left)
    namespace, name = objects.split_key(key)
    options = DeleteOptions(uid=objects.uid(request))
    try:
        await ctx.client.delete(POD_CERTIFICATE_REQUESTS, name, namespace, options=options)
    except StatusError as err:
        if not is_not_found(err):
            raise
    return None


CONTROLLER = Controller(
    name="podcertificaterequest-cleaner-controller",
    identity="podcertificaterequestcleaner",
    watches=(Watch(POD_CERTIFICATE_REQUESTS),),
    reconcile=reconcile,
)
