"""JSON patch, merge patch and strategic merge patch: what they make of an object, and their errors."""
# upstream: apiserver pkg/endpoints/handlers/patch.go jsonPatcher, smpPatcher

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Protocol

from pykube_cp.api.decode import Validation, unknown_conversion
from pykube_cp.api.scope import Scope
from pykube_cp.api.services import Services
from pykube_cp.machinery import (
    empties,
    errors,
    json_patch,
    restore,
    schema,
    strategic_patch,
    structural,
)
from pykube_cp.machinery.codec import catalog as codecs
from pykube_cp.machinery.codec import json as json_codec
from pykube_cp.machinery.codec.interface import DecodeError, not_registered
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.go_order import in_go_order
from pykube_cp.machinery.go_text import plain, quote
from pykube_cp.machinery.gvk import GVK
from pykube_cp.machinery.leaves import not_a_map
from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.schema import Type
from pykube_cp.machinery.strict_errors import Written, strict_errors, written_text
from pykube_cp.registry import defaulting
from pykube_cp.registry.resource import Resource

JSON = "application/json-patch+json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"
APPLY_CBOR = "application/apply-patch+cbor"
APPLIES = frozenset({APPLY, APPLY_CBOR})

Patcher = Callable[[Object], Object]
"""Makes the patched object, in canonical form and with defaults, of the object as it is."""

_MAP = "map[string]interface {}"
_HEAD = ("kind", "apiVersion")


class Run(Protocol):
    """A patch as a function; ``as_written`` is for texts, see ``json_patch.Patcher``."""

    def __call__(self, live: Any, *, as_written: bool = False) -> Any: ...


def accepted(services: Services, resource: Resource) -> list[str]:
    known = [JSON, MERGE, APPLY]
    if not resource.is_custom:
        known.insert(2, STRATEGIC)
    return [*known, APPLY_CBOR] if services.media.has_cbor else known


def parse(data: bytes) -> Any:
    """The body of any patch but an application; keys given twice are noticed."""
    try:
        return json_codec.loads_noticing_duplicates(data)
    except DecodeError:
        raise errors.bad_request("invalid JSON patch") from None


def compile_patch(scope: Scope, media_type: str, body: Any, validation: Validation) -> Patcher:
    """The patch for objects of the kind that the request is about."""
    patch = _Patch(scope, body, validation)
    return {JSON: patch.json, MERGE: patch.merge, STRATEGIC: patch.strategic}[media_type]


