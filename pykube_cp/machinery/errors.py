"""``StatusError``: what the API answers when it refuses, and the one place that words it.

    400  BadRequest               bad_request
    401  Unauthorized             unauthorized
    403  Forbidden                forbidden
    404  NotFound                 not_found
    405  MethodNotAllowed         method_not_supported
    406  NotAcceptable            not_acceptable, not_acceptable_conversion
    409  AlreadyExists            already_exists, generate_name_conflict
         Conflict                 conflict, apply_conflict
    410  Gone                     gone
         Expired                  resource_expired
    413  RequestEntityTooLarge    request_entity_too_large
    415  UnsupportedMediaType     unsupported_media_type
    422  Invalid                  invalid
    429  TooManyRequests          too_many_requests, too_many_requests_error
    500  InternalError            internal_error
         ServerTimeout            server_timeout
    503  ServiceUnavailable       service_unavailable
    504  Timeout                  timeout_error, too_large_resource_version

``generic_server_response`` words an answer that says nothing itself, ``from_status`` reads one.
"""
# upstream: apimachinery pkg/api/errors/errors.go

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from pykube_cp.machinery import field_errors
from pykube_cp.machinery.field_errors import FieldError
from pykube_cp.machinery.go_text import quote
from pykube_cp.machinery.objects import Object

GroupResource: TypeAlias = tuple[str, str]
"""Group and plural resource, ``("apps", "deployments")``; for ``invalid``, group and kind."""

BAD_REQUEST = "BadRequest"
UNAUTHORIZED = "Unauthorized"
FORBIDDEN = "Forbidden"
NOT_FOUND = "NotFound"
METHOD_NOT_ALLOWED = "MethodNotAllowed"
NOT_ACCEPTABLE = "NotAcceptable"
ALREADY_EXISTS = "AlreadyExists"
CONFLICT = "Conflict"
GONE = "Gone"
EXPIRED = "Expired"
REQUEST_ENTITY_TOO_LARGE = "RequestEntityTooLarge"
UNSUPPORTED_MEDIA_TYPE = "UnsupportedMediaType"
INVALID = "Invalid"
TOO_MANY_REQUESTS = "TooManyRequests"
INTERNAL_ERROR = "InternalError"
SERVER_TIMEOUT = "ServerTimeout"
SERVICE_UNAVAILABLE = "ServiceUnavailable"
TIMEOUT = "Timeout"
STORE_READ_ERROR = "StorageReadError"

CAUSE_FIELD_MANAGER_CONFLICT = "FieldManagerConflict"
CAUSE_RESOURCE_VERSION_TOO_LARGE = "ResourceVersionTooLarge"
CAUSE_UNEXPECTED_SERVER_RESPONSE = "UnexpectedServerResponse"

_CODES = {
    BAD_REQUEST: 400,
    UNAUTHORIZED: 401,
    FORBIDDEN: 403,
    NOT_FOUND: 404,
    METHOD_NOT_ALLOWED: 405,
    NOT_ACCEPTABLE: 406,
    ALREADY_EXISTS: 409,
    CONFLICT: 409,
    GONE: 410,
    EXPIRED: 410,
    REQUEST_ENTITY_TOO_LARGE: 413,
    UNSUPPORTED_MEDIA_TYPE: 415,
    INVALID: 422,
    TOO_MANY_REQUESTS: 429,
    INTERNAL_ERROR: 500,
    SERVER_TIMEOUT: 500,
    STORE_READ_ERROR: 500,
    SERVICE_UNAVAILABLE: 503,
    TIMEOUT: 504,
}


