"""``metav1.DeleteOptions`` out of a body or, without one, of a query, checked."""
# upstream: apiserver pkg/endpoints/handlers/delete.go DeleteResource

from pykube_cp.api.decode import read_bytes
from pykube_cp.api.request import Query
from pykube_cp.api.scope import Options, Scope
from pykube_cp.machinery import errors, schema, structural
from pykube_cp.machinery.codec import catalog as codecs
from pykube_cp.machinery.codec.interface import Codec, DecodeError, not_registered
from pykube_cp.machinery.codec.negotiation import media_type_of
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.go_numbers import parse_int
from pykube_cp.machinery.gvk import GVK
from pykube_cp.machinery.objects import Object
from pykube_cp.registry import deletion
from pykube_cp.registry.deletion import UNSAFE

_KIND = GVK("", "v1", "DeleteOptions")
_SCHEME = "pkg/apis/meta/internalversion/scheme/register.go:27"


async def read(scope: Scope) -> tuple[Object, Options]:
    """The options, and what of them every write has."""
    request = scope.request
    if request.object is not None:
        raw: Object = dict(request.object)
    elif data := await read_bytes(scope):
        kind, media = request.header("content-type"), scope.services.media
        raw = await scope.read_large(len(data), _of_body, kind, data, media)
    else:
        raw = _of_query(request.query)
    deletion.check_options(raw)
    return raw, Options(dry_run=bool(raw.get("dryRun")))


def check_collection(raw: Object) -> None:
    """Reading errors are overlooked for one object at a time."""
    if raw.get(UNSAFE):
        text = "is not allowed with DELETECOLLECTION, try again after removing the option"
        raise deletion.invalid_options([FieldError.invalid(Path(UNSAFE), True, text)])


def _of_body(content_type: str, data: bytes, media: codecs.Media) -> Object:
    media_type = media_type_of(content_type or codecs.JSON.media_type)
    if media_type not in media.types:
        raise errors.unsupported_media_type(media.types)
    codec = codecs.KNOWN[media_type]
    try:
        return _decoded(codec, data)
    except DecodeError as error:
        raise errors.bad_request(str(error)) from None


def _decoded(codec: Codec, data: bytes) -> Object:
    try:
        value = codec.decode(data, _KIND)
    except DecodeError as error:
        # upstream: apimachinery pkg/runtime/serializer/json/meta.go Interpret
        start = codecs.BEFORE_UNREADABLE.get(codec.media_type, "")
        raise DecodeError(f"{start}{error}") from None
    gvk = codecs.kind_of(value, data, _KIND)
    if gvk.kind != _KIND.kind:  # each group has these options, in whatever version
        raise DecodeError(not_registered(gvk.kind, gvk.api_version, _SCHEME))
    obj: Object = value or {}
    if not codec.typed:
        obj = _normalized(codec, data, obj)
    return obj


def _normalized(codec: Codec, data: bytes, value: Object) -> Object:
    kind = schema.type_of(_KIND)
    try:
        obj, _ = structural.normalize(value, kind, strict=False)
    except DecodeError as error:
        raise codecs.worded(error, codec, data, value, kind) from None
    return obj


def _of_query(query: Query) -> Object:
    # upstream: apimachinery pkg/apis/meta/v1/conversion.go Convert_url_Values_To_v1_DeleteOptions
    raw: Object = {}
    if "gracePeriodSeconds" in query:
        try:
            raw["gracePeriodSeconds"] = parse_int(query.get("gracePeriodSeconds") or "0")
        except ValueError as error:
            raise errors.bad_request(str(error)) from None
    if "propagationPolicy" in query:
        raw["propagationPolicy"] = query.get("propagationPolicy")
    for name in ("orphanDependents", UNSAFE):
        if (flag := query.flag(name)) is not None:
            raw[name] = flag
    if "dryRun" in query:
        raw["dryRun"] = query.all("dryRun")
    preconditions = {name: query.get(name) for name in ("uid", "resourceVersion")}
    if preconditions := {name: value for name, value in preconditions.items() if value}:
        raw["preconditions"] = preconditions
    return raw
