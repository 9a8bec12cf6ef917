"""Bodies to objects: media type, size, kind, strictness, defaults."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from pykube_cp.api.request_metrics import REQUESTS
from pykube_cp.api.scope import Options, Scope
from pykube_cp.machinery import empties, errors, schema, strict_errors, structural
from pykube_cp.machinery.codec import catalog as codecs
from pykube_cp.machinery.codec.interface import DecodeError, UnreadableError, not_registered
from pykube_cp.machinery.codec.negotiation import media_type_of
from pykube_cp.machinery.go_text import utf8
from pykube_cp.machinery.gvk import GVK, internal_package
from pykube_cp.machinery.objects import Object, deep_copy
from pykube_cp.registry import defaulting

BODY_LIMIT = 3 << 20
_SUMMARY = 30
_YAML_ERRORS = "yaml: unmarshal errors:\n"


@dataclass(slots=True)
class Validation:
    """What to do about unknown and duplicate fields: Ignore, Warn or Strict."""

    warnings: list[str]
    mode: str = ""

    def judge(self, found: list[str], refuse: Callable[[str], errors.StatusError]) -> None:
        """``found`` are texts like ``unknown field "spec.foo"``; ``refuse`` words the refusal."""
        if not found:
            return
        if self.mode == "Strict":
            raise refuse(strict_errors.message(found))
        if self.mode != "Ignore":
            self.warnings.extend(line for text in found for line in _yaml_lines(text))


async def decode_object(scope: Scope, gvk: GVK, options: Options) -> Object:
    """The request's body as an object of ``gvk``, normalised, with defaults."""
    validation = Validation(scope.request.warnings, options.field_validation)
    obj, found = await read_body(scope, gvk, strict=validation.mode != "Ignore")
    stated = check_kind(obj, gvk)
    validation.judge(found, refusal(gvk, stated))
    check_version(stated, gvk)
    defaulting.default(obj, gvk)
    return obj


async def read_body(scope: Scope, gvk: GVK, *, strict: bool) -> tuple[Object, list[str]]:
    """The body in canonical form, and what strict decoding finds; 400, 413 or 415 if it is none."""
    request = scope.request
    if request.object is not None:
        kind = schema.find(gvk)
        request.empties = [] if kind is None else empties.given(request.object, kind)
        return _normalized(request.object, gvk), []
    data = await read_bytes(scope)
    media_type = media_type_of(request.header("content-type") or "application/json")
    known = scope.services.media.types
    if media_type not in known:
        raise errors.unsupported_media_type(known)
    try:
        decode = partial(codecs.decode_body, media_type, data, default=gvk, strict=strict)
        decoded = await scope.read_large(len(data), decode)
    except UnreadableError as error:
        raise errors.bad_request(_unrecognized(gvk, str(error), data)) from None
    except DecodeError as error:
        raise errors.bad_request(_decode_text(gvk, str(error), error.stated)) from None
    request.empties = decoded.empties
    return decoded.obj, decoded.strict_errors


async def read_bytes(scope: Scope) -> bytes:
    """The body as it came; 413 when it is too long."""
    data = await scope.request.body.read(BODY_LIMIT)
    REQUESTS.note_body(scope.request.info, len(data))
    return data


def _normalized(raw: Object, gvk: GVK) -> Object:
    """An object of the local client, as if it had come over the wire."""
    kind = schema.find(gvk)
    if kind is None:
        copied: Object = deep_copy(raw)
        return copied
    try:
        obj, _ = structural.normalize(raw, kind, strict=False)
    except DecodeError as error:
        raise errors.bad_request(_decode_text(gvk, str(error))) from None
    return {
        "kind": raw.get("kind", gvk.kind),
        "apiVersion": raw.get("apiVersion", gvk.api_version),
    } | {key: value for key, value in obj.items() if key not in {"kind", "apiVersion"}}


def check_kind(raw: Any, gvk: GVK) -> GVK:
    """What the body says it is must be of the kind that the URL takes; what it leaves out is filled in."""
    # upstream: apiserver pkg/endpoints/handlers/create.go createHandler
    if not isinstance(raw, dict):
        raise errors.bad_request(f"couldn't get version/kind; json parse error: got {_json(raw)}")
    api_version, kind = raw.get("apiVersion"), raw.get("kind")
    if not isinstance(api_version or "", str) or not isinstance(kind or "", str):
        raise errors.bad_request("couldn't get version/kind; json parse error")
    raw["apiVersion"] = api_version = api_version or gvk.api_version
    raw["kind"] = kind = kind or gvk.kind
    if (api_version, kind) == (gvk.api_version, gvk.kind):
        return gvk
    # upstream: apiserver pkg/endpoints/handlers/rest.go transformDecodeError
    version = api_version.rpartition("/")[2]
    refuse = refusal(gvk, GVK("", version, kind))
    if not _known(api_version, kind):
        raise refuse(not_registered(kind, api_version))
    if kind != gvk.kind:
        raise refuse(unknown_conversion(GVK("", version, kind), gvk))
    return GVK.of(raw)


def check_version(stated: GVK, gvk: GVK) -> None:
    """It must be in the URL's version, too; upstream looks at that last."""
    if stated != gvk:
        raise errors.bad_request(
            f"the API version in the data ({stated.api_version}) does not match the expected API "
            f"version ({gvk.api_version})"
        )


def unknown_conversion(stated: GVK, gvk: GVK) -> str:
    """Upstream's words for an object that is of another kind than wanted."""
    # upstream: apimachinery pkg/conversion/converter.go Converter.Convert
    internal = internal_package(gvk.group)
    source = f"{stated.version}.{stated.kind}"
    return f"converting ({source}) to ({internal}.{gvk.kind}): unknown conversion"


def _yaml_lines(text: str) -> list[str]:
    """Each line that a YAML reader complains of is a warning of its own."""
    # upstream: apiserver pkg/endpoints/handlers/rest.go parseYAMLWarnings
    lines = text.removeprefix("error converting YAML to JSON: ")
    if not lines.startswith(_YAML_ERRORS):
        return [text]
    return [line.strip() for line in lines.removeprefix(_YAML_ERRORS).split("\n")]


def refusal(gvk: GVK, stated: GVK) -> Callable[[str], errors.StatusError]:
    """Makes the 400 for a body that cannot be decoded, of what is wrong with it."""
    return lambda text: errors.bad_request(_decode_text(gvk, text, stated))


def _decode_text(gvk: GVK, text: str, stated: GVK | None = None) -> str:
    # upstream: apiserver pkg/endpoints/handlers/rest.go transformDecodeError
    stated = stated or gvk
    return f'{stated.kind} in version "{stated.version}" cannot be handled as a {gvk.kind}: {text}'


def _unrecognized(gvk: GVK, text: str, data: bytes) -> str:
    """What is said of a body that does not even tell its kind."""
    # upstream: apiserver pkg/endpoints/handlers/rest.go transformDecodeError, summarizeData
    if not data:
        summary = "<empty>"
    else:
        start = data[:_SUMMARY]
        summary = utf8(start) if data[:1] == b"{" else start.hex()
        summary += " ..." if len(data) > _SUMMARY else ""
    return f"the object provided is unrecognized (must be of type {gvk.kind}): {text} ({summary})"


def _known(api_version: Any, kind: Any) -> bool:
    try:
        gvk = GVK.of({"apiVersion": api_version, "kind": kind})
    except ValueError:
        return False
    is_internal = gvk.version == codecs.INTERNAL and schema.has_kind(gvk.group, gvk.kind)
    return is_internal or schema.find(gvk) is not None


def _json(raw: Any) -> str:
    return type(raw).__name__
