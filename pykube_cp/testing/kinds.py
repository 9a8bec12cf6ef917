"""The kinds that ``FakeClient`` knows: enough to find the resource of an object and to discover."""

from typing import NamedTuple

from pykube_cp.machinery.gvk import GVK, GVR


class Known(NamedTuple):
    """One resource in one version."""

    gvr: GVR
    kind: str
    namespaced: bool


def _group(group_version: str, rows: str) -> list[Known]:
    """Rows are ``Kind:plural``, with ``!`` behind what has no namespace."""
    group, _, version = group_version.rpartition("/")
    known = []
    for row in rows.split():
        kind, _, plural = row.partition(":")
        gvr = GVR(group, version, plural.rstrip("!"))
        known.append(Known(gvr, kind, not plural.endswith("!")))
    return known


KNOWN: tuple[Known, ...] = (
    *_group(
        "v1",
        "Pod:pods Node:nodes! Namespace:namespaces! Service:services Endpoints:endpoints "
        "ConfigMap:configmaps Secret:secrets Event:events ServiceAccount:serviceaccounts "
        "ReplicationController:replicationcontrollers ResourceQuota:resourcequotas "
        "LimitRange:limitranges PodTemplate:podtemplates "
        "PersistentVolume:persistentvolumes! PersistentVolumeClaim:persistentvolumeclaims",
    ),
    *_group(
        "apps/v1",
        "Deployment:deployments ReplicaSet:replicasets StatefulSet:statefulsets "
        "DaemonSet:daemonsets ControllerRevision:controllerrevisions",
    ),
    *_group("batch/v1", "Job:jobs CronJob:cronjobs"),
    *_group("autoscaling/v2", "HorizontalPodAutoscaler:horizontalpodautoscalers"),
    *_group("policy/v1", "PodDisruptionBudget:poddisruptionbudgets"),
    *_group("coordination.k8s.io/v1", "Lease:leases"),
    *_group("discovery.k8s.io/v1", "EndpointSlice:endpointslices"),
    *_group(
        "networking.k8s.io/v1",
        "Ingress:ingresses IngressClass:ingressclasses! NetworkPolicy:networkpolicies "
        "IPAddress:ipaddresses! ServiceCIDR:servicecidrs!",
    ),
    *_group(
        "rbac.authorization.k8s.io/v1",
        "Role:roles RoleBinding:rolebindings ClusterRole:clusterroles! "
        "ClusterRoleBinding:clusterrolebindings!",
    ),
    *_group("certificates.k8s.io/v1", "CertificateSigningRequest:certificatesigningrequests!"),
    *_group(
        "certificates.k8s.io/v1beta1",
        "ClusterTrustBundle:clustertrustbundles! PodCertificateRequest:podcertificaterequests",
    ),
    *_group("scheduling.k8s.io/v1", "PriorityClass:priorityclasses!"),
    *_group("node.k8s.io/v1", "RuntimeClass:runtimeclasses!"),
    *_group(
        "storage.k8s.io/v1",
        "StorageClass:storageclasses! CSIDriver:csidrivers! CSINode:csinodes! "
        "CSIStorageCapacity:csistoragecapacities VolumeAttachment:volumeattachments! "
        "VolumeAttributesClass:volumeattributesclasses!",
    ),
    *_group(
        "resource.k8s.io/v1",
        "ResourceClaim:resourceclaims ResourceClaimTemplate:resourceclaimtemplates "
        "ResourceSlice:resourceslices! DeviceClass:deviceclasses!",
    ),
    *_group(
        "admissionregistration.k8s.io/v1",
        "ValidatingAdmissionPolicy:validatingadmissionpolicies! "
        "ValidatingAdmissionPolicyBinding:validatingadmissionpolicybindings! "
        "ValidatingWebhookConfiguration:validatingwebhookconfigurations! "
        "MutatingWebhookConfiguration:mutatingwebhookconfigurations!",
    ),
    *_group("apiextensions.k8s.io/v1", "CustomResourceDefinition:customresourcedefinitions!"),
    *_group("apiregistration.k8s.io/v1", "APIService:apiservices!"),
)

_BY_KIND = {GVK(known.gvr.group, known.gvr.version, known.kind): known.gvr for known in KNOWN}


def resource_of(obj: dict[str, object]) -> GVR:
    """The resource of an object by its ``apiVersion`` and ``kind``, guessed for unknown kinds."""
    gvk = GVK.of(obj)
    found = _BY_KIND.get(gvk)
    return found if found is not None else GVR(gvk.group, gvk.version, f"{gvk.kind.lower()}s")


def discovery_document(resources: tuple[Known, ...], *, core: bool) -> dict[str, object]:
    """``APIGroupDiscoveryList`` as ``/api`` (``core``) or ``/apis`` answer it."""
    groups: dict[str, dict[str, list[dict[str, object]]]] = {}
    for known in resources:
        if (known.gvr.group == "") == core:
            versions = groups.setdefault(known.gvr.group, {})
            versions.setdefault(known.gvr.version, []).append(_discovered(known))
    items = [_discovered_group(group, versions) for group, versions in groups.items()]
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {},
        "items": items,
    }


def _discovered_group(
    group: str, versions: dict[str, list[dict[str, object]]]
) -> dict[str, object]:
    return {
        "metadata": {"name": group} if group else {},
        "versions": [
            {"version": version, "freshness": "Current", "resources": resources}
            for version, resources in versions.items()
        ],
    }


def _discovered(known: Known) -> dict[str, object]:
    gvr = known.gvr
    return {
        "resource": gvr.resource,
        "responseKind": {"group": gvr.group, "version": gvr.version, "kind": known.kind},
        "scope": "Namespaced" if known.namespaced else "Cluster",
        "singularResource": known.kind.lower(),
        "verbs": [
            "create",
            "delete",
            "deletecollection",
            "get",
            "list",
            "patch",
            "update",
            "watch",
        ],
    }
