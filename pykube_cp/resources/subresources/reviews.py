"""Review kinds: questions about access and identity, answered at once and never stored."""
# upstream: pkg/registry/authorization, pkg/registry/authentication

from typing import Any

from pykube_cp.authn.interface import AuthenticationError, Credentials
from pykube_cp.authz.interface import Attributes, Decision
from pykube_cp.machinery import errors
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.gvk import GVK
from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.user import UserInfo
from pykube_cp.resources.subresources.interface import Answer, Call, Page

_AUTHORIZATION, _AUTHENTICATION = "authorization.k8s.io", "authentication.k8s.io"


async def subject_access_review(call: Call) -> Answer:
    """May that user do this?"""
    spec = _spec(call)
    _check_attributes(call, spec)
    if not spec.get("user") and not spec.get("groups"):
        raise _invalid(call, "user", "at least one of user or group must be specified")
    extra = {key: tuple(values) for key, values in (spec.get("extra") or {}).items()}
    user = UserInfo(
        spec.get("user", ""), spec.get("uid", ""), tuple(spec.get("groups") or ()), extra
    )
    return await _review(call, user, spec)


async def local_subject_access_review(call: Call) -> Answer:
    """The same for one namespace."""
    spec = _spec(call)
    attributes = spec.get("resourceAttributes")
    if attributes is None:
        raise _invalid(call, "resourceAttributes", "must be specified")
    if attributes.get("namespace", "") != call.namespace:
        detail = f"spec.resourceAttributes.namespace must match namespace: {call.namespace}"
        raise errors.bad_request(detail)
    return await subject_access_review(call)


async def self_subject_access_review(call: Call) -> Answer:
    """May I do this?"""
    spec = _spec(call)
    _check_attributes(call, spec)
    return await _review(call, call.user, spec)


async def self_subject_rules_review(call: Call) -> Answer:
    """What may I do in this namespace?"""
    spec = _spec(call)
    namespace = spec.get("namespace", "")
    if not namespace:
        raise errors.bad_request("no namespace on request")
    rules = await call.authorizer.rules_for(call.user, namespace)
    status: Object = {
        "resourceRules": rules.resource_rules,
        "nonResourceRules": rules.non_resource_rules,
        "incomplete": rules.incomplete,
    }
    if rules.error:
        status["evaluationError"] = rules.error
    return _answer(call, status)


async def self_subject_review(call: Call) -> Answer:
    """Who am I?"""
    return _answer(call, {"userInfo": _user_info(call.user)})


async def token_review(call: Call) -> Answer:
    """Whose token is this?"""
    spec = _spec(call)
    token = spec.get("token", "")
    if not token:
        raise errors.bad_request("token is required for TokenReview in authentication")
    wanted = tuple(spec.get("audiences") or ())
    credentials = Credentials({"authorization": f"Bearer {token}"})
    try:
        identity = await call.extra["authenticate_token"](credentials, wanted)
    except (AuthenticationError, errors.StatusError) as error:
        return _answer(call, {"user": {}, "error": str(error)})
    if identity is None:
        return _answer(call, {"user": {}})
    status: Object = {"authenticated": True, "user": _user_info(identity.user)}
    audiences = [each for each in wanted if each in identity.audiences] or (
        list(identity.audiences) if not wanted else []
    )
    if audiences:
        status["audiences"] = audiences
    return _answer(call, status)


async def _review(call: Call, user: UserInfo, spec: Object) -> Answer:
    decision, reason = await call.authorizer.authorize(_attributes(user, spec))
    status: Object = {"allowed": decision is Decision.ALLOW}
    if decision is Decision.DENY:
        status["denied"] = True
    if reason:
        status["reason"] = reason
    return _answer(call, status)


def _attributes(user: UserInfo, spec: Object) -> Attributes:
    resource: dict[str, Any] | None = spec.get("resourceAttributes")
    if resource is None:
        path = spec.get("nonResourceAttributes") or {}
        verb = path.get("verb", "")
        return Attributes(user=user, verb=verb, path=path.get("path", ""), is_resource=False)
    return Attributes(
        user=user,
        verb=resource.get("verb", ""),
        group=resource.get("group", ""),
        version=resource.get("version", "") or "*",
        resource=resource.get("resource", ""),
        subresource=resource.get("subresource", ""),
        namespace=resource.get("namespace", ""),
        name=resource.get("name", ""),
    )


def _check_attributes(call: Call, spec: Object) -> None:
    both = ("resourceAttributes" in spec, "nonResourceAttributes" in spec)
    if all(both):
        detail = "cannot be specified in combination with resourceAttributes"
        raise _invalid(call, "nonResourceAttributes", detail)
    if not any(both):
        detail = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        raise _invalid(call, "resourceAttributes", detail)


def _invalid(call: Call, field: str, detail: str) -> errors.StatusError:
    kind = (call.resource.group, call.resource.kind)
    found = [FieldError.invalid(Path("spec").child(field), None, detail)]
    return errors.invalid(kind, "", found)


def _spec(call: Call) -> Object:
    assert call.body is not None
    spec: Object = call.body.get("spec") or {}
    return spec


def _answer(call: Call, status: Object) -> Answer:
    assert call.body is not None
    body = call.body
    return Answer({**body, "metadata": body.get("metadata") or {}, "status": status}, 201)


def _user_info(user: UserInfo) -> Object:
    info: Object = {"username": user.name}
    if user.uid:
        info["uid"] = user.uid
    if user.groups:
        info["groups"] = list(user.groups)
    if user.extra:
        info["extra"] = {key: list(values) for key, values in user.extra.items()}
    return info


def _page(group: str, plural: str, kind: str, handler: Any) -> Page:
    return Page(
        resource=(group, plural),
        subresource="",
        accepts=GVK(group, "v1", kind),
        verbs={"create": handler},
    )


PAGES = (
    _page(_AUTHORIZATION, "subjectaccessreviews", "SubjectAccessReview", subject_access_review),
    _page(
        _AUTHORIZATION,
        "localsubjectaccessreviews",
        "LocalSubjectAccessReview",
        local_subject_access_review,
    ),
    _page(
        _AUTHORIZATION,
        "selfsubjectaccessreviews",
        "SelfSubjectAccessReview",
        self_subject_access_review,
    ),
    _page(
        _AUTHORIZATION,
        "selfsubjectrulesreviews",
        "SelfSubjectRulesReview",
        self_subject_rules_review,
    ),
    _page(_AUTHENTICATION, "selfsubjectreviews", "SelfSubjectReview", self_subject_review),
    _page(_AUTHENTICATION, "tokenreviews", "TokenReview", token_review),
)