class StatusError(Exception):
    """A refusal as the API sends it.

    Attributes:
        code: of HTTP.
        reason: one word for programs, empty when upstream gives none.
        message: for people; what ``str()`` gives.
        details: ``StatusDetails`` or None, which is left out.
        headers: to send along, such as ``Retry-After``.
        list_meta: the Status's metadata; a list that cannot go on puts a fresh token here.
    """

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        details: Object | None = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details
        self.headers = dict(headers or {})
        self.list_meta: Object = {}

    @property
    def retry_after_seconds(self) -> int:
        """When the client should try again; 0 when nothing is said."""
        return int((self.details or {}).get("retryAfterSeconds") or 0)

    @property
    def causes(self) -> list[Object]:
        return (self.details or {}).get("causes") or []

    def status(self) -> Object:
        """The ``Status`` object."""
        made: Object = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": self.list_meta,
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "details": self.details,
            "code": self.code,
        }
        if not self.message:
            del made["message"]
        if not self.reason:
            del made["reason"]
        if self.details is None:
            del made["details"]
        return made

    def __str__(self) -> str:
        return self.message


def qualified(gr: GroupResource) -> str:
    """``pods``, ``deployments.apps``."""
    group, resource = gr
    return f"{resource}.{group}" if group else resource


def _details(gr: GroupResource = ("", ""), name: str = "", **more: Any) -> Object:
    group, resource = gr
    made = {"name": name, "group": group, "kind": resource, **more}
    return {key: value for key, value in made.items() if value}


def _error(reason: str, message: str, details: Object | None = None) -> StatusError:
    return StatusError(_CODES[reason], reason, message, details)


def not_found(gr: GroupResource, name: str) -> StatusError:
    return _error(NOT_FOUND, f"{qualified(gr)} {quote(name)} not found", _details(gr, name))


def already_exists(gr: GroupResource, name: str) -> StatusError:
    text = f"{qualified(gr)} {quote(name)} already exists"
    return _error(ALREADY_EXISTS, text, _details(gr, name))


def generate_name_conflict(gr: GroupResource, name: str, retry_after: int) -> StatusError:
    text = (
        f"{qualified(gr)} {quote(name)} already exists, "
        "the server was not able to generate a unique name for the object"
    )
    return _error(ALREADY_EXISTS, text, _details(gr, name, retryAfterSeconds=retry_after))


def unauthorized(message: str) -> StatusError:
    return _error(UNAUTHORIZED, message or "not authorized")


def forbidden(gr: GroupResource, name: str, err: object) -> StatusError:
    """``gr`` may be ``("", "")`` for paths that are no resources."""
    if gr == ("", ""):
        text = f"forbidden: {err}"
    elif not name:
        text = f"{qualified(gr)} is forbidden: {err}"
    else:
        text = f"{qualified(gr)} {quote(name)} is forbidden: {err}"
    return _error(FORBIDDEN, text, _details(gr, name))


def conflict(gr: GroupResource, name: str, err: object) -> StatusError:
    text = f"Operation cannot be fulfilled on {qualified(gr)} {quote(name)}: {err}"
    return _error(CONFLICT, text, _details(gr, name))


def apply_conflict(causes: Sequence[Object], message: str) -> StatusError:
    return _error(CONFLICT, message, _details(causes=list(causes)))


def gone(message: str) -> StatusError:
    return _error(GONE, message)


def resource_expired(message: str) -> StatusError:
    return _error(EXPIRED, message)


def invalid(gk: tuple[str, str], name: str, errors: Sequence[FieldError]) -> StatusError:
    """``gk`` is group and kind."""
    text = f"{qualified(gk)} {quote(name)} is invalid"
    if errors:
        text = f"{text}: {field_errors.aggregate(errors)}"
    return _error(INVALID, text, _details(gk, name, causes=field_errors.causes(errors)))


def bad_request(message: str) -> StatusError:
    return _error(BAD_REQUEST, message)


def too_many_requests(message: str, retry_after: int) -> StatusError:
    return _error(TOO_MANY_REQUESTS, message, _details(retryAfterSeconds=retry_after))


def too_many_requests_error(message: str) -> StatusError:
    return _error(TOO_MANY_REQUESTS, f"Too many requests: {message}")


def service_unavailable(message: str) -> StatusError:
    return _error(SERVICE_UNAVAILABLE, message)


def method_not_supported(gr: GroupResource, verb: str) -> StatusError:
    text = f"{verb} is not supported on resources of kind {quote(qualified(gr))}"
    return _error(METHOD_NOT_ALLOWED, text, _details(gr))


