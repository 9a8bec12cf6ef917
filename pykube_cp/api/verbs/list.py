"""Read a collection: now from the cache, or as of an older revision from the storage."""
# upstream: apiserver pkg/storage/etcd3/store.go GetList, pkg/storage/continue.go

import base64
import posixpath
import string

import msgspec
import orjson

from pykube_cp.api.list_options import ListOptions, parse
from pykube_cp.api.request import ListResult
from pykube_cp.api.scope import Scope
from pykube_cp.api.selection import Selection, select
from pykube_cp.api.versions import wait_for
from pykube_cp.machinery import errors, go_text
from pykube_cp.storage.interface import Compacted, FutureRevision
from pykube_cp.storage.object_store import key_of
from pykube_cp.storage.watch_cache import Entry, ResourceCache

_PAGE = 500
EXPIRED = (
    "The provided continue parameter is too old to display a consistent list result. You can start "
    "a new list without the continue parameter, or use the continue token in this response to "
    "retrieve the remainder of the results. Continuing with the provided token results in an "
    "inconsistent list - objects that were created, modified, or deleted between the time the first "
    "chunk was returned and now may show up in the list."
)


class _Token(msgspec.Struct):
    """What a continue token says."""

    v: str = ""
    rv: int = 0
    start: str = ""


_BASE64 = frozenset(string.ascii_letters + string.digits + "-_")


class _From(msgspec.Struct, frozen=True):
    """Where a page starts, and as of when; revision 0 is now, -1 is now though inconsistent."""

    start: str = ""
    revision: int = 0


async def handle(scope: Scope) -> ListResult:
    """One page, or all."""
    options = parse(scope.request.query, watch=False)
    name = scope.name if scope.request.info.verb == "list" else ""
    selection = select(
        scope.request.query, scope.resource, "" if "fieldSelector" in scope.request.query else name
    )
    cache = await scope.store.cache()
    begin = await _begin(scope, options, selection)
    namespace = scope.namespace or selection.namespace
    if begin.revision > 0 and begin.revision < cache.changed_at:
        return await _at_revision(scope, cache, namespace, selection, options, begin)
    revision = begin.revision if begin.revision > 0 else scope.services.caches.revision
    candidates = _candidates(cache, scope, namespace, selection, begin.start)
    if selection.in_index is not None and begin.revision <= 0:
        # Beyond what its index finds upstream does not look, except in what was.
        candidates = list(filter(selection.in_index, candidates))
    last = candidates[-1].key if candidates else ""
    # upstream: apiserver pkg/storage/cacher/cacher.go computeListLimit
    limit = 0 if options.version_text == "0" and not options.continue_ else options.limit
    return _page(scope, _chosen(candidates, selection), selection, limit, revision, last=last)


def _candidates(
    cache: ResourceCache, scope: Scope, namespace: str, selection: Selection, start: str
) -> list[Entry]:
    if _is_one(scope, selection):
        entry = cache.get(key_of(scope.store.prefix, namespace, selection.name))
        return [entry] if entry is not None and entry.key >= start else []
    return cache.entries(namespace, start)


def _is_one(scope: Scope, selection: Selection) -> bool:
    """Whether one object is asked for by its key; then nothing can follow it."""
    is_placed = scope.namespace or selection.namespace or not scope.resource.namespaced
    return bool(selection.name and is_placed)


def _chosen(entries: list[Entry], selection: Selection) -> list[Entry]:
    matches = selection.matches
    return entries if matches is None else [entry for entry in entries if matches(entry)]


def _page(
    scope: Scope,
    entries: list[Entry],
    selection: Selection,
    limit: int,
    revision: int,
    *,
    last: str,
    known_all: bool = True,
) -> ListResult:
    """The first of them. When it is full, any object after it is promised to the next, up to ``last``."""
    if not limit or len(entries) < limit or _is_one(scope, selection):
        return ListResult(scope.resource, entries, revision)
    if len(entries) == limit and last <= entries[-1].key:
        return ListResult(scope.resource, entries, revision)
    page = entries[:limit]
    token = encode_token(page[-1].key[len(scope.store.prefix) :] + "\0", revision)
    remaining = len(entries) - limit if selection.empty and known_all else None
    return ListResult(scope.resource, page, revision, token, remaining)


