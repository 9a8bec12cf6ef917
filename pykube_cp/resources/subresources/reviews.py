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
    review = _body(call)
    _refuse(access_reviews.check(review))
    return await _review(call, _named_user(review), review)


async def local_subject_access_review(call: Call) -> Answer:
    """The same for one namespace."""
    review = _body(call)
    _refuse(access_reviews.check_local(review))
    return await _review(call, _named_user(review), review)


async def self_subject_access_review(call: Call) -> Answer:
    """May I do this?"""
    review = _body(call)
    _refuse(access_reviews.check_own(review))
    return await _review(call, call.user, review)


def _body(call: Call) -> Object:
    assert call.body is not None
    return call.body


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
    await call.validate(call.body)
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
    await call.validate(call.body)
    meta = {"creationTimestamp": clock.timestamp()}
    return _answer({"metadata": meta, "status": {"userInfo": _user_info(call.user)}}, call)


async def token_review(call: Call) -> Answer:
    """Whose token is this?"""
    spec = _spec(call)
    token = spec.get("token", "")
    if not token:
        raise errors.bad_request("token is required for TokenReview in authentication")
    await call.validate(call.body)
    return Answer({**_body(call), "status": await _judge(call, token, spec)}, 201)


async def _judge(call: Call, token: str, spec: Object) -> Object:
    wanted = tuple(spec.get("audiences") or ())
    credentials = Credentials({"authorization": f"Bearer {token}"})
    try:
        identity = await call.extra["authenticate_token"](credentials, wanted)
    except AuthenticationError as error:
        return {"user": {}, "error": str(error)}
    status: Object = {"authenticated": True, "user": _user_info(identity.user)}
    if identity.audiences:
        status["audiences"] = list(identity.audiences)
    return status


async def _review(call: Call, user: UserInfo, review: Object) -> Answer:
    await call.validate(review)
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
        field_selector=access_reviews.read_selector(resource, "fieldSelector"),
        label_selector=access_reviews.read_selector(resource, "labelSelector"),
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
