"""The one generic store: create, update, delete and read any kind, as its row and hooks say.

Objects here are in the stored version. What a verb wants done to an object comes in as a function,
so that conflicts which the client did not cause can be tried again on the fresh object.
"""
# upstream: apiserver pkg/registry/generic/registry/store.go Store

from collections.abc import Awaitable, Callable
from typing import NamedTuple

import orjson

from pykube_cp.machinery import clock, errors, names
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.go_numbers import parse_uint
from pykube_cp.machinery.go_text import quote
from pykube_cp.machinery.gvk import GVK
from pykube_cp.machinery.objects import Object, deep_copy
from pykube_cp.registry import declarative, deletion, metadata, validation
from pykube_cp.registry.resource import Resource
from pykube_cp.registry.strategy import Deletion, Rollback, Strategy, WriteContext
from pykube_cp.storage.interface import Conflict, KeyValue
from pykube_cp.storage.object_store import MODIFIED, ObjectStore, entry_of, key_of, prefix_of
from pykube_cp.storage.watch_cache import Entry, Index, ResourceCache, WatchCache

NAME_TRIES = 8
CONFLICT_TRIES = 100
_DOTS = frozenset({".", ".."})

Admit = Callable[[Object | None, Object | None], Awaitable[None]]
"""Validating admission of (object, old object); raises to refuse."""

Change = Callable[[Object | None], Awaitable[Object]]
"""Makes the new object of the old one, which it may change; None when there is none yet."""


class Updated(NamedTuple):
    """Outcome of an update: the entry, and whether the object is new or has vanished by it."""

    entry: Entry
    created: bool = False
    deleted: bool = False


