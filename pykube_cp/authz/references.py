"""What pods and volumes refer to by name. Names may be empty, and may come more than once."""

from collections.abc import Iterator

from pykube_cp.machinery.objects import Object, name

_SECRET_REFS = ("cephfs", "cinder", "flexVolume", "rbd", "scaleIO", "iscsi", "storageos")
_OF_CLAIM = ("cephfs", "flexVolume", "rbd", "scaleIO", "iscsi")
"""Volumes whose secrets are in the claim's namespace unless they say otherwise."""
_KUBELET_SECRETS = ("nodePublishSecretRef", "nodeStageSecretRef", "nodeExpandSecretRef")

_API_VOLUMES = {
    "configMap": "configmaps (via configmap volumes)",
    "secret": "secrets (via secret volumes)",
    "csi": "csidrivers (via CSI volumes)",
    "glusterfs": "endpoints (via glusterFS volumes)",
    "persistentVolumeClaim": "persistentvolumeclaims",
    "ephemeral": "persistentvolumeclaims (via ephemeral volumes)",
    "azureFile": "secrets (via azureFile volumes)",
}
_API_SOURCES = {
    "configMap": "configmaps (via projected volumes)",
    "secret": "secrets (via projected volumes)",
    "serviceAccountToken": "serviceaccounts (via projected volumes)",
    "clusterTrustBundle": "clustertrustbundles",
    "podCertificate": "podcertificates",
}


def secrets(pod: Object) -> Iterator[str]:
    # upstream: pkg/api/v1/pod/util.go VisitPodSecretNames
    spec = pod["spec"]
    for reference in spec.get("imagePullSecrets") or []:
        yield reference.get("name", "")
    yield from _of_containers(spec, "secretRef", "secretKeyRef")
    for volume in spec.get("volumes") or []:
        yield (volume.get("azureFile") or {}).get("secretName", "")
        yield (volume.get("secret") or {}).get("secretName", "")
        for kind in _SECRET_REFS:
            yield ((volume.get(kind) or {}).get("secretRef") or {}).get("name", "")
        yield ((volume.get("csi") or {}).get("nodePublishSecretRef") or {}).get("name", "")
        yield from _projected(volume, "secret")


def config_maps(pod: Object) -> Iterator[str]:
    # upstream: pkg/api/v1/pod/util.go VisitPodConfigmapNames
    spec = pod["spec"]
    yield from _of_containers(spec, "configMapRef", "configMapKeyRef")
    for volume in spec.get("volumes") or []:
        yield (volume.get("configMap") or {}).get("name", "")
        yield from _projected(volume, "configMap")


def volume_claims(pod: Object) -> Iterator[str]:
    # upstream: component-helpers storage/ephemeral/ephemeral.go VolumeClaimName
    for volume in pod["spec"].get("volumes") or []:
        if claim := volume.get("persistentVolumeClaim"):
            yield claim.get("claimName", "")
        elif volume.get("ephemeral") is not None:
            yield f"{name(pod)}-{volume['name']}"


def resource_claims(pod: Object) -> Iterator[str]:
    """Those that are there already: named, or made for the pod."""
    # upstream: dynamic-resource-allocation resourceclaim/pod.go PodClaims, claim.go Name
    status = pod.get("status") or {}
    made = {
        each.get("name"): each.get("resourceClaimName")
        for each in status.get("resourceClaimStatuses") or []
    }
    for claim in pod["spec"].get("resourceClaims") or []:
        yield claim.get("resourceClaimName") or made.get(claim.get("name")) or ""
    yield (status.get("extendedResourceClaimStatus") or {}).get("resourceClaimName", "")


def of_mirror(pod: Object) -> tuple[str, str]:
    """The first API object that a pod refers to: an error about it, or how upstream calls it."""
    # upstream: pkg/api/pod/util.go HasAPIObjectReference
    spec = pod["spec"]
    if spec.get("serviceAccountName"):
        return "", "serviceaccounts"
    if any(secrets(pod)):
        return "", "secrets"
    if any(config_maps(pod)):
        return "", "configmaps"
    if spec.get("resourceClaims"):
        return "", "resourceclaims"
    for volume in spec.get("volumes") or []:
        for field, what in _API_VOLUMES.items():
            if volume.get(field) is not None:
                return "", what
        for source in (volume.get("projected") or {}).get("sources") or []:
            found = _of_source(source)
            if found is None:
                return f'unknown source for projected volume "{volume["name"]}"', ""
            if found:
                return "", found
    return "", ""


def _of_source(source: Object) -> str | None:
    for field, what in _API_SOURCES.items():
        if source.get(field) is not None:
            return what
    return "" if source.get("downwardAPI") is not None else None


def volume_secrets(volume: Object) -> Iterator[tuple[str, str]]:
    """Namespace and name of the secrets with which kubelets mount a volume."""
    # upstream: pkg/api/v1/persistentvolume/util.go VisitPVSecretNames
    spec = volume["spec"]
    where = (spec.get("claimRef") or {}).get("namespace", "")
    if file := spec.get("azureFile"):
        yield file.get("secretNamespace") or where, file.get("secretName", "")
    for kind in _SECRET_REFS:
        if reference := (spec.get(kind) or {}).get("secretRef"):
            fallback = where if kind in _OF_CLAIM else ""
            yield reference.get("namespace") or fallback, reference.get("name", "")
    for field in _KUBELET_SECRETS:
        if reference := (spec.get("csi") or {}).get(field):
            yield reference.get("namespace", ""), reference.get("name", "")


def _of_containers(spec: Object, source: str, key: str) -> Iterator[str]:
    for field in ("containers", "initContainers", "ephemeralContainers"):
        for container in spec.get(field) or []:
            for each in container.get("envFrom") or []:
                yield (each.get(source) or {}).get("name", "")
            for each in container.get("env") or []:
                yield ((each.get("valueFrom") or {}).get(key) or {}).get("name", "")


def _projected(volume: Object, kind: str) -> Iterator[str]:
    for part in (volume.get("projected") or {}).get("sources") or []:
        yield (part.get(kind) or {}).get("name", "")