def server_timeout(gr: GroupResource, operation: str, retry_after: int) -> StatusError:
    text = (
        f"The {operation} operation against {qualified(gr)} "
        "could not be completed at this time, please try again."
    )
    return _error(SERVER_TIMEOUT, text, _details(gr, operation, retryAfterSeconds=retry_after))


def internal_error(err: object) -> StatusError:
    text = str(err)
    cause = {"message": text} if text else {}
    return _error(INTERNAL_ERROR, f"Internal error occurred: {text}", {"causes": [cause]})


def timeout_error(message: str, retry_after: int) -> StatusError:
    return _error(TIMEOUT, f"Timeout: {message}", _details(retryAfterSeconds=retry_after))


def too_large_resource_version(wanted: int, current: int, retry_after: int) -> StatusError:
    # upstream: apiserver pkg/storage/errors.go NewTooLargeResourceVersionError
    text = f"Too large resource version: {wanted}, current: {current}"
    cause = {
        "reason": CAUSE_RESOURCE_VERSION_TOO_LARGE,
        "message": "Too large resource version",
    }
    made = timeout_error(text, retry_after)
    made.details = {"causes": [cause], **(made.details or {})}
    return made


def request_entity_too_large(message: str) -> StatusError:
    return _error(REQUEST_ENTITY_TOO_LARGE, f"Request entity too large: {message}")


def not_acceptable(accepted: Sequence[str]) -> StatusError:
    # upstream: apiserver pkg/endpoints/handlers/negotiation/errors.go
    text = f"only the following media types are accepted: {', '.join(accepted)}"
    return _error(NOT_ACCEPTABLE, text)


def not_acceptable_conversion(target: str, accepted: Sequence[str]) -> StatusError:
    text = (
        f"only the following media types are accepted when converting to {target}: "
        f"{', '.join(accepted)}"
    )
    return _error(NOT_ACCEPTABLE, text)


def unsupported_media_type(accepted: Sequence[str]) -> StatusError:
    text = (
        "the body of the request was in an unknown format - "
        f"accepted media types include: {', '.join(accepted)}"
    )
    return _error(UNSUPPORTED_MEDIA_TYPE, text)


_GENERIC = {
    409: (CONFLICT, "the server reported a conflict"),
    404: (NOT_FOUND, "the server could not find the requested resource"),
    400: (BAD_REQUEST, "the server rejected our request for an unknown reason"),
    401: (UNAUTHORIZED, "the server has asked for the client to provide credentials"),
    405: (METHOD_NOT_ALLOWED, "the server does not allow this method on the requested resource"),
    422: (INVALID, "the server rejected our request due to an error in our request"),
    503: (SERVICE_UNAVAILABLE, "the server is currently unable to handle the request"),
    504: (
        TIMEOUT,
        (
            "the server was unable to return a response in the time allotted, "
            "but may still be processing the request"
        ),
    ),
    429: (
        TOO_MANY_REQUESTS,
        "the server has received too many requests and has asked us to try again later",
    ),
}
_UNABLE_TO_RESPOND = "the server was unable to respond with a content type that the client supports"


def generic_server_response(
    code: int,
    verb: str,
    gr: GroupResource,
    name: str,
    server_message: str,
    retry_after: int,
    *,
    is_unexpected: bool,
) -> StatusError:
    """What to make of an answer with that code and no Status in it; ``verb`` is HTTP's."""
    reason, text = _generic_reason(code, verb, server_message)
    if gr != ("", ""):
        about = f"{verb.lower()} {qualified(gr)} {name}".rstrip()
        text = f"{text} ({about})"
    cause = {"reason": CAUSE_UNEXPECTED_SERVER_RESPONSE, "message": server_message}
    causes = [cause] if is_unexpected else []
    details = _details(gr, name, causes=causes, retryAfterSeconds=retry_after)
    return StatusError(code, reason, text, details)


