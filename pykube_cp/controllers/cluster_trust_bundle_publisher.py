"""Publishes the authority of the API server's serving certificate as a ClusterTrustBundle."""
# upstream: pkg/controller/certificates/clustertrustbundlepublisher/publisher.go
# ClusterTrustBundlePublisher

import hashlib
from collections.abc import Iterable

from pykube_cp.config import ControllerManagerConfig
from pykube_cp.controllers.interface import Controller, ControllerContext, Result, Watch
from pykube_cp.controllers.shared.cluster_kinds import CLUSTER_TRUST_BUNDLES
from pykube_cp.machinery import objects
from pykube_cp.machinery.errors import StatusError, is_not_found
from pykube_cp.machinery.objects import Object

SIGNER = "kubernetes.io/kube-apiserver-serving"
_KEY = "bundle"


async def reconcile(ctx: ControllerContext, _key: str) -> Result | None:
    content = ctx.config.root_ca_pem
    name = bundle_name(SIGNER, content)
    bundle = ctx.lister(CLUSTER_TRUST_BUNDLES).get(name)
    spec = {"signerName": SIGNER, "trustBundle": content}
    if bundle is None:
        made = {
            "apiVersion": CLUSTER_TRUST_BUNDLES.api_version,
            "kind": "ClusterTrustBundle",
            "metadata": {"name": name},
            "spec": spec,
        }
        await ctx.client.create(CLUSTER_TRUST_BUNDLES, made)
    elif bundle["spec"].get("trustBundle") != content:
        changed = {**objects.deep_copy(bundle), "spec": spec}
        await ctx.client.update(CLUSTER_TRUST_BUNDLES, changed)
    for other in ctx.lister(CLUSTER_TRUST_BUNDLES).list():
        if _is_ours(other) and objects.name(other) != name:
            await _delete(ctx, objects.name(other))
    return None


def bundle_name(signer: str, content: str) -> str:
    digest = hashlib.sha256(content.encode()).digest()[:12].hex()
    return f"{signer.replace('/', ':')}:{digest}"


def _is_ours(bundle: Object) -> bool:
    return bool(bundle["spec"].get("signerName") == SIGNER)


async def _delete(ctx: ControllerContext, name: str) -> None:
    try:
        await ctx.client.delete(CLUSTER_TRUST_BUNDLES, name)
    except StatusError as err:
        if not is_not_found(err):
            raise


def _bundle_key(bundle: Object) -> Iterable[str]:
    return (_KEY,) if _is_ours(bundle) else ()


async def _publish(ctx: ControllerContext) -> None:
    ctx.queue.add(_KEY)


def _is_wanted(config: ControllerManagerConfig) -> bool:
    return bool(config.root_ca_pem)


CONTROLLER = Controller(
    name="kube-apiserver-serving-clustertrustbundle-publisher-controller",
    identity="kube-apiserver-serving-clustertrustbundle-publisher",
    watches=(Watch(CLUSTER_TRUST_BUNDLES, keys=_bundle_key),),
    reconcile=reconcile,
    run=_publish,
    wanted=_is_wanted,
)
