"""Act as another user, for those who may."""
# upstream: apiserver pkg/endpoints/filters/impersonation/constrained_impersonation.go, mode.go

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import msgspec

from pykube_cp.api.endpoints import NO_SNIFFING
from pykube_cp.api.filters.authorization import attributes_of, forbidden
from pykube_cp.api.request import Handler, Outcome, Request
from pykube_cp.api.services import Services
from pykube_cp.authn.extra import extra_of
from pykube_cp.authz.interface import Attributes, Authorizer, Decision
from pykube_cp.machinery import errors, names
from pykube_cp.machinery.go_text import quote
from pykube_cp.machinery.user import UserInfo

_EXTRA = "impersonate-extra-"
_NODE = "system:node:"
_ACCOUNT = "system:serviceaccount:"
_NODE_NAME = "authentication.kubernetes.io/node-name"
_NODE_KEYS = "authentication.kubernetes.io/associated-node-keys"
_AUTHENTICATION = "authentication.k8s.io"
_MANY = 4
"""From so many groups or extra values on, a right to all of them is tried first."""
_REMEMBERED = 10_000


def build(services: Services, following: Handler) -> Handler:
    """A filter; see the package."""
    modes = _Modes()

    async def handle(request: Request) -> Outcome:
        wanted = wanted_user(request)
        if wanted is None:
            return await following(request)
        user = await _allowed(services.authorization, request, wanted, modes)
        request.impersonator, request.user = request.user, user
        return await following(request)

    return handle


def wanted_user(request: Request) -> UserInfo | None:
    """Who the headers name; None when they name nobody."""
    if not any(name.startswith("impersonate-") for name in request.headers):
        return None
    wanted = UserInfo(
        request.header("impersonate-user"),
        request.header("impersonate-uid"),
        tuple(request.header_values("impersonate-group")),
        extra_of(request.header_lines(), _EXTRA),
    )
    if wanted.name:
        return wanted
    if wanted.uid or wanted.groups or any(name.startswith(_EXTRA) for name in request.headers):
        text = f"requested {_in_go(wanted)} without impersonating a user name"
        error = errors.bad_request(text)
        error.headers.update([NO_SNIFFING])
        raise error
    return None


def _in_go(user: UserInfo) -> str:
    groups = f"{{{_listed(user.groups)}}}" if user.groups else "(nil)"
    pairs = (f"{quote(key)}:[]string{{{_listed(user.extra[key])}}}" for key in sorted(user.extra))
    extra = f"{{{', '.join(pairs)}}}" if user.extra else "(nil)"
    return (
        f"&user.DefaultInfo{{Name:{quote(user.name)}, UID:{quote(user.uid)}, "
        f"Groups:[]string{groups}, Extra:map[string][]string{extra}}}"
    )


def _listed(texts: tuple[str, ...]) -> str:
    return ", ".join(map(quote, texts))


@dataclass(frozen=True, slots=True)
class Mode:
    """One way to impersonate: the verb, and whom it is for. The old way has no name."""

    name: str
    applies: Callable[[UserInfo, UserInfo], bool]

    @property
    def verb(self) -> str:
        return f"impersonate:{self.name}" if self.name else "impersonate"


class _Modes:
    """Which mode let a requestor last: he is likely to use it again, so it is tried first."""

    # upstream: impersonation/constrained_impersonation.go impersonationModesTracker

    def __init__(self) -> None:
        self._last: dict[str, Mode] = {}

    def in_order(self, requestor: UserInfo) -> Iterator[Mode]:
        last = self._last.get(requestor.name)
        if last is not None:
            yield last
        yield from (mode for mode in MODES if mode is not last)

    def remember(self, requestor: UserInfo, mode: Mode) -> None:
        if len(self._last) >= _REMEMBERED:
            self._last.clear()
        self._last[requestor.name] = mode


async def _allowed(
    authorizer: Authorizer, request: Request, wanted: UserInfo, modes: _Modes
) -> UserInfo:
    """The user that the requestor becomes in the first mode that lets him; else the first refusal."""
    refusal: errors.StatusError | None = None
    for mode in modes.in_order(request.user):
        if not mode.applies(wanted, request.user):
            continue
        try:
            user = await _Check(authorizer, request, mode).user(wanted)
        except errors.StatusError as error:
            refusal = refusal or error
        else:
            modes.remember(request.user, mode)
            return user
    assert refusal is not None  # the last mode applies to all
    raise refusal