class _Patch:
    """One request's patch; refuses with the answer for the client."""

    def __init__(self, scope: Scope, body: Any, validation: Validation) -> None:
        self._scope = scope
        self._gvk = scope.kind
        self._kind = schema.find(scope.kind)
        self._body = body
        self._validation = validation
        self._is_strict = validation.mode != "Ignore"
        self._steps = json_patch.compile_patch(body)

    # Applied to the object's JSON.

    def json(self, live: Object) -> Object:
        noted = _worded(lambda: json_patch.check_operations(self._body)) if self._is_strict else []
        return self._rewritten(self._steps, live, noted)

    def merge(self, live: Object) -> Object:
        noted: list[str] = []
        if self._is_strict:
            self._must_be_map("error decoding patch: ")
            noted = self._repeated()

        def run(live: Any, *, as_written: bool = False) -> Any:
            return json_patch.merge_patch(live, self._body, as_written=as_written)

        return self._rewritten(run, live, noted)

    def _must_be_map(self, prefix: str) -> None:
        if self._body is not None and not isinstance(self._body, dict):
            raise errors.bad_request(f"{prefix}{not_a_map(self._body)}")

    def _repeated(self) -> list[str]:
        return strict_errors(self._body, None) if isinstance(self._body, Written) else []

    def _rewritten(self, run: Run, live: Object, noted: list[str]) -> Object:
        """What ``run`` makes, decoded. If something is odd, all is done anew in upstream's order."""
        patched = _worded(lambda: run(live))
        kind = self._kind
        if kind is None:
            custom: Object = patched
            return custom
        self._scope.request.empties = empties.given(patched, kind)
        try:
            obj, unknown = self._decoded(patched, kind)
            if not (noted or unknown):
                return self._finished(obj)
        except DecodeError:
            pass
        written = run(in_go_order(live, kind), as_written=True)

        def refuse(text: str) -> errors.StatusError:
            return _invalid(written_text(written), text)

        try:
            obj, unknown = self._decoded(written, kind)
        except DecodeError as error:
            raise refuse(str(error)) from None
        self._validation.judge([*noted, *unknown], refuse)
        return self._finished(obj)

    def _decoded(self, patched: Any, kind: Type) -> tuple[Object, list[str]]:
        """As a body that need not say its kind, but then is not of a version either."""
        stated = codecs.kind_of(patched, b"", self._gvk)
        if not patched.get("apiVersion"):
            return _as_internal(patched, strict=self._is_strict)
        if stated != self._gvk:
            return self._converted(patched, stated)
        return structural.normalize(patched, kind, strict=self._is_strict)

    def _converted(self, patched: Any, stated: GVK) -> tuple[Object, list[str]]:
        """From another version of the kind."""
        kind = schema.find(stated)
        if kind is None:
            raise DecodeError(not_registered(stated.kind, stated.api_version))
        obj, unknown = structural.normalize(patched, kind, strict=self._is_strict)
        catalog = self._scope.services.catalog
        theirs, ours = catalog.kind(stated), catalog.kind(self._gvk)
        if theirs is None or ours is None or theirs.storage_gvr != ours.storage_gvr:
            raise DecodeError(unknown_conversion(stated, self._gvk))
        obj = {**obj, "kind": stated.kind, "apiVersion": stated.api_version}
        defaulting.default(obj, stated)
        if theirs.conversion is not None:
            obj = theirs.conversion.to_storage(obj)
        return (obj if ours.conversion is None else ours.conversion.from_storage(obj)), unknown

    # Applied to its fields.

    def strategic(self, live: Object) -> Object:
        self._must_be_map("")
        kind = self._kind
        if kind is None:
            raise errors.unsupported_media_type(
                accepted(self._scope.services, self._scope.resource)
            )
        noted = self._repeated() if self._is_strict else []
        body: Object = self._body or {}
        patched = _worded(lambda: strategic_patch.apply(live, body, kind))

        def refuse(text: str) -> errors.StatusError:
            return _invalid(plain(strategic_patch.left_over(live, body, kind)), text)

        self._scope.request.empties = empties.given(patched, kind)
        try:
            obj, unknown = restore.normalize(patched, kind, strict=self._is_strict)
        except restore.RestoreError as error:
            raise refuse(str(error)) from None
        self._validation.judge([*noted, *unknown], refuse)
        return self._finished(obj)

    def _finished(self, obj: Object) -> Object:
        rest = {key: value for key, value in obj.items() if key not in _HEAD}
        made = {"kind": self._gvk.kind, "apiVersion": self._gvk.api_version, **rest}
        defaulting.default(made, self._gvk)
        return made


def _as_internal(patched: Object, *, strict: bool) -> tuple[Object, list[str]]:
    """Upstream reads an object without a version as its internal type, whose fields nobody names."""
    fields = [key for key in patched if key not in _HEAD] if strict else []
    return {}, [f"unknown field {quote(key)}" for key in fields]


def _worded(run: Callable[[], Any]) -> Any:
    """What ``run`` gives; what it raises becomes the answer."""
    try:
        return run()
    except json_patch.PatchError as error:
        if error.too_large:
            raise errors.request_entity_too_large(str(error)) from None
        if error.malformed:
            raise errors.bad_request(str(error)) from None
        raise _does_not_fit(str(error)) from None
    except strategic_patch.PatchError as error:
        # upstream: apiserver pkg/endpoints/handlers/patch.go interpretStrategicMergePatchError
        if error.code == HTTPStatus.BAD_REQUEST:
            raise errors.bad_request(str(error)) from None
        if error.code == HTTPStatus.UNPROCESSABLE_ENTITY:
            raise _does_not_fit(str(error)) from None
        raise errors.StatusError(error.code, "", str(error)) from None


def _does_not_fit(text: str) -> errors.StatusError:
    code = HTTPStatus.UNPROCESSABLE_ENTITY
    return errors.generic_server_response(code, "", ("", ""), "", text, 0, is_unexpected=False)


def _invalid(patched: str, text: str) -> errors.StatusError:
    return errors.invalid(("", ""), "", [FieldError.invalid(Path("patch"), patched, text)])
