"""TokenRequest: short-lived tokens of a service account, bound to what uses them."""
# upstream: pkg/registry/core/serviceaccount/storage/token.go TokenREST, pkg/serviceaccount/claims.go

import uuid
from typing import Any

from pykube_cp.machinery import clock, errors, names
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.go_text import quote
from pykube_cp.machinery.gvk import GVK, GVR, GroupVersion
from pykube_cp.machinery.objects import Object
from pykube_cp.resources.shared import checks
from pykube_cp.resources.subresources.interface import Answer, Call, Page

_KIND = GVK("authentication.k8s.io", "v1", "TokenRequest")
_BOUND = {
    "Pod": GVR("", "v1", "pods"),
    "Node": GVR("", "v1", "nodes"),
    "Secret": GVR("", "v1", "secrets"),
}
_WEBHOOKS = "admissionregistration.k8s.io/v1"
_GROUPS = "admissionReviewAPIGroups"
_OFF = " (feature gate APIServerWebhookAuthenticationToken is disabled)"
WARN_SECONDS = 3607
EXTENDED_SECONDS = 365 * 24 * 3600


async def create(call: Call) -> Answer:
    """Sign a token as asked."""
    assert call.body is not None
    if call.signer is None:
        raise errors.not_found(("", "serviceaccounts/token"), call.name)
    body, name = call.body, call.name
    meta, spec = body["metadata"], body["spec"]
    if meta.get("name", "") not in {"", name}:
        text = "must match the service account name if specified"
        raise _invalid(name, [FieldError.invalid(Path("metadata.name"), meta["name"], text)])
    account = (await call.store.get(call.namespace, name)).object()
    _check_account(account, meta.get("uid", ""))
    if not spec.get("audiences"):
        spec["audiences"] = list(call.signer.audiences)
    known = account["metadata"]
    meta.update(name=name, namespace=call.namespace, uid=known["uid"])
    meta["creationTimestamp"] = clock.timestamp()
    if found := _errors(spec):
        raise _invalid("", found)
    await call.validate(body)
    bound = await _bound(call, spec.get("boundObjectRef"))
    now, seconds = int(clock.now()), spec["expirationSeconds"]
    claims = _claims(account, spec["audiences"], now, now + seconds, bound)
    is_ours = set(spec["audiences"]) <= set(call.signer.audiences)
    if seconds == WARN_SECONDS and "pod" in bound and is_ours:
        claims["exp"] = now + EXTENDED_SECONDS
        claims["kubernetes.io"]["warnafter"] = now + seconds
    body["status"] = {
        "token": call.signer.sign(claims),
        "expirationTimestamp": clock.format_time(now + seconds),
    }
    return Answer(body, 201)


def _check_account(account: Object, asked: str) -> None:
    meta = account["metadata"]
    if asked and asked != meta["uid"]:
        text = (
            f"the UID in the token request ({asked}) does not match the UID of the service account "
            f"({meta['uid']})"
        )
        raise errors.conflict((_KIND.group, _KIND.kind), meta["name"], text)


def _invalid(name: str, found: list[FieldError]) -> errors.StatusError:
    return errors.invalid((_KIND.group, _KIND.kind), name, found)


def _errors(spec: Object) -> list[FieldError]:
    # upstream: pkg/apis/authentication/validation/validation.go ValidateTokenRequest
    seconds, path = spec["expirationSeconds"], Path("spec")
    found = checks.token_lifetime(seconds, path.child("expirationSeconds"))
    attestations, where = spec.get("attestations"), path.child("attestations")
    if _is_for_webhook(spec.get("boundObjectRef") or {}):
        audiences = spec["audiences"]
        if len(audiences) != 1:
            detail = "must be length 1 when bound to a webhook config"
            found.append(FieldError.invalid(path.child("audiences"), audiences, detail))
        found += _attestations(attestations, where)
    elif attestations:
        detail = "attestations may only be specified with a webhook bound object reference"
        found = [FieldError.invalid(where, attestations, detail)]
    return found


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


async def _bound(call: Call, reference: Object | None) -> dict[str, Object]:
    """What the token depends on: its claims' pod, node, secret."""
    if reference is None:
        return {}
    group, version = _group_version(reference.get("apiVersion", ""))
    kind, name = reference.get("kind", ""), reference.get("name", "")
    if group or kind not in _BOUND:
        text = f"cannot bind token to object of type {group}/{version}, Kind={kind}"
        raise errors.bad_request(text + (_OFF if _is_for_webhook(reference) else ""))
    where = "" if kind == "Node" else call.namespace
    obj = (await call.stores(_BOUND[kind]).get(where, name)).object()
    found = {kind.lower(): obj}
    if kind == "Pod":
        found |= await _node_of(call, obj)
    wanted = reference.get("uid", "")
    if wanted and wanted != obj["metadata"]["uid"]:
        text = (
            f"the UID in the bound object reference ({wanted}) does not match the UID in record. "
            "The object might have been deleted and then recreated"
        )
        raise errors.conflict((group, kind), name, text)
    return found


def _group_version(api_version: str) -> tuple[str, str]:
    try:
        parsed = GroupVersion.parse(api_version)
    except ValueError:
        return "", ""
    return parsed.group, parsed.version


async def _node_of(call: Call, pod: Object) -> dict[str, Object]:
    spec = pod.get("spec") or {}
    if spec.get("serviceAccountName") != call.name:
        raise errors.bad_request(
            f"cannot bind token for serviceaccount {quote(call.name)} to pod running with different "
            "serviceaccount name."
        )
    name = spec.get("nodeName")
    if not name:
        return {}
    nodes = call.stores(_BOUND["Node"])
    entry = (await nodes.cache()).get(nodes.key("", name))
    # A node that is gone is still named: it says where the pod was.
    return {"node": entry.object() if entry is not None else {"metadata": {"name": name}}}


def _claims(
    account: Object, audiences: list[str], now: int, expires: int, bound: dict[str, Object]
) -> dict[str, Any]:
    meta = account["metadata"]
    private: dict[str, Any] = {
        "namespace": meta["namespace"],
        "serviceaccount": {"name": meta["name"], "uid": meta["uid"]},
    }
    for kind, obj in bound.items():
        known = obj["metadata"]
        private[kind] = {key: known[key] for key in ("name", "uid") if key in known}
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
        keeps_system_fields=True,
    ),
)