class _Check:
    """Tries one mode for one request."""

    def __init__(self, authorizer: Authorizer, request: Request, mode: Mode) -> None:
        self._authorizer = authorizer
        self._request = request
        self._mode = mode
        self._requestor = request.user
        if mode.name == "associated-node":
            # Which node it is was checked before; the rights are the same for all of them.
            keys = {_NODE_KEYS: tuple(sorted(request.user.extra))}
            self._requestor = replace(request.user, extra=keys)

    async def user(self, wanted: UserInfo) -> UserInfo:
        """The impersonated user, completed; 403 when the requestor lacks a right."""
        if self._mode.name:
            asked = attributes_of(self._request)
            verb = f"impersonate-on:{self._mode.name}:{asked.verb}"
            on = msgspec.structs.replace(asked, verb=verb, user=self._requestor)
            await self._require(on)
        groups = await self._name(wanted)
        if wanted.uid:
            await self._require(self._part("uids", wanted.uid))
        await self._groups(wanted.groups)
        await self._extra(wanted.extra)
        return replace(wanted, groups=_completed(wanted.name, groups))

    async def _name(self, wanted: UserInfo) -> tuple[str, ...]:
        """Check the name; the groups that come with it when none are named."""
        groups = wanted.groups
        part = self._part("users", wanted.name, core=True)
        node, account = node_of(wanted.name), account_of(wanted.name)
        if node and self._mode.name:
            name = "*" if self._mode.name == "associated-node" else node
            part = self._part("nodes", name, core=True)
            groups = ("system:nodes",)
        elif account is not None:
            part = self._part("serviceaccounts", account[1], core=True, namespace=account[0])
            groups = groups or (
                "system:serviceaccounts",
                f"system:serviceaccounts:{account[0]}",
            )
        await self._require(part)
        return groups

    async def _groups(self, groups: tuple[str, ...]) -> None:
        if self._mode.name and groups:
            for bad, text in (("", "the empty string"), ("system:masters", "the system:masters")):
                if bad in groups:
                    part = self._part("groups", bad, core=True)
                    raise forbidden(part, f"impersonating {text} group is not allowed")
            if len(groups) >= _MANY and await self._may(self._part("groups", "*", core=True)):
                return
        for group in groups:
            await self._require(self._part("groups", group, core=True))

    async def _extra(self, extra: Mapping[str, tuple[str, ...]]) -> None:
        if self._mode.name and extra:
            if text := _bad_extra(extra):
                raise forbidden(self._part("userextras", ""), text)
            many = max(len(extra), sum(map(len, extra.values()))) >= _MANY
            if many and await self._may(self._part("userextras", "*", subresource="*")):
                return
        for key, values in extra.items():
            for value in values:
                await self._require(self._part("userextras", value, subresource=key))

    def _part(
        self,
        resource: str,
        name: str,
        *,
        core: bool = False,
        namespace: str = "",
        subresource: str = "",
    ) -> Attributes:
        """What has to be allowed; ``core``: of the core group in the old mode."""
        return Attributes(
            user=self._requestor,
            verb=self._mode.verb,
            group="" if core and not self._mode.name else _AUTHENTICATION,
            version="v1",
            resource=resource,
            subresource=subresource,
            namespace=namespace,
            name=name,
        )

    async def _may(self, attributes: Attributes) -> bool:
        decision, _ = await self._authorizer.authorize(attributes)
        return decision is Decision.ALLOW

    async def _require(self, attributes: Attributes) -> None:
        decision, reason = await self._authorizer.authorize(attributes)
        if decision is not Decision.ALLOW:
            raise forbidden(attributes, reason)


def _completed(name: str, groups: tuple[str, ...]) -> tuple[str, ...]:
    """With the group that everybody has, or nobody who is not known."""
    if name == "system:anonymous":
        needed = "system:unauthenticated"
    elif "system:unauthenticated" in groups:
        return groups
    else:
        needed = "system:authenticated"
    return groups if needed in groups else (*groups, needed)


def _bad_extra(extra: Mapping[str, tuple[str, ...]]) -> str:
    for key, values in extra.items():
        if not key:
            return "impersonating the empty string key in extra is not allowed"
        if found := list(_bad_key(key)):
            text = found[0] if len(found) == 1 else f"[{', '.join(found)}]"
            return f"impersonating an invalid key in extra is not allowed: {text}"
        if "" in values:
            return "impersonating the empty string value in extra is not allowed"
    return ""


def _bad_key(key: str) -> Iterator[str]:
    # upstream: apimachinery pkg/util/validation/validation.go IsDomainPrefixedPath
    host, _, path = key.partition("/")
    if not host or not path:
        text = 'must be a domain-prefixed path (such as "acme.io/foo")'
        yield f"extra.key: Invalid value: {quote(key)}: {text}"
        return
    for text in names.is_dns1123_subdomain(host):
        yield f"extra.key: Invalid value: {quote(host)}: {text}"
    for text in names.is_http_path(path):
        yield f"extra.key: Invalid value: {quote(path)}: {text}"


def node_of(username: str) -> str:
    """The node that a user is; empty when he is none."""
    name = username.removeprefix(_NODE)
    return "" if name == username or names.is_dns1123_subdomain(name) else name


def account_of(username: str) -> tuple[str, str] | None:
    """Namespace and name of the service account that a user is."""
    # upstream: apiserver pkg/authentication/serviceaccount/util.go SplitUsername
    parts = username.removeprefix(_ACCOUNT).split(":")
    if not username.startswith(_ACCOUNT) or len(parts) != 2:
        return None
    if names.is_dns1123_label(parts[0]) or names.is_dns1123_subdomain(parts[1]):
        return None
    return parts[0], parts[1]


def _has_name_only(wanted: UserInfo) -> bool:
    return not (wanted.uid or wanted.groups or wanted.extra)


def _is_own_node(wanted: UserInfo, requestor: UserInfo) -> bool:
    node = node_of(wanted.name)
    if not node or not _has_name_only(wanted) or account_of(requestor.name) is None:
        return False
    return tuple(requestor.extra.get(_NODE_NAME, ())) == (node,)


MODES = (
    Mode("associated-node", _is_own_node),
    Mode("arbitrary-node", lambda wanted, _: _has_name_only(wanted) and bool(node_of(wanted.name))),
    Mode(
        "serviceaccount",
        lambda wanted, _: _has_name_only(wanted) and account_of(wanted.name) is not None,
    ),
    Mode(
        "user-info",
        lambda wanted, _: not node_of(wanted.name) and account_of(wanted.name) is None,
    ),
    Mode("", lambda _wanted, _requestor: True),
)
