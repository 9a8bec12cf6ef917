"""Review kinds: questions about access and identity, answered at once and never stored."""
# upstream: pkg/registry/authorization, pkg/registry/authentication

from typing import Any

from pykube_cp.authn.interface import AuthenticationError, Credentials
from pykube_cp.authz.interface import Attributes, Decision
from pykube_cp.machinery import clock, errors
from pykube_cp.machinery.field_errors import FieldError
from pykube_cp.machinery.gvk import GVK
from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.user import UserInfo
from pykube_cp.resources.shared import access_reviews
from pykube_cp.resources.subresources.interface import Answer, Call, Page

_AUTHORIZATION, _AUTHENTICATION = "authorization.k8s.io", "authentication.k8s.io"


async def subject_access_review(call: Call) -> Answer:
    """May that user do this?"""
    review = _recorded(call)
    _refuse(access_reviews.check(review))
    return await _review(call, _named_user(review), review)


async def local_subject_access_review(call: Call) -> Answer:
    """The same for one namespace."""
    review = _recorded(call)
    _refuse(access_reviews.check_local(review))
    return await _review(call, _named_user(review), review)


async def self_subject_access_review(call: Call) -> Answer:
    """May I do this?"""
    review = _recorded(call)
    _refuse(access_reviews.check_own(review))
    return await _review(call, call.user, review)


def _recorded(call: Call) -> Object:
    assert call.body is not None
    return call.record(call.body, None)


def _refuse(found: list[FieldError]) -> None:
    if found:
        # Without a kind: upstream's object has lost it by then.
        raise errors.invalid((_AUTHORIZATION, ""), "", found)


def _named_user(review: Object) -> UserInfo:
    spec = review["spec"]
    extra = {key: tuple(values or ()) for key, values in (spec.get("extra") or {}).items()}
    groups = tuple(spec.get("groups") or ())
    return UserInfo(spec.get("user") or "", spec.get("uid") or "", groups, extra)


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
    return _answer({"metadata": {}, "spec": {}, "status": status}, call)


async def self_subject_review(call: Call) -> Answer:
    """Who am I?"""
    meta = {"creationTimestamp": clock.timestamp()}
    return _answer({"metadata": meta, "status": {"userInfo": _user_info(call.user)}}, call)


async def token_review(call: Call) -> Answer:
    """Whose token is this?"""
    spec = _spec(call)
    token = spec.get("token", "")
    if not token:
        raise errors.bad_request("token is required for TokenReview in authentication")
    return Answer({**_recorded(call), "status": await _judge(call, token, spec)}, 201)


async def _judge(call: Call, token: str, spec: Object) -> Object:
    wanted = tuple(spec.get("audiences") or ())
    credentials = Credentials({"authorization": f"Bearer {token}"})
    try:
        identity = await call.extra["authenticate_token"](credentials, wanted)
    except (AuthenticationError, errors.StatusError) as error:
        return {"user": {}, "error": str(error)}
    if identity is None:
        # upstream: apiserver pkg/authentication/request/bearertoken/bearertoken.go invalidToken
        return {"user": {}, "error": "invalid bearer token"}
    status: Object = {"authenticated": True, "user": _user_info(identity.user)}
    audiences = [each for each in wanted if each in identity.audiences] or (
        list(identity.audiences) if not wanted else []
    )
    if audiences:
        status["audiences"] = audiences
    return status


async def _review(call: Call, user: UserInfo, review: Object) -> Answer:
    spec = review["spec"]
    decision, reason = await call.authorizer.authorize(_attributes(user, spec))
    status: Object = {"allowed": decision is Decision.ALLOW}
    if decision is Decision.DENY:
        status["denied"] = True
    if reason:
        status["reason"] = reason
    if unread := access_reviews.evaluation_error(spec.get("resourceAttributes") or {}):
        status["evaluationError"] = unread
    return Answer({**review, "status": status}, 201)


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
        field_selector=access_reviews.field_selector(resource),
    )


def _spec(call: Call) -> Object:
    assert call.body is not None
    spec: Object = call.body.get("spec") or {}
    return spec


def _answer(made: Object, call: Call) -> Answer:
    """An object that has nothing of the one that was sent."""
    assert call.body is not None
    sent = call.body
    return Answer({"kind": sent["kind"], "apiVersion": sent["apiVersion"], **made}, 201)


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
