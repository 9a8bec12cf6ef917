"""In which form a client gets an answer about a resource: agreed on before anything is done."""
# upstream: apiserver pkg/endpoints/handlers/rest.go RequestScope.AllowsMediaTypeTransform,
# response.go optionsForTransform

from pykube_cp.api.request import ListResult, ObjectResult, Request, Result
from pykube_cp.machinery import errors
from pykube_cp.machinery.codec.catalog import Media
from pykube_cp.machinery.codec.negotiation import (
    Accepted,
    Allows,
    NotAcceptableError,
    as_it_is,
    negotiate,
)
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.gvk import GVK, internal_package
from pykube_cp.registry.resource import Resource, Subresource

TABLE = "Table"
_PARTIAL = frozenset({"PartialObjectMetadata", "PartialObjectMetadataList"})
_META, _VERSIONS = "meta.k8s.io", frozenset({"v1", "v1beta1"})
_INCLUDED = ("Metadata", "Object", "None", "")


def agree(
    request: Request, media: Media, resource: Resource, subresource: Subresource | None
) -> Accepted:
    """What the client wants and can have; 406 when there is nothing."""
    if subresource is not None:
        shown = subresource.has_table
    else:
        shown = "list" in resource.verbs
    return accepted(
        request,
        media,
        allows=_with_tables if shown else _without_tables,
        stream=request.info.verb == "watch",
        server_version="v1",
    )


def accepted(
    request: Request,
    media: Media,
    *,
    allows: Allows = as_it_is,
    stream: bool = False,
    server_version: str = "",
) -> Accepted:
    """The same for what is no resource; 406 when there is nothing."""
    try:
        return negotiate(
            request.header("accept"),
            media.codecs,
            allows=allows,
            stream=stream,
            server_version=server_version,
        )
    except NotAcceptableError as error:
        raise errors.StatusError(406, "NotAcceptable", str(error)) from None


def _with_tables(media_type: str, target: GVK | None) -> bool:
    if target is not None and target.kind == TABLE and _is_known(target):
        return media_type in {"application/json", "application/yaml"}
    return _without_tables(media_type, target)


def _without_tables(_media_type: str, target: GVK | None) -> bool:
    return target is None or (target.kind in _PARTIAL and _is_known(target))


def _is_known(target: GVK) -> bool:
    return target.group == _META and target.version in _VERSIONS


def check(request: Request, result: Result, form: Accepted) -> None:
    """What is found out only when there is an answer: 400 or 406."""
    wanted = form.convert.kind if form.convert is not None else ""
    if wanted == TABLE:
        _check_included(request.query.get("includeObject"))
    group = internal_package(result.resource.group)
    # upstream: apiserver pkg/endpoints/handlers/response.go asPartialObjectMetadata
    if isinstance(result, ListResult) and wanted == "PartialObjectMetadata":
        text = f"the requested object is a list (*{group}.{result.resource.list_kind})"
    elif isinstance(result, ObjectResult) and wanted == "PartialObjectMetadataList":
        text = f"the requested object is not a list (*{group}.{result.resource.kind})"
    else:
        return
    raise errors.StatusError(406, "NotAcceptable", f"you requested {wanted}, but {text}")


def _check_included(included: str) -> None:
    # upstream: apimachinery pkg/apis/meta/v1/validation/validation.go ValidateTableOptions
    if included not in _INCLUDED:
        path, text = Path("includeObject"), "must be 'Metadata', 'Object', 'None', or empty"
        error = FieldError.invalid(path, included, text)
        raise errors.bad_request(f"Unable to convert to Table as requested: {error}")
