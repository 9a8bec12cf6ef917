"""Every built-in resource, in the order of discovery: the list of the pages beside it."""

from collections.abc import Mapping

from pykube_cp.machinery import schema
from pykube_cp.machinery.gvk import GroupVersion
from pykube_cp.registry.catalog import Catalog, Group
from pykube_cp.registry.enablement import Enablement
from pykube_cp.registry.resource import Resource
from pykube_cp.resources import (
    admissionregistration,
    apiextensions,
    apiregistration,
    apiserverinternal,
    apps,
    authentication,
    authorization,
    autoscaling,
    batch,
    certificates,
    coordination,
    core,
    discovery,
    events,
    flowcontrol,
    lifecycle,
    networking,
    node,
    policy,
    rbac,
    resource,
    scheduling,
    storage,
    storagemigration,
)

GROUPS: tuple[Group, ...] = (
    Group("", ("v1",)),
    Group("apiregistration.k8s.io", ("v1",)),
    Group("apps", ("v1",)),
    Group("events.k8s.io", ("v1",)),
    Group("authentication.k8s.io", ("v1",)),
    Group("authorization.k8s.io", ("v1",)),
    Group("autoscaling", ("v2", "v1")),
    Group("batch", ("v1",)),
    Group("certificates.k8s.io", ("v1", "v1beta1")),
    Group("networking.k8s.io", ("v1",)),
    Group("policy", ("v1",)),
    Group("rbac.authorization.k8s.io", ("v1",)),
    Group("storage.k8s.io", ("v1",)),
    Group("admissionregistration.k8s.io", ("v1", "v1beta1", "v1alpha1")),
    Group("apiextensions.k8s.io", ("v1",)),
    Group("scheduling.k8s.io", ("v1", "v1beta1", "v1alpha3")),
    Group("coordination.k8s.io", ("v1", "v1beta1", "v1alpha2")),
    Group("node.k8s.io", ("v1",)),
    Group("discovery.k8s.io", ("v1",)),
    Group("resource.k8s.io", ("v1", "v1beta2", "v1beta1", "v1alpha3")),
    Group("flowcontrol.apiserver.k8s.io", ("v1",)),
    Group("internal.apiserver.k8s.io", ("v1alpha1",)),
    Group("storagemigration.k8s.io", ("v1", "v1beta1")),
    Group("lifecycle.k8s.io", ("v1alpha1",)),
)
"""API groups with versions by preference; off-by-default ones included."""

RESOURCES: tuple[Resource, ...] = (
    *core.RESOURCES,
    *apiregistration.RESOURCES,
    *apps.RESOURCES,
    *events.RESOURCES,
    *authentication.RESOURCES,
    *authorization.RESOURCES,
    *autoscaling.RESOURCES,
    *batch.RESOURCES,
    *certificates.RESOURCES,
    *networking.RESOURCES,
    *policy.RESOURCES,
    *rbac.RESOURCES,
    *storage.RESOURCES,
    *admissionregistration.RESOURCES,
    *apiextensions.RESOURCES,
    *scheduling.RESOURCES,
    *coordination.RESOURCES,
    *node.RESOURCES,
    *discovery.RESOURCES,
    *resource.RESOURCES,
    *flowcontrol.RESOURCES,
    *apiserverinternal.RESOURCES,
    *storagemigration.RESOURCES,
    *lifecycle.RESOURCES,
)


def builtin(settings: Mapping[str, str] | None = None) -> Catalog:
    """A catalog of the built-in resources that ``--runtime-config`` leaves; see ``enablement``."""
    if not settings:
        return Catalog(RESOURCES, GROUPS)
    registered = {GroupVersion(kind.group, kind.version) for kind in schema.kinds()}
    return Catalog(RESOURCES, GROUPS, Enablement(settings, registered).is_served)
