"""What nodes ask for their pods: tokens of service accounts, certificates, mirror pods."""
# upstream: plugin/pkg/admission/noderestriction/admission.go

from pykube_cp.admission.base import forbidden
from pykube_cp.admission.interface import Attributes, Services
from pykube_cp.authz.interface import Attributes as Question
from pykube_cp.authz.interface import Decision
from pykube_cp.machinery import errors
from pykube_cp.machinery.field_errors import aggregate_texts
from pykube_cp.machinery.go_text import quote
from pykube_cp.machinery.gvk import GVR
from pykube_cp.machinery.objects import Object, annotations, name, nested

_MIRROR = "kubernetes.io/config.mirror"
_KINDS = {
    "pods": (GVR("", "v1", "pods"), "pod"),
    "nodes": (GVR("", "v1", "nodes"), "node"),
    "serviceaccounts": (GVR("", "v1", "serviceaccounts"), "serviceaccount"),
    "persistentvolumeclaims": (
        GVR("", "v1", "persistentvolumeclaims"),
        "persistentvolumeclaim",
    ),
    "persistentvolumes": (GVR("", "v1", "persistentvolumes"), "persistentvolume"),
    "csidrivers": (GVR("storage.k8s.io", "v1", "csidrivers"), "csidriver"),
}
"""What is looked up, and its singular, as upstream's listers call what they do not find."""
_CLUSTERWIDE = frozenset({"nodes", "persistentvolumes", "csidrivers"})
_MIGRATED = {
    "awsElasticBlockStore": "ebs.csi.aws.com",
    "azureDisk": "disk.csi.azure.com",
    "azureFile": "file.csi.azure.com",
    "cinder": "cinder.csi.openstack.org",
    "gcePersistentDisk": "pd.csi.storage.gke.io",
    "portworxVolume": "pxd.portworx.com",
    "vsphereVolume": "csi.vsphere.vmware.com",
}
"""Drivers that stand for volumes in the tree: csi-translation-lib."""


