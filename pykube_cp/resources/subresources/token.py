"""TokenRequest: short-lived tokens of a service account, bound to what uses them."""
# upstream: pkg/registry/core/serviceaccount/storage/token.go TokenREST, pkg/serviceaccount/claims.go

import uuid
from typing import Any

from pykube_cp.machinery import clock, errors, names
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.gvk import GVK, GVR
from pykube_cp.machinery.objects import Object
from pykube_cp.resources.subresources.interface import Answer, Call, Page

_KIND = GVK("authentication.k8s.io", "v1", "TokenRequest")
_PODS = GVR("", "v1", "pods")
_NODES = GVR("", "v1", "nodes")
_SECRETS = GVR("", "v1", "secrets")
_WEBHOOKS = "admissionregistration.k8s.io/v1"
_GROUPS = "admissionReviewAPIGroups"
_OFF = " (feature gate APIServerWebhookAuthenticationToken is disabled)"
MINIMUM_SECONDS = 600
WARN_SECONDS = 3607
EXTENDED_SECONDS = 365 * 24 * 3600
_MAXIMUM = 1 << 32


async def create(call: Call) -> Answer:
    """Sign a token as asked."""
    assert call.body is not None
    if call.signer is None:
        raise errors.not_found(("", "serviceaccounts/token"), call.name)
    account = (await call.store.get(call.namespace, call.name)).object()
    body = call.body
    spec = body.setdefault("spec", {})
    _check_account(body.setdefault("metadata", {}), account)
    if not spec.get("audiences"):
        spec["audiences"] = list(call.signer.audiences)
    spec.setdefault("expirationSeconds", 3600)
    _validate(spec)
    bound = await _bound(call, account, spec.get("boundObjectRef"))
    now = int(clock.now())
    seconds = spec["expirationSeconds"]
    claims = _claims(account, spec["audiences"], now, now + seconds, bound)
    if seconds == WARN_SECONDS and list(call.signer.audiences) == spec["audiences"]:
        claims["exp"] = now + EXTENDED_SECONDS
        claims["kubernetes.io"]["warnafter"] = now + seconds
    body["apiVersion"], body["kind"] = _KIND.api_version, _KIND.kind
    meta = body["metadata"]
    meta.update(
        name=call.name,
        namespace=call.namespace,
        uid=account["metadata"]["uid"],
        creationTimestamp=clock.timestamp(),
    )
    body["status"] = {
        "token": "" if call.context.dry_run else call.signer.sign(claims),
        "expirationTimestamp": clock.format_time(now + seconds),
    }
    return Answer(body, 201)


def _validate(spec: Object) -> None:
    # upstream: pkg/apis/authentication/validation/validation.go ValidateTokenRequest
    path = Path("spec")
    seconds = spec.get("expirationSeconds", 3600)
    attestations, where = spec.get("attestations"), path.child("attestations")
    found = []
    if seconds < MINIMUM_SECONDS:
        detail = "may not specify a duration less than 10 minutes"
        found.append(FieldError.invalid(path.child("expirationSeconds"), seconds, detail))
    if seconds > _MAXIMUM:
        detail = "may not specify a duration larger than 2^32 seconds"
        found.append(FieldError.invalid(path.child("expirationSeconds"), seconds, detail))
    if _is_for_webhook(spec.get("boundObjectRef") or {}):
        audiences = spec["audiences"]
        if len(audiences) != 1:
            detail = "must be length 1 when bound to a webhook config"
            found.append(FieldError.invalid(path.child("audiences"), audiences, detail))
        found += _attestations(attestations, where)
    elif attestations:
        detail = "attestations may only be specified with a webhook bound object reference"
        found = [FieldError.invalid(where, attestations, detail)]
    if found:
        raise errors.invalid((_KIND.group, _KIND.kind), "", found)


def _is_for_webhook(reference: Object) -> bool:
    kinds = {"ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"}
    return reference.get("kind") in kinds and reference.get("apiVersion") == _WEBHOOKS