async def _begin(scope: Scope, options: ListOptions, selection: Selection) -> _From:
    if options.continue_:
        start, revision = decode_token(options.continue_)
        if options.version_text not in {"", "0"}:
            text = "specifying resource version is not allowed when using continue"
            raise errors.bad_request(text)
        return _From(scope.store.prefix + start, revision)
    caches = scope.services.caches
    is_exact = options.match == "Exact" or bool(options.limit and not options.match)
    if is_exact and selection.name and options.version > caches.revision:
        # upstream reads one object from its storage, which does not wait
        raise errors.too_large_resource_version(options.version, caches.revision, 0)
    if options.version:
        await wait_for(caches, options.version)
    return _From(revision=options.version) if is_exact else _From()


async def _at_revision(
    scope: Scope,
    cache: ResourceCache,
    namespace: str,
    selection: Selection,
    options: ListOptions,
    begin: _From,
) -> ListResult:
    """Page by page from the storage until enough match; only such lists read history."""
    prefix = f"{scope.store.prefix}{namespace}/" if namespace else scope.store.prefix
    storage, start = scope.services.caches.storage, begin.start
    found: list[Entry] = []
    last = ""
    want = options.limit + 1 if options.limit else 0
    try:
        while True:
            page = await storage.range(
                prefix, start=start, revision=begin.revision, limit=max(want, _PAGE)
            )
            entries = [cache.entry_of(kv.key, kv.value, kv.revision) for kv in page.items]
            found += _chosen(entries, selection)
            last = entries[-1].key if entries else last
            if not page.more or (want and len(found) >= want):
                break
            start = page.items[-1].key + "\0"
    except Compacted:
        raise _expired(scope, begin, continued=bool(options.continue_)) from None
    except FutureRevision as error:
        raise errors.too_large_resource_version(error.revision, error.current, 1) from None
    result = _page(
        scope, found, selection, options.limit, begin.revision, last=last, known_all=not page.more
    )
    if result.continue_ and page.more and selection.empty:
        result.remaining = page.total - options.limit
    return result


def _expired(scope: Scope, begin: _From, *, continued: bool) -> errors.StatusError:
    if not continued:
        return errors.resource_expired("The resourceVersion for the provided list is too old.")
    error = errors.resource_expired(EXPIRED)
    start = begin.start[len(scope.store.prefix) :]
    error.list_meta = {"continue": encode_token(start, -1)}
    return error


def encode_token(start: str, revision: int) -> str:
    """Upstream's token: the next key below the prefix, and the revision of the first page."""
    token = {"v": "meta.k8s.io/v1", "rv": revision, "start": start}
    return base64.urlsafe_b64encode(orjson.dumps(token)).rstrip(b"=").decode()


def decode_token(text: str) -> tuple[str, int]:
    # upstream: apiserver pkg/storage/continue.go DecodeContinue
    try:
        token = msgspec.json.decode(_token_bytes(text), type=_Token)
    except msgspec.DecodeError as error:
        raise _invalid(f"continue key is not valid: {error}") from None
    if token.v != "meta.k8s.io/v1":
        raise _invalid(
            f"continue key is not valid: server does not recognize this encoded version {token.v}"
        )
    if not token.rv:
        raise _invalid(
            "continue key is not valid: incorrect encoded start resourceVersion (version meta.k8s.io/v1)"
        )
    if not token.start:
        raise _invalid(
            "continue key is not valid: encoded start key empty (version meta.k8s.io/v1)"
        )
    key = token.start if token.start.startswith("/") else f"/{token.start}"
    if posixpath.normpath(key) != key:
        raise _invalid(f"continue key is not valid: {token.start}")
    return token.start, token.rv


def _token_bytes(text: str) -> bytes:
    at = next((at for at, letter in enumerate(text) if letter not in _BASE64), None)
    if at is None and len(text) % 4 == 1:
        at = len(text) - 1
    if at is not None:
        raise _invalid(f"continue key is not valid: illegal base64 data at input byte {at}")
    found = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if not found.lstrip().startswith(b"{"):
        shown = go_text.quote(found[:1].decode("latin-1"))[1:-1]
        what = f"invalid character '{shown}' looking for beginning of value"
        raise _invalid(f"continue key is not valid: {what}")
    return found


def _invalid(problem: str) -> errors.StatusError:
    return errors.bad_request(f"invalid continue token: {problem}")
