"""Act as another user, for those who may."""
# upstream: apiserver pkg/endpoints/filters/impersonation.go WithImpersonation

from collections.abc import Iterator
from urllib.parse import unquote

from pykube_cp.api.filters.authorization import forbidden
from pykube_cp.api.request import Handler, Outcome, Request
from pykube_cp.api.services import Services
from pykube_cp.authz.interface import Attributes, Decision
from pykube_cp.machinery import errors
from pykube_cp.machinery.user import UserInfo

_EXTRA = "impersonate-extra-"
_SERVICE_ACCOUNT = "system:serviceaccount:"


def build(services: Services, following: Handler) -> Handler:
    """A filter; see the package."""

    async def handle(request: Request) -> Outcome:
        if not _asked_for(request):
            return await following(request)
        for attributes in _needed(request):
            decision, reason = await services.authorization.authorize(attributes)
            if decision is not Decision.ALLOW:
                raise forbidden(attributes, reason)
        request.impersonator = request.user
        request.user = _impersonated(request)
        return await following(request)

    return handle


def _asked_for(request: Request) -> bool:
    found = any(name.startswith("impersonate-") for name in request.headers)
    if found and "impersonate-user" not in request.headers:
        raise errors.internal_error("requested impersonation without impersonating a user")
    return found


def _groups(request: Request) -> list[str]:
    text = request.header("impersonate-group")
    return [group.strip() for group in text.split(",")] if text else []


def _extra(request: Request) -> dict[str, tuple[str, ...]]:
    return {
        unquote(name[len(_EXTRA) :]): tuple(part.strip() for part in value.split(","))
        for name, value in request.headers.items()
        if name.startswith(_EXTRA)
    }


def _needed(request: Request) -> Iterator[Attributes]:
    """What the asker must be allowed to do: impersonate each part."""
    user = request.header("impersonate-user")
    namespace, name, resource = "", user, "users"
    if user.startswith(_SERVICE_ACCOUNT) and user.count(":") == 3:
        resource = "serviceaccounts"
        namespace, name = user.split(":")[2:]
    yield _attributes(request, resource, name, namespace=namespace)
    for group in _groups(request):
        yield _attributes(request, "groups", group)
    if uid := request.header("impersonate-uid"):
        yield _attributes(request, "uids", uid, group="authentication.k8s.io")
    for key, values in _extra(request).items():
        for value in values:
            yield _attributes(
                request, "userextras", value, group="authentication.k8s.io", subresource=key
            )


def _attributes(
    request: Request,
    resource: str,
    name: str,
    *,
    namespace: str = "",
    group: str = "",
    subresource: str = "",
) -> Attributes:
    return Attributes(
        user=request.user,
        verb="impersonate",
        group=group,
        version="v1",
        resource=resource,
        subresource=subresource,
        namespace=namespace,
        name=name,
    )


def _impersonated(request: Request) -> UserInfo:
    name = request.header("impersonate-user")
    groups = _groups(request)
    if name.startswith(_SERVICE_ACCOUNT) and name.count(":") == 3 and not groups:
        namespace = name.split(":")[2]
        groups = ["system:serviceaccounts", f"system:serviceaccounts:{namespace}"]
    if name == "system:anonymous":
        groups = [*groups, "system:unauthenticated"]
    elif "system:authenticated" not in groups and "system:unauthenticated" not in groups:
        groups = [*groups, "system:authenticated"]
    return UserInfo(name, request.header("impersonate-uid"), tuple(groups), _extra(request))
