"""What a verb knows of the request it serves: row, store, options, admission."""

import functools
from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec

from pykube_cp.admission.interface import Attributes, Operation
from pykube_cp.api import owners
from pykube_cp.api.filters import authorization
from pykube_cp.api.request import Outcome, Request
from pykube_cp.api.services import Services
from pykube_cp.authz import refusal
from pykube_cp.authz.interface import Decision
from pykube_cp.machinery import errors
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.gvk import GVK
from pykube_cp.machinery.objects import Object, deep_copy
from pykube_cp.registry import defaulting, validation
from pykube_cp.registry.resource import Resource, Subresource
from pykube_cp.registry.store import Admit, Store
from pykube_cp.registry.strategy import Strategy, WriteContext

_T = TypeVar("_T")


class Options(msgspec.Struct, frozen=True):
    """Query options of a write."""

    dry_run: bool = False
    field_manager: str = ""
    field_validation: str = ""
    force: bool | None = None


class Scope(msgspec.Struct):
    """One call of a verb on a resource."""

    services: Services
    request: Request
    resource: Resource
    store: Store
    subresource: Subresource | None = None

    @property
    def namespace(self) -> str:
        return self.request.info.namespace if self.resource.namespaced else ""

    @property
    def name(self) -> str:
        return self.request.info.name

    @property
    def strategy(self) -> Strategy:
        if self.subresource is not None and self.subresource.strategy is not None:
            return self.subresource.strategy
        return self.resource.strategy

    @property
    def reset_fields(self) -> Object:
        """What this endpoint does not store, so nobody comes to own it by sending it here."""
        # upstream: apiserver pkg/registry/rest/rest.go ResetFieldsStrategy
        if self.subresource is not None and self.subresource.strategy is None:
            return {}
        return self.strategy.reset_fields

    @property
    def kind(self) -> GVK:
        """The kind that the body has."""
        return self.resource.kind_of(self.subresource)

    async def read_large(self, size: int, work: Callable[..., _T], *args: object) -> _T:
        """What ``work(*args)`` makes, or raises, of so many bytes of the body, in its turn."""
        user = self.request.user.name
        return await self.services.large_bodies.read(user, size, work, *args)

    def options(
        self, kind: str, check: Callable[[Options], list[FieldError]] = lambda _: []
    ) -> Options:
        """Parsed and checked; ``kind`` (CreateOptions, ...) is for the error's text.

        ``check`` says what else is wrong with them.
        """
        query = self.request.query
        options = Options(
            dry_run=bool(query.all("dryRun")),
            field_manager=query.get("fieldManager"),
            field_validation=query.get("fieldValidation"),
            force=query.flag("force"),
        )
        found = check(options) + _check_options(options, query.all("dryRun"))
        if found:
            raise errors.invalid(("meta.k8s.io", kind), "", found)
        return options

    def context(self, options: Options) -> WriteContext:
        return WriteContext(
            client=self.services.client,
            user=self.request.user,
            verb=self.request.info.verb,
            namespace=self.namespace,
            subresource=self.request.info.subresource,
            dry_run=options.dry_run,
            field_manager=options.field_manager,
            api_version=self.resource.api_version,
            to_served=self.to_served,
            warnings=self.request.warnings,
            services=self.services.strategy_services,
        )

    def manager(self, options: Options) -> str:
        """The field manager: as asked, else the first part of the user agent."""
        if options.field_manager:
            return options.field_manager
        return _manager_of(self.request.header("user-agent"))

    def to_stored(self, obj: Object) -> Object:
        """The served version's object in the stored version, with its defaults."""
        conversion = self.resource.conversion
        if conversion is None:
            return obj
        stored = conversion.to_storage(obj)
        if conversion.more_defaults:
            defaulting.default(stored, self.store.resource.gvk)
        return stored

    def to_served(self, obj: Object) -> Object:
        conversion = self.resource.conversion
        return obj if conversion is None else conversion.from_storage(obj)

    # Admission.

    def attributes(
        self,
        operation: Operation,
        obj: Object | None,
        old: Object | None,
        options: Options,
        option_object: Object | None = None,
    ) -> Attributes:
        meta = (obj or old or {}).get("metadata") or {}
        return Attributes(
            operation=operation,
            resource=self.resource.gvr,
            kind=self.kind,
            name=self.name or meta.get("name", ""),
            namespace=self.namespace,
            user=self.request.user,
            subresource=self.request.info.subresource,
            object=obj,
            old_object=old,
            options=option_object or {},
            dry_run=options.dry_run,
            warnings=self.request.warnings,
        )

    async def mutate(
        self, operation: Operation, obj: Object, old: Object | None, options: Options
    ) -> Object:
        """Let mutating plugins change the object, then fill in defaults of what they added."""
        attributes = self.attributes(operation, obj, old, options)
        if await self.services.admission.admit(attributes):
            assert attributes.object is not None
            obj = attributes.object
            if obj.get("kind") == self.store.resource.kind:
                defaulting.default(obj, self.store.resource.gvk)
        owners.deduplicate(obj, self.request.warnings, after_admission=True)
        return obj

    def validator(self, operation: Operation, options: Options) -> Admit:
        """Validating admission, for the store to call when the kind's own rules have passed."""

        async def admit(obj: Object | None, old: Object | None) -> None:
            attributes = self.attributes(operation, obj, old, options)
            await self.services.admission.validate(attributes)

        return admit

    def creation_validator(self, options: Options) -> Admit:
        """The same for an object that an update or an application creates: the user must be allowed to."""
        # upstream: apiserver pkg/endpoints/handlers/update.go withAuthorization
        validate = self.validator(Operation.CREATE, options)
        attributes = msgspec.structs.replace(
            authorization.attributes_of(self.request), verb="create"
        )

        async def admit(obj: Object | None, old: Object | None) -> None:
            decision, reason = await self.services.authorization.authorize(attributes)
            if decision is not Decision.ALLOW:
                raise refusal.forbidden(attributes, reason)
            await validate(obj, old)

        return admit


