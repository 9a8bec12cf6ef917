"""Which operations a resource has, read off its row: method, path, parameters, bodies, answers."""
# upstream: apiserver pkg/endpoints/installer.go APIInstaller.registerResourceHandlers

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from pykube_cp.api.endpoints import OBJECT_MEDIA, STREAM_MEDIA
from pykube_cp.api.openapi.custom import type_name
from pykube_cp.api.openapi.definitions import PATCH
from pykube_cp.api.openapi.names import article, operation_id_and_tag
from pykube_cp.machinery import schema
from pykube_cp.machinery.gvk import GVK
from pykube_cp.machinery.schema import META, Field, ListOf, Scalar
from pykube_cp.registry.resource import Resource, Subresource

ANY_MEDIA = ("*/*",)
PATCH_MEDIA = (
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
)
TEXT = "string"
"""In place of a type's name: an answer that is plain text."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of the path or the query.

    ``text`` describes it; where that is empty, the field ``name`` of the type ``options`` does.
    """

    name: str
    place: str
    type: str = "string"
    text: str = ""
    options: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What one method does at one path.

    Attributes:
        body: the name of the type that is sent, or empty; ``needs_body``: whether it must be there.
        answers: status, its reason, and the name of the answer's type or ``TEXT``.
    """

    path: str
    method: str
    id: str
    tag: str
    description: str = ""
    action: str = ""
    kind: GVK | None = None
    parameters: tuple[Parameter, ...] = ()
    body: str = ""
    needs_body: bool = True
    consumes: tuple[str, ...] = ANY_MEDIA
    produces: tuple[str, ...] = OBJECT_MEDIA
    answers: tuple[tuple[int, str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Verb:
    """What operations of a verb have in common.

    In ``whole`` and ``part``, the descriptions for resources and for subresources, ``{a}`` is the
    article before the kind. ``sends`` and ``gives`` are ``object``, ``list`` or a type's name.
    """

    method: str
    action: str
    name: str
    whole: str
    part: str = ""
    options: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    sends: str = ""
    needs_body: bool = True
    consumes: tuple[str, ...] = ANY_MEDIA
    produces: tuple[str, ...] = OBJECT_MEDIA
    gives: str = "object"
    codes: tuple[int, ...] = (200,)
    suffix: str = ""


_REASONS = {200: "OK", 201: "Created", 202: "Accepted"}
_STATUS = META + "Status"
_LIST_OPTIONS = META + "ListOptions"
_DELETE_OPTIONS = META + "DeleteOptions"
_LOG_OPTIONS = "io.k8s.api.core.v1.PodLogOptions"
_OLD_WATCH = "deprecated: use the 'watch' parameter with a list operation instead"

_VERBS = {
    "get": _Verb(
        method="get",
        action="get",
        name="read",
        whole="read the specified {kind}",
        part="read {sub} of the specified {kind}",
    ),
    "list": _Verb(
        method="get",
        action="list",
        name="list",
        whole="list or watch objects of kind {kind}",
        options=(_LIST_OPTIONS,),
        produces=STREAM_MEDIA,
        gives="list",
    ),
    "update": _Verb(
        method="put",
        action="put",
        name="replace",
        whole="replace the specified {kind}",
        part="replace {sub} of the specified {kind}",
        options=(META + "UpdateOptions",),
        sends="object",
        codes=(200, 201),
    ),
    "patch": _Verb(
        method="patch",
        action="patch",
        name="patch",
        whole="partially update the specified {kind}",
        part="partially update {sub} of the specified {kind}",
        options=(META + "PatchOptions",),
        sends=PATCH,
        consumes=PATCH_MEDIA,
        codes=(200, 201),
    ),
    "create": _Verb(
        method="post",
        action="post",
        name="create",
        whole="create{a}{kind}",
        part="create {sub} of{a}{kind}",
        options=(META + "CreateOptions",),
        sends="object",
        codes=(200, 201, 202),
    ),
    "delete": _Verb(
        method="delete",
        action="delete",
        name="delete",
        whole="delete{a}{kind}",
        options=(_DELETE_OPTIONS,),
        sends=_DELETE_OPTIONS,
        needs_body=False,
        gives=_STATUS,
        codes=(200, 202),
    ),
    "deletecollection": _Verb(
        method="delete",
        action="deletecollection",
        name="deletecollection",
        whole="delete collection of {kind}",
        options=(_DELETE_OPTIONS, _LIST_OPTIONS),
        without=("watch", "allowWatchBookmarks"),
        sends=_DELETE_OPTIONS,
        needs_body=False,
        gives=_STATUS,
    ),
    "watch": _Verb(
        method="get",
        action="watch",
        name="watch",
        whole=f"watch changes to an object of kind {{kind}}. {_OLD_WATCH}, filtered to a single item "
        "with the 'fieldSelector' parameter.",
        options=(_LIST_OPTIONS,),
        produces=STREAM_MEDIA,
        gives=META + "WatchEvent",
    ),
    "watchlist": _Verb(
        method="get",
        action="watchlist",
        name="watch",
        whole=f"watch individual changes to a list of {{kind}}. {_OLD_WATCH}.",
        options=(_LIST_OPTIONS,),
        produces=STREAM_MEDIA,
        gives=META + "WatchEvent",
        suffix="List",
    ),
}
_PROXY_METHODS = ("get", "post", "put", "patch", "delete", "head", "options")
_UPGRADE_METHODS = ("get", "post")
_CONNECT = {
    "attach": _UPGRADE_METHODS,
    "exec": _UPGRADE_METHODS,
    "portforward": _UPGRADE_METHODS,
    "proxy": _PROXY_METHODS,
}
_PRETTY = Parameter(
    "pretty",
    "query",
    text="If 'true', then the output is pretty printed. Defaults to 'false' unless the user-agent "
    "indicates a browser or command-line HTTP tool (curl and wget).",
)
_NAMESPACE = Parameter(
    "namespace", "path", text="object name and auth scope, such as for teams and projects"
)
_REST = Parameter("path", "path", text="path to the resource")


def of_row(row: Resource) -> list[Operation]:
    """All operations of a row and its subresources."""
    found = list(_Writer(row).whole())
    for sub in row.subresources:
        found += _Writer(row, sub).subresource(sub)
    return found


class _Writer:
    """Writes the operations of a row, or of one of its subresources."""

    def __init__(self, row: Resource, sub: Subresource | None = None) -> None:
        self._row = row
        self._sub = sub.name if sub is not None else ""
        self._kind = row.kind_of(sub)
        self._verbs = sub.verbs if sub is not None else row.verbs
        self._root = f"/apis/{row.group}/{row.version}" if row.group else f"/api/{row.version}"
        self._scope = (_NAMESPACE,) if row.namespaced else ()
        named = Parameter("name", "path", text=f"name of the {self._kind.kind}")
        self._item_scope = (*self._scope, named)
        base = f"{self._root}/namespaces/{{namespace}}" if row.namespaced else self._root
        self._collection = f"{base}/{row.plural}"
        self._item = f"{self._collection}/{{name}}"

    def whole(self) -> Iterator[Operation]:
        for verb in ("list", "create", "deletecollection"):
            if verb in self._verbs:
                yield self._make(verb, self._collection, self._scope)
        for verb in ("get", "update", "patch", "delete"):
            if verb in self._verbs:
                yield self._make(verb, self._item, self._item_scope)
        if "watch" in self._verbs:
            yield self._make("watchlist", self._watched(self._collection), self._scope)
            yield self._make("watch", self._watched(self._item), self._item_scope)
        if self._row.namespaced and "list" in self._verbs:
            everywhere = f"{self._root}/{self._row.plural}"
            yield self._make("list", everywhere, (), everywhere=True)
            if "watch" in self._verbs:
                yield self._make("watchlist", self._watched(everywhere), (), everywhere=True)

    def subresource(self, sub: Subresource) -> Iterator[Operation]:
        path = f"{self._item}/{sub.name}"
        if sub.name in _CONNECT:
            yield from self._connects(path)
            return
        for verb in ("create", "get", "update", "patch"):
            if verb in self._verbs:
                yield self._make(verb, path, self._item_scope)

    def _watched(self, path: str) -> str:
        return f"{self._root}/watch{path.removeprefix(self._root)}"

    def _make(
        self, verb: str, path: str, scope: tuple[Parameter, ...], *, everywhere: bool = False
    ) -> Operation:
        how = _VERBS[verb]
        id_, tag = self._named(how.name, path, how.suffix, everywhere=everywhere)
        is_log = self._sub == "log"
        options = (_LOG_OPTIONS,) if is_log else how.options
        gives = TEXT if is_log else self._type(self._gives(how))
        return Operation(
            path=path,
            method=how.method,
            id=id_,
            tag=tag,
            description=self._description(how),
            action=how.action,
            kind=self._kind,
            parameters=(_PRETTY, *scope, *_options(options, how.without)),
            body=self._type(how.sends),
            needs_body=how.needs_body,
            consumes=self._consumes(how),
            produces=self._produces(how),
            answers=tuple((code, _REASONS[code], gives) for code in how.codes),
        )

    def _produces(self, how: _Verb) -> tuple[str, ...]:
        if self._sub == "log":
            return ("text/plain", *how.produces)
        if self._row.is_custom:
            return tuple(each for each in how.produces if "protobuf" not in each)
        return how.produces

    def _consumes(self, how: _Verb) -> tuple[str, ...]:
        if self._row.is_custom:  # strategic merge patches need types
            return tuple(each for each in how.consumes if "strategic" not in each)
        return how.consumes

    def _gives(self, how: _Verb) -> str:
        if how.action != "delete" or not self._row.strategy.returns_deleted_object:
            return how.gives
        # upstream: a namespace is given back as well, but its storage does not say so
        return how.gives if self._row.group_resource == ("", "namespaces") else "object"

    def _type(self, what: str) -> str:
        """The name of the type that a verb sends or gives."""
        if what == "object":
            return self._type_name(self._kind)
        if what == "list":
            return self._type_name(GVK(*self._kind[:2], self._row.list_kind))
        return what

    def _type_name(self, kind: GVK) -> str:
        known = schema.find(kind)
        return known.name if known is not None else type_name(kind)

    def _named(
        self, verb: str, path: str, suffix: str = "", *, everywhere: bool = False
    ) -> tuple[str, str]:
        where = "Namespaced" if self._row.namespaced and not everywhere else ""
        suffix += "ForAllNamespaces" if everywhere else ""
        name = f"{verb}{where}{self._row.kind}{self._sub.capitalize()}{suffix}"
        return operation_id_and_tag(name, path)

    def _description(self, how: _Verb) -> str:
        kind = self._row.kind
        text = how.part if self._sub else how.whole
        if how.action == "list" and "watch" not in self._verbs:
            text = "list objects of kind {kind}"
        return text.format(kind=kind, sub=self._sub, a=article(kind))

    def _connects(self, path: str) -> Iterator[Operation]:
        parameters = (*self._item_scope, *_options((self._type_name(self._kind),)))
        for method in _CONNECT[self._sub]:
            yield self._connect(method, path, parameters, "")
        if self._sub == "proxy":
            for method in _PROXY_METHODS:
                yield self._connect(method, path + "/{path}", (*parameters, _REST), "WithPath")

    def _connect(
        self, method: str, path: str, parameters: tuple[Parameter, ...], suffix: str
    ) -> Operation:
        id_, tag = self._named(f"connect{method.capitalize()}", path, suffix)
        return Operation(
            path=path,
            method=method,
            id=id_,
            tag=tag,
            description=f"connect {method.upper()} requests to {self._sub} of {self._row.kind}",
            action="connect",
            kind=self._kind,
            parameters=parameters,
            produces=ANY_MEDIA,
            answers=((200, "OK", TEXT),),
        )


def _options(types: tuple[str, ...], without: tuple[str, ...] = ()) -> tuple[Parameter, ...]:
    return tuple(
        parameter
        for name in types
        for parameter in _parameters_of(name)
        if parameter.name not in without
    )


@cache
def _parameters_of(type_name: str) -> tuple[Parameter, ...]:
    """The fields of an options type that can stand in a query."""
    # upstream: apiserver pkg/endpoints/installer.go AddObjectParams
    kind = schema.type_named(type_name)
    return tuple(
        Parameter(field.name, "query", _query_type(field), options=type_name)
        for field in kind.fields.values()
        if _is_simple(field)
    )


def _is_simple(field: Field) -> bool:
    """No struct; the type's head (``kind``) is one that is embedded."""
    if field.embeds or field.name in {"kind", "apiVersion"}:
        return False
    return isinstance(field.type, Scalar | ListOf)


def _query_type(field: Field) -> str:
    # upstream: apiserver pkg/endpoints/installer.go typeToJSON
    kind = field.type.items if isinstance(field.type, ListOf) else field.type
    name = kind.name if isinstance(kind, Scalar) else ""
    if name == "bool":
        return "boolean"
    return "integer" if name in {"int32", "int64"} else "string"
