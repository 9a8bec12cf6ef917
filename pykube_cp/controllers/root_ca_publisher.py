"""Puts the CA of the API server into every namespace, as the ConfigMap ``kube-root-ca.crt``."""

# upstream: pkg/controller/certificates/rootcacertpublisher/publisher.go

from collections.abc import Iterable

from pykube_cp.controllers.interface import Controller, ControllerContext, Watch
from pykube_cp.controllers.shared.errors import is_namespace_terminating
from pykube_cp.controllers.shared.kinds import CONFIG_MAPS, NAMESPACES
from pykube_cp.machinery import errors, objects
from pykube_cp.machinery.errors import StatusError
from pykube_cp.machinery.objects import Object

_NAME = "kube-root-ca.crt"
_DESCRIPTION_ANNOTATION = "kubernetes.io/description"
_DESCRIPTION = (
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal "
    "endpoints such as the internal service IP or kubernetes.default.svc. No other usage is "
    "guaranteed across distributions of Kubernetes clusters."
)


def _config_map_changed(
    _ctx: ControllerContext, old: Object | None, new: Object | None
) -> Iterable[str]:
    config_map = new if new is not None else old
    if old is None or config_map is None or objects.name(config_map) != _NAME:
        return ()
    return (objects.namespace(config_map),)


def _namespace_changed(
    _ctx: ControllerContext, old: Object | None, new: Object | None
) -> Iterable[str]:
    if new is None:
        return ()
    active = objects.nested(new, "status", "phase") == "Active"
    return (objects.name(new),) if old is None or active else ()


async def _reconcile(ctx: ControllerContext, key: str) -> None:
    data = {"ca.crt": ctx.config.root_ca_pem}
    current = ctx.lister(CONFIG_MAPS).named(_NAME, key)
    if current is None:
        await _create(ctx, key, data)
        return
    described = objects.annotations(current).get(_DESCRIPTION_ANNOTATION)
    if current.get("data") == data and described:
        return
    updated = objects.deep_copy(current)
    updated["data"] = data
    annotations = updated["metadata"].setdefault("annotations", {})
    annotations[_DESCRIPTION_ANNOTATION] = _DESCRIPTION
    await ctx.client.update(CONFIG_MAPS, updated)


async def _create(ctx: ControllerContext, namespace: str, data: dict[str, str]) -> None:
    config_map: Object = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": _NAME,
            "namespace": namespace,
            "annotations": {_DESCRIPTION_ANNOTATION: _DESCRIPTION},
        },
        "data": data,
    }
    try:
        await ctx.client.create(CONFIG_MAPS, config_map, namespace)
    except StatusError as error:
        # The namespace is going, or gone.
        if not errors.is_not_found(error) and not is_namespace_terminating(error):
            raise


CONTROLLER = Controller(
    name="root-ca-certificate-publisher-controller",
    identity="root-ca-cert-publisher",
    aliases=("root-ca-cert-publisher",),
    watches=(
        Watch(NAMESPACES, changed=_namespace_changed),
        Watch(CONFIG_MAPS, changed=_config_map_changed),
    ),
    reconcile=_reconcile,
)
