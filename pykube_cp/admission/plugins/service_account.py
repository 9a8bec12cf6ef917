"""Every pod runs as a service account, with a token mounted unless it says no."""
# upstream: plugin/pkg/admission/serviceaccount/admission.go

import asyncio
from collections.abc import Iterator

from pykube_cp.admission.base import PODS, BasePlugin, check_asked_name, forbidden
from pykube_cp.admission.interface import Attributes, Operation
from pykube_cp.authz import references
from pykube_cp.machinery import errors, names
from pykube_cp.machinery.gvk import GVR
from pykube_cp.machinery.objects import Object

_ACCOUNTS = GVR("", "v1", "serviceaccounts")
_MIRROR = "kubernetes.io/config.mirror"
_ENFORCE = "kubernetes.io/enforce-mountable-secrets"
_MOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
_VOLUME = "kube-api-access-"
_CONTAINERS = {
    "containers": "container",
    "initContainers": "init container",
    "ephemeralContainers": "ephemeral container",
}
_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_SECONDS = 60 * 60 + 7
_TRIES = 10


class ServiceAccount(BasePlugin):
    """Fills in account, pull secrets and token volume."""

    name = "ServiceAccount"
    operations = frozenset({Operation.CREATE, Operation.UPDATE})
    resources = PODS

    async def admit(self, attributes: Attributes) -> None:
        pod = attributes.object
        if pod is None or attributes.subresource or attributes.operation is not Operation.CREATE:
            return
        spec = pod["spec"]
        if _MIRROR in (pod["metadata"].get("annotations") or {}):
            # Kubelets do not know a mirror pod again that was changed.
            _validate_mirror(attributes, pod)
            return
        if not spec.get("serviceAccountName"):
            spec["serviceAccountName"] = spec["serviceAccount"] = "default"
        account = await self._account(attributes, spec["serviceAccountName"])
        spec.setdefault("serviceAccount", spec["serviceAccountName"])
        if _should_mount(account, spec):
            _mount_token(spec)
        if not spec.get("imagePullSecrets") and account.get("imagePullSecrets"):
            spec["imagePullSecrets"] = [dict(each) for each in account["imagePullSecrets"]]
        await self.validate(attributes)

    async def validate(self, attributes: Attributes) -> None:
        pod = attributes.object
        if pod is None or not _is_judged(attributes):
            return
        is_new = attributes.operation is Operation.CREATE
        if is_new and _MIRROR in (pod["metadata"].get("annotations") or {}):
            _validate_mirror(attributes, pod)
            return
        account = await self._account(attributes, pod["spec"].get("serviceAccountName", ""))
        if (account["metadata"].get("annotations") or {}).get(_ENFORCE) in _TRUE:
            if is_new and (text := next(_unlisted(account, pod["spec"]), "")):
                raise forbidden(attributes, text)
            if text := next(_unlisted_in(pod["spec"], "ephemeralContainers", account), ""):
                raise errors.StatusError(500, "", text)

    async def _account(self, attributes: Attributes, name: str) -> Object:
        """The account; a new namespace's default account gets a moment to appear."""
        for attempt in range(_TRIES):
            try:
                check_asked_name(name)
                return await self.services.client.get(_ACCOUNTS, name, attributes.namespace)
            except errors.StatusError as error:
                if not errors.is_not_found(error):
                    text = f"error looking up service account {attributes.namespace}/{name}"
                    raise forbidden(attributes, f"{text}: {error}") from None
                if name != "default" or attempt == _TRIES - 1:
                    break
                await asyncio.sleep(0.1)
        text = (
            f"error looking up service account {attributes.namespace}/{name}: "
            f'serviceaccount "{name}" not found'
        )
        raise forbidden(attributes, text)


def _should_mount(account: Object, spec: Object) -> bool:
    if (chosen := spec.get("automountServiceAccountToken")) is not None:
        return bool(chosen)
    return bool(account.get("automountServiceAccountToken", True))