class NodeRequests:
    """The checks of one request of one node."""

    def __init__(self, services: Services, attributes: Attributes, node: str) -> None:
        self._services = services
        self._attributes = attributes
        self._node = node

    async def find(self, resource: str, wanted: str) -> Object:
        """An object, in the request's namespace if it has one; ``StatusError`` as of a lister."""
        gvr, singular = _KINDS[resource]
        where = "" if resource in _CLUSTERWIDE else self._attributes.namespace
        try:
            return await self._services.client.get(gvr, wanted, where)
        except errors.StatusError as error:
            if not errors.is_not_found(error):
                raise
            raise errors.not_found((gvr.group, singular), wanted) from error

    async def token(self) -> None:
        """A token is bound to a pod of the node, and for an audience that the pod needs."""
        reference = nested(self._attributes.object or {}, "spec", "boundObjectRef") or {}
        wanted = reference.get("name")
        if (reference.get("apiVersion"), reference.get("kind")) != ("v1", "Pod") or not wanted:
            raise self._forbidden("node requested token not bound to a pod")
        uid = reference.get("uid")
        if not uid:
            raise self._forbidden("node requested token with a pod binding without a uid")
        pod = await self.find("pods", wanted)
        if uid != pod["metadata"]["uid"]:
            text = (
                f"the UID in the bound object reference ({uid}) does not match the UID in record. "
                "The object might have been deleted and then recreated"
            )
            raise self._forbidden(text)
        if pod["spec"].get("nodeName") != self._node:
            text = "node requested token bound to a pod scheduled on a different node"
            raise self._forbidden(text)
        await self._audience(pod)

    async def _audience(self, pod: Object) -> None:
        # upstream: validateNodeServiceAccountAudience
        audiences = nested(self._attributes.object or {}, "spec", "audiences") or [""]
        if len(audiences) > 1:
            raise self._forbidden("node may only request 0 or 1 audiences")
        audience, failures = audiences[0], []
        for volume in pod["spec"].get("volumes") or []:
            try:
                if await self._uses(pod, volume, audience):
                    return
            except errors.StatusError as error:
                failures.append(error.message)
        if failures:
            text = f"error validating audience {quote(audience)}: {aggregate_texts(failures)}"
            raise self._forbidden(text)
        what = ("request-serviceaccounts-token-audience", audience, self._attributes.name)
        if not await self._may(*what):
            user = self._attributes.user.name
            text = f"{user} is not authorized to request tokens for audience {quote(audience)}"
            raise self._forbidden(text)

    async def _uses(self, pod: Object, volume: Object, audience: str) -> bool:
        for source in nested(volume, "projected", "sources") or []:
            token = source.get("serviceAccountToken")
            if token is not None and (token.get("audience") or "") == audience:
                return True
        driver = await self._driver(pod, volume)
        if not driver:
            return False
        requests = (await self.find("csidrivers", driver))["spec"].get("tokenRequests") or []
        return any((each.get("audience") or "") == audience for each in requests)

    async def _driver(self, pod: Object, volume: Object) -> str:
        if nested(volume, "ephemeral", "volumeClaimTemplate") is not None:
            return await self._driver_of_claim(f"{name(pod)}-{volume['name']}")
        if (claim := volume.get("persistentVolumeClaim")) is not None:
            return await self._driver_of_claim(claim.get("claimName") or "")
        return _driver_of(volume)

    async def _driver_of_claim(self, claim: str) -> str:
        found = await self.find("persistentvolumeclaims", claim)
        volume = await self.find("persistentvolumes", found["spec"].get("volumeName") or "")
        return _driver_of(volume["spec"])

    async def pod_certificate(self) -> None:
        """A request names this node, one of its pods with its account, and a signer it mounts."""
        spec = (self._attributes.object or {}).get("spec") or {}
        wanted = quote(f"{self._attributes.namespace}/{spec.get('podName', '')}")
        given = spec.get("nodeName") or ""
        if given != self._node:
            text = (
                f"PodCertificateRequest.Spec.NodeName={quote(given)}, which is not the requesting "
                f"node {quote(self._node)}"
            )
            raise self._forbidden(text)
        what = f"PodCertificateRequest for pod {wanted}"
        node = await self._named("nodes", given, f"node {quote(given)}")
        if wrong := _other_uid(spec.get("nodeUID"), node):
            text = f"names node UID {wrong[0]}, inconsistent with the running node ({wrong[1]})"
            raise errors.StatusError(500, "", f"{what} {text}")
        pod = await self._named("pods", spec.get("podName") or "", f"pod {wanted}")
        if wrong := _other_uid(spec.get("podUID"), pod):
            text = f"contains pod UID ({wrong[0]}) which differs from running pod {wrong[1]}"
            raise errors.StatusError(500, "", f"{what} {text}")
        self._check_pod(spec, pod, wanted)
        account = spec.get("serviceAccountName") or ""
        shown = quote(f"{self._attributes.namespace}/{account}")
        found = await self._named("serviceaccounts", account, f"service account {shown}")
        if wrong := _other_uid(spec.get("serviceAccountUID"), found):
            text = (
                f"names service account UID {wrong[0]}, which differs from the running service "
                f"account ({wrong[1]})"
            )
            raise errors.StatusError(500, "", f"{what} {text}")
        await self._signer(spec, pod, wanted)

    def _check_pod(self, spec: Object, pod: Object, wanted: str) -> None:
        if pod["spec"].get("nodeName") != self._node:
            text = f"is not running on node {quote(self._node)} named in the PodCertificateRequest"
            raise self._forbidden(f"pod {wanted} {text}")
        if _MIRROR in annotations(pod):
            raise self._forbidden(f"pod {wanted} is a mirror pod")
        given, own = (
            spec.get("serviceAccountName") or "",
            pod["spec"].get("serviceAccountName") or "",
        )
        if given != own:
            text = (
                f"PodCertificateRequest for pod {wanted} contains serviceAccountName ({quote(given)}) "
                f"that differs from running pod ({quote(own)})"
            )
            raise self._forbidden(text)

    async def _signer(self, spec: Object, pod: Object, wanted: str) -> None:
        signer = spec.get("signerName") or ""
        for volume in pod["spec"].get("volumes") or []:
            for source in nested(volume, "projected", "sources") or []:
                if nested(source, "podCertificate", "signerName") == signer:
                    return
        # RBAC has no names with slashes; bundles of a signer are named likewise.
        munged = signer.replace("/", ":")
        account = spec.get("serviceAccountName") or ""
        if not await self._may("request-serviceaccounts-podcertificate-signer", munged, account):
            text = f"does not mount a podCertificate projected volume for signer {quote(signer)}"
            raise self._forbidden(f"pod {wanted} {text}")

    async def _named(self, resource: str, wanted: str, what: str) -> Object:
        """An object that a certificate request names; it may only not have arrived yet: no 403."""
        try:
            return await self.find(resource, wanted)
        except errors.StatusError as error:
            text = f"while retrieving {what} named in the PodCertificateRequest: {error.message}"
            raise errors.StatusError(500, "", text) from error

    async def _may(self, verb: str, resource: str, wanted: str) -> bool:
        attributes, authorizer = self._attributes, self._services.authorizer
        if authorizer is None:
            return False
        decision, _ = await authorizer.authorize(
            Question(
                user=attributes.user,
                verb=verb,
                group=attributes.resource.group,
                version=attributes.resource.version,
                resource=resource,
                namespace=attributes.namespace,
                name=wanted,
            )
        )
        return decision is Decision.ALLOW

    def _forbidden(self, text: str) -> errors.StatusError:
        return forbidden(self._attributes, text)


def owner_of(pod: Object, node: str) -> str:
    """What is wrong with a mirror pod's owner, which is its node; empty when nothing is."""
    owners = pod["metadata"].get("ownerReferences") or []
    if len(owners) > 1:
        return "can only create pods with a single owner reference set to itself"
    owner = owners[0] if owners else {}
    given = (owner.get("apiVersion"), owner.get("kind"), owner.get("name"))
    if given != ("v1", "Node", node):
        return "can only create pods with an owner reference set to itself"
    if not owner.get("controller"):
        return "can only create pods with a controller owner reference set to itself"
    if owner.get("blockOwnerDeletion"):
        return "must not set blockOwnerDeletion on an owner reference"
    return ""


def _driver_of(volume: Object) -> str:
    if (csi := volume.get("csi")) is not None:
        driver: str = csi.get("driver") or ""
        return driver
    return next((driver for field, driver in _MIGRATED.items() if volume.get(field)), "")


def _other_uid(given: str | None, obj: Object) -> tuple[str, str] | None:
    """Both UIDs when they differ. Caches may lag behind, so that is no refusal for good."""
    uid: str = obj["metadata"]["uid"]
    return None if given == uid else (quote(given or ""), quote(uid))
