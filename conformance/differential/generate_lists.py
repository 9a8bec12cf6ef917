"""Lists and watches: what each kind can be selected by, and every combination of their parameters."""

import itertools
from collections.abc import Iterator
from urllib.parse import quote

from generate import Base, bases, one_step
from script import Case

from pykube_cp.resources import catalog

_SELDOM_WRITTEN = "PodTemplate"
"""Of a kind that many cases write, upstream's cache forgets the version in which the setup stored it."""
_VERSIONS = (None, "", "0", "{version}", "9000000000", "abc", "-1")
_MATCHES = (None, "", "Exact", "NotOlderThan", "Wrong")
_LIMITS = (None, "1", "-1")
_CONTINUES = (None, "abc")
_INITIAL = (None, "true", "false")
_BOOKMARKS = (None, "true")
_WATCHED = "watch=true&timeoutSeconds=1"
_SELECTIONS = (("=", "nothing"), ("!=", "nothing"), ("=", ""))
_TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


def cases() -> Iterator[Case]:
    """All of them; they only read what the setup has stored."""
    every = {base.row.gvr: base for base in bases()}
    fields = sorted({name for row in catalog.builtin({}).all() for name in row.selectable_fields})
    for base in every.values():
        yield from _selected(base, ("metadata.name", "metadata.namespace", *fields))
        yield from _watched(base)
        yield from _deleted(base)
    base = next(base for base in every.values() if base.row.kind == _SELDOM_WRITTEN)
    yield from _list_parameters(base)
    yield from _watch_parameters(base)


def _selected(base: Base, fields: tuple[str, ...]) -> Iterator[Case]:
    for name in fields:
        is_known = name in {"metadata.name", "metadata.namespace", *base.row.selectable_fields}
        for operator, value in _SELECTIONS if is_known else _SELECTIONS[:1]:
            # together with the name: other cases may store objects of this kind
            selector = f"metadata.name={base.name},{name}{operator}{value}"
            path = f"{base.collection}?fieldSelector={quote(selector)}"
            title = f"{base.row.plural} by {name}{operator}{value}"
            yield one_step("selections", title, "GET", path, None)
    for selector in ("nothing", "!nothing", "nothing in (a)", "nothing notin (a)"):
        query = f"fieldSelector=metadata.name%3D{base.name}&labelSelector={quote(selector)}"
        title = f"{base.row.plural} by label {selector}"
        yield one_step("selections", title, "GET", f"{base.collection}?{query}", None)


def _watched(base: Base) -> Iterator[Case]:
    selector = f"fieldSelector=metadata.name%3D{base.name}"
    listed = "sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan"
    for title, query in (("watched", selector), ("listed by a watch", f"{selector}&{listed}")):
        for accept in ("application/json", "application/vnd.kubernetes.protobuf", _TABLE):
            path = f"{base.collection}?{_WATCHED}&{query}"
            name = f"{base.row.plural} {title} as {accept}"
            yield one_step("watched kinds", name, "GET", path, None, accept=accept)


def _deleted(base: Base) -> Iterator[Case]:
    query = f"dryRun=All&fieldSelector=metadata.name%3D{base.name}"
    path = f"{base.collection}?{query}"
    yield one_step("deletion", f"collection of {base.row.plural}", "DELETE", path, None)


def _list_parameters(base: Base) -> Iterator[Case]:
    for values in itertools.product(_VERSIONS, _MATCHES, _LIMITS, _CONTINUES):
        names = ("resourceVersion", "resourceVersionMatch", "limit", "continue")
        yield _asked(base, "list parameters", names, values)


def _watch_parameters(base: Base) -> Iterator[Case]:
    for values in itertools.product(_VERSIONS, _MATCHES, _INITIAL, _BOOKMARKS):
        names = ("resourceVersion", "resourceVersionMatch", "sendInitialEvents")
        yield _asked(base, "watch parameters", (*names, "allowWatchBookmarks"), values, _WATCHED)


def _asked(
    base: Base,
    theme: str,
    names: tuple[str, ...],
    values: tuple[str | None, ...],
    more: str = "",
) -> Case:
    pairs = [
        f"{name}={value}" for name, value in zip(names, values, strict=True) if value is not None
    ]
    # one object: others come and go in the namespace that all generated cases share
    query = "&".join(
        (f"fieldSelector=metadata.name%3D{base.name}", *([more] if more else []), *pairs)
    )
    query = query.replace("{version}", f"{{{base.version}}}")
    title = " ".join(pairs) or "none"
    return one_step(theme, title, "GET", f"{base.collection}?{query}", None)