def _mount_token(spec: Object) -> None:
    """Mount the token where a container has nothing at its path."""
    name = ""
    for volume in spec.get("volumes") or []:
        if volume["name"].startswith(_VOLUME):
            name = volume["name"]
            break
    wanted = False
    fresh = name or names.generate_name(_VOLUME)
    for field in ("initContainers", "containers"):
        for container in spec.get(field) or []:
            mounts = container.get("volumeMounts") or []
            if any(mount["mountPath"] == _MOUNT for mount in mounts):
                continue
            container["volumeMounts"] = [
                *mounts,
                {"name": fresh, "readOnly": True, "mountPath": _MOUNT},
            ]
            wanted = True
    if wanted and not name:
        spec["volumes"] = [*(spec.get("volumes") or []), _token_volume(fresh)]


def _token_volume(name: str) -> Object:
    field = {"apiVersion": "v1", "fieldPath": "metadata.namespace"}
    return {
        "name": name,
        "projected": {
            "defaultMode": 0o644,
            "sources": [
                {"serviceAccountToken": {"expirationSeconds": _SECONDS, "path": "token"}},
                {
                    "configMap": {
                        "name": "kube-root-ca.crt",
                        "items": [{"key": "ca.crt", "path": "ca.crt"}],
                    }
                },
                {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": field}]}},
            ],
        },
    }


def _is_judged(attributes: Attributes) -> bool:
    if attributes.operation is Operation.CREATE:
        return not attributes.subresource
    return attributes.subresource == "ephemeralcontainers"


def _unlisted(account: Object, spec: Object) -> Iterator[str]:
    """What is wrong with the secrets of a pod whose account says which it may have."""
    # upstream: plugin/pkg/admission/serviceaccount/admission.go limitSecretReferences
    allowed, because = _named(account, "secrets"), _because(account)
    for volume in spec.get("volumes") or []:
        source = volume.get("secret")
        name = (source or {}).get("secretName", "")
        if source is not None and name not in allowed:
            yield f'volume with secret.secretName="{name}" {because} secret'
    yield from _unlisted_in(spec, "initContainers", account)
    yield from _unlisted_in(spec, "containers", account)
    pulling = _named(account, "imagePullSecrets")
    for position, reference in enumerate(spec.get("imagePullSecrets") or []):
        name = reference.get("name", "")
        if name not in pulling:
            yield f'imagePullSecrets[{position}].name="{name}" {because} imagePullSecret'


def _unlisted_in(spec: Object, field: str, account: Object) -> Iterator[str]:
    allowed, because = _named(account, "secrets"), _because(account)
    for container in spec.get(field) or []:
        who = f"{_CONTAINERS[field]} {container['name']}"
        found = [
            (f"envVar {each['name']}", (each.get("valueFrom") or {}).get("secretKeyRef"))
            for each in container.get("env") or []
        ]
        found += [("envFrom", each.get("secretRef")) for each in container.get("envFrom") or []]
        for what, reference in found:
            name = (reference or {}).get("name", "")
            if reference is not None and name not in allowed:
                yield f'{who} with {what} referencing secret.secretName="{name}" {because} secret'


def _because(account: Object) -> str:
    name = account["metadata"]["name"]
    return f"is not allowed because service account {name} does not reference that"


def _named(account: Object, field: str) -> set[str]:
    return {each.get("name", "") for each in account.get(field) or []}


def _validate_mirror(attributes: Attributes, pod: Object) -> None:
    if pod["spec"].get("serviceAccountName"):
        raise forbidden(attributes, "a mirror pod may not reference service accounts")
    if any(references.secrets(pod)):
        raise forbidden(attributes, "a mirror pod may not reference secrets")
    for volume in pod["spec"].get("volumes") or []:
        for source in (volume.get("projected") or {}).get("sources") or []:
            if source.get("serviceAccountToken") is not None:
                text = "a mirror pod may not use ServiceAccountToken volume projections"
                raise forbidden(attributes, text)