class Store:
    """Stores the objects of one resource."""

    def __init__(self, resource: Resource, objects: ObjectStore, caches: WatchCache) -> None:
        self.resource = resource
        self.prefix = prefix_of(resource.group, resource.plural)
        self._objects = objects
        self._caches = caches
        self._selectors = tuple(resource.selectable_fields.values())
        labels = list(resource.selectable_fields)
        self._indexed = labels.index("spec.nodeName") if "spec.nodeName" in labels else None

    def key(self, namespace: str, name: str) -> str:
        """Where an object is kept; 400 for a name that no object can have."""
        # upstream: apiserver pkg/registry/generic/registry/store.go NamespaceKeyFunc, NoNamespaceKeyFunc
        if not name:
            raise errors.bad_request("Name parameter required.")
        if "%" in name or "/" in name or name in _DOTS:
            found = ";".join(names.is_path_segment_name(name))
            raise errors.bad_request(f"Name parameter invalid: {quote(name)}: {found}")
        if namespace in _DOTS:
            # upstream: apiserver pkg/storage/etcd3/store.go store.prepareKey
            text = f"invalid key: {quote(f'/{self.resource.plural}/{namespace}/{name}')}"
            raise errors.StatusError(500, "", text)
        return key_of(self.prefix, namespace, name)

    def index(self, obj: Object) -> Index:
        """What the cache keeps beside the bytes."""
        return obj["metadata"].get("labels"), tuple(select(obj) for select in self._selectors)

    async def cache(self) -> ResourceCache:
        found = self._caches.cache(self.prefix, self._index_bytes, self._indexed)
        return found if isinstance(found, ResourceCache) else await found

    async def get(self, namespace: str, name: str) -> Entry:
        """The entry, or 404."""
        entry = (await self.cache()).get(self.key(namespace, name))
        if entry is None:
            raise errors.not_found(self.resource.group_resource, name)
        return entry

    # Create.

    async def create(self, ctx: WriteContext, obj: Object, admit: Admit) -> Entry:
        """Store a new object; a generated name that is taken is tried again with another."""
        meta = obj["metadata"]
        if meta.get("name") or not meta.get("generateName"):
            return await self._create(ctx, obj, admit)
        for _ in range(NAME_TRIES - 1):
            try:
                return await self._create(ctx, deep_copy(obj), admit)
            except errors.StatusError as error:
                if not errors.is_already_exists(error):
                    raise
        return await self._create(ctx, obj, admit)

    async def _create(self, ctx: WriteContext, obj: Object, admit: Admit) -> Entry:
        strategy = self.resource.strategy
        ctx.refused.clear()
        ctx.refused_last.clear()
        metadata.begin_create(obj, ctx.namespace)
        strategy.prepare_for_create(ctx, obj)
        if strategy.has_generation:
            obj["metadata"]["generation"] = 1
        rollback = await strategy.begin_create(ctx, obj)
        try:
            self._refuse(obj, self._validate_new(ctx, obj))
            ctx.warnings.extend(strategy.warnings_on_create(ctx, obj))
            strategy.canonicalize(obj)
            await admit(obj, None)
            if ctx.dry_run:
                return await self._dry_run_create(obj, rollback)
            return await self._store_new(obj)
        except BaseException:
            if rollback is not None and not ctx.dry_run:
                await rollback()
            raise

    def _validate_new(self, ctx: WriteContext, obj: Object) -> list[FieldError]:
        strategy = self.resource.strategy
        if strategy.judges_metadata_last and (own := strategy.validate(ctx, obj)):
            return own
        check = self.resource.strategy.name_check(obj)
        found = ctx.refused + self._validate_metadata(obj, check)
        found += validation.own_finalizers(obj, self.resource.gvk)
        if origin := self.resource.strategy.name_origin:
            found = [
                error.by_declaration(origin) if error.field == "metadata.name" else error
                for error in found
            ]
        found += validation.validate(obj, self.resource.gvk)
        found += self.resource.strategy.validate(ctx, obj)
        return self._declared(ctx, obj, None, found or ctx.refused_last)

    def _validate_metadata(
        self, obj: Object, validate_name: validation.ValidateName
    ) -> list[FieldError]:
        return validation.validate_object_meta(
            obj["metadata"],
            requires_namespace=self.resource.namespaced,
            validate_name=validate_name,
            path=Path("metadata"),
        )

    async def _store_new(self, obj: Object) -> Entry:
        meta = obj["metadata"]
        if meta.get("resourceVersion"):
            text = "resourceVersion should not be set on objects to be created"
            raise errors.StatusError(500, "", text)
        ttl = self.resource.ttl_seconds
        try:
            return await self._objects.create(
                self.key(meta.get("namespace", ""), meta["name"]),
                obj,
                self.index(obj),
                group_resource=self.resource.group_resource,
                expires_at=clock.now() + ttl if ttl else 0.0,
            )
        except errors.StatusError as refused:
            if not errors.is_already_exists(refused):
                raise
            raise await self._taken(obj) from None

    async def _dry_run_create(self, obj: Object, rollback: Rollback | None) -> Entry:
        meta = obj["metadata"]
        key = self.key(meta.get("namespace", ""), meta["name"])
        if rollback is not None:
            await rollback()
        if (await self.cache()).get(key) is not None:
            raise await self._taken(obj)
        return self._unsaved(key, obj, 0)

    async def _taken(self, obj: Object) -> errors.StatusError:
        """What to say about a name that is taken."""
        # upstream: apiserver pkg/registry/rest/create.go CheckGeneratedNameError
        meta, resource = obj["metadata"], self.resource.group_resource
        error = errors.already_exists(resource, meta["name"])
        if meta.get("generateName"):
            error = errors.generate_name_conflict(resource, meta["name"], 1)
        key = self.key(meta.get("namespace", ""), meta["name"])
        entry = (await self.cache()).get(key)
        if entry is not None and entry.object()["metadata"].get("deletionTimestamp"):
            error.message = f"object is being deleted: {error.message}"
        return error

    # Update.

    async def update(
        self,
        ctx: WriteContext,
        name: str,
        change: Change,
        admit: Admit,
        *,
        strategy: Strategy | None = None,
        may_create: bool = False,
        create_admit: Admit | None = None,
    ) -> Updated:
        """Apply ``change`` to the stored object until it is stored or someone is right to refuse.

        A write in between is no reason to refuse: ``change`` gets the fresh object. If it then has
        the version that the client gave, which is no longer the object's, that is a conflict.

        ``strategy`` is that of a subresource, the row's own by default. ``may_create`` lets a missing
        object be made, as apply does.
        """
        strategy = strategy or self.resource.strategy
        key = self.key(ctx.namespace, name)
        current = (await self.cache()).get(key)
        for _ in range(CONFLICT_TRIES):
            try:
                if current is None:
                    return await self._create_on_update(ctx, name, change, create_admit, may_create)
                old = current.object()
                obj = await change(current.object())
                self._check_version(obj["metadata"].get("resourceVersion", ""), current)
                return await self._update_once(ctx, current, obj, old, strategy, admit)
            except Conflict as conflict:
                current = self._entry(conflict.actual)
            except errors.StatusError as error:
                is_new = current is None and errors.is_already_exists(error)
                current = (await self.cache()).get(key) if is_new else None
                if current is None:
                    raise
        raise errors.conflict(self.resource.group_resource, name, MODIFIED)

    async def _update_once(
        self,
        ctx: WriteContext,
        current: Entry,
        obj: Object,
        old: Object,
        strategy: Strategy,
        admit: Admit,
    ) -> Updated:
        ctx.refused.clear()
        ctx.refused_last.clear()
        metadata.begin_update(obj, old)
        obj["metadata"]["resourceVersion"] = old["metadata"]["resourceVersion"]
        strategy.prepare_for_update(ctx, obj, old)
        metadata.keep_system_fields(obj, old)
        if strategy.has_generation and strategy.spec_changed(obj, old):
            obj["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1
        rollback = await strategy.begin_update(ctx, obj, old)
        try:
            if strategy.judges_updates:
                self._refuse(obj, self._validate_change(ctx, obj, old, strategy))
            ctx.warnings.extend(strategy.warnings_on_update(ctx, obj, old))
            strategy.canonicalize(obj)
            metadata.keep_times(obj, old)
            await admit(obj, old)
            result = await self._store_change(ctx, current, obj, old)
        except BaseException:
            if rollback is not None:
                await rollback()
            raise
        if ctx.dry_run and rollback is not None:
            await rollback()
        return result

    def _validate_change(
        self, ctx: WriteContext, obj: Object, old: Object, strategy: Strategy
    ) -> list[FieldError]:
        # upstream: apiserver pkg/registry/rest/update.go validateCommonFields
        meta, path = obj["metadata"], Path("metadata")
        found = self._validate_metadata(obj, names.is_path_segment_name)
        found += validation.validate_object_meta_update(meta, old["metadata"], path)
        found += ctx.refused
        if strategy.judges_name_again:
            found += validation.validate_names(meta, strategy.name_check(obj), path)
        found += validation.own_finalizers(obj, self.resource.gvk)
        found += validation.validate(obj, self.resource.gvk, old)
        found += strategy.validate_update(ctx, obj, old)
        return self._declared(ctx, obj, old, found or ctx.refused_last)

    def _declared(
        self, ctx: WriteContext, obj: Object, old: Object | None, found: list[FieldError]
    ) -> list[FieldError]:
        """``found``, and what declared rules say of the object in the client's version."""
        how = self.resource.declarations
        if how is None:
            return found
        gvk = self.resource.gvk
        if ctx.to_served is not None and ctx.api_version not in {"", gvk.api_version}:
            gvk = GVK.of({"apiVersion": ctx.api_version, "kind": gvk.kind})
            obj = ctx.to_served(deep_copy(obj))
            old = ctx.to_served(deep_copy(old)) if old is not None else None
        said = declarative.validate(obj, gvk, old, how.options)
        return declarative.merge(found, said, how)

    async def _store_change(
        self, ctx: WriteContext, current: Entry, obj: Object, old: Object
    ) -> Updated:
        # upstream: apiserver pkg/registry/generic/registry/store.go ShouldDeleteDuringUpdate
        vanishes = (
            bool(old["metadata"].get("deletionTimestamp"))
            and not obj["metadata"].get("finalizers")
            and not self.resource.strategy.holds_on(obj)
            and not old["metadata"].get("deletionGracePeriodSeconds")
        )
        if ctx.dry_run:
            return Updated(self._unsaved(current.key, obj, current.revision), deleted=vanishes)
        if vanishes:
            # Watchers see it go as it was stored; who let it go sees what he sent.
            await self._remove(ctx, current.object(), current.revision)
            return Updated(self._unsaved(current.key, obj, current.revision), deleted=True)
        # upstream: apiserver pkg/storage/api_object_versioner.go PrepareObjectForStorage
        obj["metadata"].pop("selfLink", None)
        if _same(obj, old):
            return Updated(current)
        ttl = self.resource.ttl_seconds
        entry = await self._objects.update(
            current,
            obj,
            self.index(obj),
            group_resource=self.resource.group_resource,
            expires_at=clock.now() + ttl if ttl else 0.0,
        )
        return Updated(entry)

    async def _create_on_update(
        self,
        ctx: WriteContext,
        name: str,
        change: Change,
        admit: Admit | None,
        may_create: bool,  # noqa: FBT001 - passed on as it came
    ) -> Updated:
        if not may_create or admit is None:
            raise errors.not_found(self.resource.group_resource, name)
        obj = await change(None)
        _version(obj["metadata"].pop("resourceVersion", ""))
        return Updated(await self._create(ctx, obj, admit), created=True)

    def _check_version(self, given: str, current: Entry) -> None:
        name, version = current.name, _version(given)
        if not version:
            if not self.resource.strategy.allow_unconditional_update:
                detail = "must be specified for an update"
                error = FieldError.invalid(Path("metadata").child("resourceVersion"), 0, detail)
                raise errors.invalid(self.resource.group_resource, name, [error])
        elif version != current.revision:
            raise errors.conflict(self.resource.group_resource, name, MODIFIED)

    # Delete.

    async def delete(
        self, ctx: WriteContext, name: str, wish: Deletion, admit: Admit
    ) -> tuple[Object, bool]:
        """Delete, or mark as being deleted.

        Returns:
            The object's last state, and whether it is gone.
        """
        current: Entry | None = await self.get(ctx.namespace, name)
        for _ in range(CONFLICT_TRIES):
            if current is None:
                raise errors.not_found(self.resource.group_resource, name)
            try:
                return await self._delete_once(ctx, current, wish, admit)
            except Conflict as conflict:
                current = self._entry(conflict.actual)
        raise errors.conflict(self.resource.group_resource, name, MODIFIED)

    async def _delete_once(
        self, ctx: WriteContext, current: Entry, wish: Deletion, admit: Admit
    ) -> tuple[Object, bool]:
        obj = current.object()
        deletion.check_preconditions(self.resource, obj, wish)
        steps = deletion.begin(self.resource.strategy, obj, wish)
        revision = current.revision
        if steps.marks:
            await admit(None, current.object())
            obj, revision = await self._mark(ctx, current, obj)
        if not steps.removes:
            return obj, False
        if not steps.marks:
            obj = current.object()
        await admit(None, obj)
        if not ctx.dry_run:
            await self._remove(ctx, obj, revision)
        elif steps.only_finalizers:
            return deletion.nothing_of(self.resource), True
        return obj, True

    async def delete_unread(self, ctx: WriteContext, name: str) -> Object:
        """Remove an object whose bytes make no sense; 409 for one that can be read.

        Returns:
            What is known of it.
        """
        entry = await self.get(ctx.namespace, name)
        meta: Object = {"name": name, "namespace": ctx.namespace}
        try:
            entry.object()
        except ValueError:
            known = {"kind": self.resource.kind, "metadata": meta}
            if not ctx.dry_run:
                await self._objects.delete(
                    entry.key,
                    known,
                    self.index(known),
                    entry.revision,
                    group_resource=self.resource.group_resource,
                )
            return known
        text = "unsafe deletion is not allowed because the object is decodable from storage"
        raise metadata.invalid_object(self.resource, meta, text)

    async def _mark(self, ctx: WriteContext, current: Entry, obj: Object) -> tuple[Object, int]:
        """Store the object as it waits; an own copy of it, and its revision."""
        if ctx.dry_run or _same(current.object(), obj):
            return obj, current.revision
        entry = await self._objects.update(
            current,
            obj,
            self.index(obj),
            group_resource=self.resource.group_resource,
        )
        return entry.object(), entry.revision

    async def _remove(self, ctx: WriteContext, obj: Object, revision: int) -> Entry:
        meta = obj["metadata"]
        entry = await self._objects.delete(
            self.key(meta.get("namespace", ""), meta["name"]),
            obj,
            self.index(obj),
            revision,
            group_resource=self.resource.group_resource,
        )
        await self.resource.strategy.after_delete(ctx, obj)
        return entry

    # Small parts.

    def _refuse(self, obj: Object, found: list[FieldError]) -> None:
        if found:
            kind = (self.resource.group, self.resource.kind)
            raise errors.invalid(kind, obj["metadata"].get("name", ""), found)

    def _entry(self, found: KeyValue | None) -> Entry | None:
        if found is None:
            return None
        namespace, _, name = found.key[len(self.prefix) :].rpartition("/")
        labels, fields = self._index_bytes(found.value)
        return Entry(found.key, namespace, name, found.revision, found.value, labels, fields)

    def _unsaved(self, key: str, obj: Object, revision: int) -> Entry:
        return entry_of(key, obj, revision, self.index(obj))

    def _index_bytes(self, data: bytes) -> Index:
        try:
            return self.index(orjson.loads(data))
        except (ValueError, KeyError, TypeError):
            # One corrupt object must not take lists and watches of the others down.
            return None, ("",) * len(self._selectors)


def _same(one: Object, other: Object) -> bool:
    # Python takes 1, 1.0 and true for equal; JSON does not.
    sort = orjson.OPT_SORT_KEYS
    return one == other and orjson.dumps(one, option=sort) == orjson.dumps(other, option=sort)


def _version(given: str) -> int:
    try:
        return parse_uint(given or "0")
    except ValueError as wrong:
        raise errors.StatusError(500, "", str(wrong)) from None