Verb = Callable[[Scope], Awaitable[Outcome]]


def check_namespace(obj: Object, namespace: str) -> None:
    """The body must agree with the URL; an empty namespace is filled in."""
    # upstream: apiserver pkg/registry/rest/meta.go EnsureObjectNamespaceMatchesRequestNamespace
    meta = obj.setdefault("metadata", {})
    given = meta.get("namespace", "")
    if given == namespace:
        return
    if not given or not namespace:
        meta["namespace"] = namespace
        if not namespace:
            del meta["namespace"]
        return
    raise errors.bad_request(
        "the namespace of the provided object does not match the namespace sent on the request"
    )


def check_name(obj: Object, name: str) -> None:
    """The body's name must be there, and be the URL's."""
    # upstream: apiserver pkg/endpoints/handlers/rest.go checkName
    given = (obj.get("metadata") or {}).get("name", "")
    if not given:
        raise errors.bad_request(
            f"the name of the object ({name} based on URL) was undeterminable: "
            "name must be provided"
        )
    if given != name:
        raise errors.bad_request(
            f"the name of the object ({given}) does not match the name on the URL ({name})"
        )


def copy_of(obj: Object) -> Object:
    """An own copy, for bodies that are tried more than once."""
    copied: Object = deep_copy(obj)
    return copied


@functools.lru_cache(maxsize=1024)
def _manager_of(user_agent: str) -> str:
    """What stands before the first slash, as far as it can be printed and has room."""
    # upstream: apiserver pkg/endpoints/handlers/create.go prefixFromUserAgent
    made, size = "", 0
    name = user_agent.partition("/")[0].encode("latin-1", "replace").decode("utf-8", "replace")
    for char in filter(str.isprintable, name):
        size += len(char.encode())
        if size > validation.FIELD_MANAGER_LIMIT:
            break
        made += char
    return made


def _check_options(options: Options, dry_run: list[str]) -> list[FieldError]:
    # upstream: apimachinery pkg/apis/meta/v1/validation/validation.go ValidateCreateOptions
    found = validation.field_manager(options.field_manager, Path("fieldManager"))
    if any(value != "All" for value in dry_run):
        found.append(FieldError.not_supported(Path("dryRun"), dry_run, ["All"]))
    if options.field_validation not in {"", "Ignore", "Warn", "Strict"}:
        path = Path("fieldValidation")
        allowed = ["", "Ignore", "Strict", "Warn"]
        found.append(FieldError.not_supported(path, options.field_validation, allowed))
    return found