def _attestations(given: Object | None, path: Path) -> list[FieldError]:
    if len(given or {}) != 1:
        detail = f"webhook bound requests require exactly one {_GROUPS} attestation"
        return [FieldError.invalid(path, given or None, detail)]
    [(key, values)] = (given or {}).items()
    where = path.key(key)
    if key != _GROUPS:
        return [FieldError.not_supported(where, key, (_GROUPS,))]
    if len(values or ()) != 1:
        return [FieldError.invalid(where, values, "must specify a single value")]
    [group], where = values, where.index(0)
    if not group:
        return [FieldError.invalid(where, group, "may not be an empty string")]
    wrong = names.is_dns1123_subdomain(group) if group != "*" else []
    return [
        FieldError.invalid(where, group, f"must specify a valid API Group: {why}") for why in wrong
    ]


def _check_account(meta: Object, account: Object) -> None:
    name, given = account["metadata"]["name"], meta["name"]
    if given != name:
        detail = "must match the service account name if specified"
        found = [FieldError.invalid(Path("metadata", "name"), given, detail)]
        raise errors.invalid((_KIND.group, _KIND.kind), name, found)
    wanted, actual = meta.get("uid") or "", account["metadata"]["uid"]
    if wanted and wanted != actual:
        raise errors.conflict(
            (_KIND.group, _KIND.kind),
            name,
            f"the UID in the token request ({wanted}) does not match the UID of the service "
            f"account ({actual})",
        )


async def _bound(call: Call, account: Object, reference: Object | None) -> dict[str, Object]:
    """What the token depends on: its claims' pod, node, secret."""
    if reference is None:
        return {}
    kind, api_version = reference.get("kind"), reference.get("apiVersion")
    name = reference.get("name", "")
    if (api_version, kind) == ("v1", "Pod"):
        found = {"pod": (await call.stores(_PODS).get(call.namespace, name)).object()}
        spec = found["pod"].get("spec") or {}
        if spec.get("serviceAccountName") != account["metadata"]["name"]:
            text = "cannot bind token for serviceaccount {!r} to pod running with different "
            raise errors.bad_request(
                text.format(account["metadata"]["name"]).replace("'", '"') + "serviceaccount name."
            )
        if spec.get("nodeName"):
            cache = await call.stores(_NODES).cache()
            node = cache.get(call.stores(_NODES).key("", spec["nodeName"]))
            if node is not None:
                found["node"] = node.object()
    elif (api_version, kind) == ("v1", "Node"):
        found = {"node": (await call.stores(_NODES).get("", name)).object()}
    elif (api_version, kind) == ("v1", "Secret"):
        found = {"secret": (await call.stores(_SECRETS).get(call.namespace, name)).object()}
    else:
        gvk = GVK.of(reference)
        text = f"cannot bind token to object of type {gvk.group}/{gvk.version}, Kind={kind or ''}"
        raise errors.bad_request(text + (_OFF if _is_for_webhook(reference) else ""))
    _check_uid(reference, found[str(kind).lower()])
    return found


def _check_uid(reference: Object, obj: Object) -> None:
    wanted, actual = reference.get("uid", ""), obj["metadata"]["uid"]
    if wanted and wanted != actual:
        plural = f"{str(reference['kind']).lower()}s"
        raise errors.conflict(
            ("", plural),
            reference.get("name", ""),
            f"the UID in the bound object reference ({wanted}) does not match the UID in record. "
            f"The object might have been deleted and then recreated",
        )


def _claims(
    account: Object, audiences: list[str], now: int, expires: int, bound: dict[str, Object]
) -> dict[str, Any]:
    meta = account["metadata"]
    private: dict[str, Any] = {
        "namespace": meta["namespace"],
        "serviceaccount": {"name": meta["name"], "uid": meta["uid"]},
    }
    for kind, obj in bound.items():
        private[kind] = {"name": obj["metadata"]["name"], "uid": obj["metadata"]["uid"]}
    return {
        "aud": audiences,
        "exp": expires,
        "iat": now,
        "nbf": now,
        "jti": str(uuid.uuid4()),
        "sub": f"system:serviceaccount:{meta['namespace']}:{meta['name']}",
        "kubernetes.io": private,
    }


PAGES = (
    Page(
        resource=("", "serviceaccounts"),
        subresource="token",
        accepts=_KIND,
        verbs={"create": create},
    ),
)