def _generic_reason(code: int, verb: str, server_message: str) -> tuple[str, str]:
    if code == 409 and verb == "POST":
        return ALREADY_EXISTS, "the server reported a conflict"
    if code == 403:
        return FORBIDDEN, server_message
    if code == 406:
        silent = server_message in {"", "unknown"}
        return NOT_ACCEPTABLE, _UNABLE_TO_RESPOND if silent else server_message
    if code == 415:
        return UNSUPPORTED_MEDIA_TYPE, server_message
    if code in _GENERIC:
        return _GENERIC[code]
    if code >= 500:
        return INTERNAL_ERROR, (
            f"an error on the server ({quote(server_message)}) "
            "has prevented the request from succeeding"
        )
    return "", (
        f"the server responded with the status code {code} but did not return more information"
    )


def from_status(status: Object) -> StatusError:
    """The error that a ``Status`` object tells of."""
    return StatusError(
        int(status.get("code") or 0),
        status.get("reason") or "",
        status.get("message") or "",
        status.get("details"),
    )


# What an error is: by reason, or by code where the reason is none that is known.


def _is(err: BaseException | None, reason: str) -> bool:
    if not isinstance(err, StatusError):
        return False
    return err.reason == reason or (err.reason not in _CODES and err.code == _CODES[reason])


def _says(err: BaseException | None, reason: str) -> bool:
    return isinstance(err, StatusError) and err.reason == reason


def is_not_found(err: BaseException | None) -> bool:
    return _is(err, NOT_FOUND)


def is_already_exists(err: BaseException | None) -> bool:
    return _says(err, ALREADY_EXISTS)


def is_conflict(err: BaseException | None) -> bool:
    return _is(err, CONFLICT)


def is_invalid(err: BaseException | None) -> bool:
    return _is(err, INVALID)


def is_gone(err: BaseException | None) -> bool:
    return _is(err, GONE)


def is_resource_expired(err: BaseException | None) -> bool:
    return _says(err, EXPIRED)


def is_gone_or_expired(err: BaseException | None) -> bool:
    """Whether a list or watch has to start anew."""
    return is_gone(err) or is_resource_expired(err)


def is_bad_request(err: BaseException | None) -> bool:
    return _is(err, BAD_REQUEST)


def is_unauthorized(err: BaseException | None) -> bool:
    return _is(err, UNAUTHORIZED)


def is_forbidden(err: BaseException | None) -> bool:
    return _is(err, FORBIDDEN)


def is_method_not_supported(err: BaseException | None) -> bool:
    return _is(err, METHOD_NOT_ALLOWED)


def is_not_acceptable(err: BaseException | None) -> bool:
    return _is(err, NOT_ACCEPTABLE)


def is_unsupported_media_type(err: BaseException | None) -> bool:
    return _is(err, UNSUPPORTED_MEDIA_TYPE)


def is_timeout(err: BaseException | None) -> bool:
    return _is(err, TIMEOUT)


def is_server_timeout(err: BaseException | None) -> bool:
    return _says(err, SERVER_TIMEOUT)


def is_internal_error(err: BaseException | None) -> bool:
    return _is(err, INTERNAL_ERROR)


def is_service_unavailable(err: BaseException | None) -> bool:
    return _is(err, SERVICE_UNAVAILABLE)


def is_too_many_requests(err: BaseException | None) -> bool:
    return _says(err, TOO_MANY_REQUESTS) or (isinstance(err, StatusError) and err.code == 429)


def is_request_entity_too_large(err: BaseException | None) -> bool:
    return _says(err, REQUEST_ENTITY_TOO_LARGE) or (
        isinstance(err, StatusError) and err.code == 413
    )


def has_cause(err: BaseException | None, reason: str) -> bool:
    """Whether one of the causes has that reason, ``NamespaceTerminating`` say."""
    return isinstance(err, StatusError) and any(
        cause.get("reason") == reason for cause in err.causes
    )


def is_too_large_resource_version(err: BaseException | None) -> bool:
    return is_timeout(err) and has_cause(err, CAUSE_RESOURCE_VERSION_TOO_LARGE)


def suggests_client_delay(err: BaseException | None) -> int | None:
    """Seconds to wait before trying again, or None when nothing is said."""
    if not isinstance(err, StatusError) or err.details is None:
        return None
    if err.reason == SERVER_TIMEOUT or err.retry_after_seconds > 0:
        return err.retry_after_seconds
    return None
