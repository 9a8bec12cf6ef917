"""Paths that are about no resource: what each of them lets pass, and what the others get."""
# upstream: apiserver pkg/server/mux/pathrecorder.go, github.com/emicklei/go-restful jsr311.go

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from pykube_cp.api.request import Outcome, Request, Response
from pykube_cp.machinery import errors
from pykube_cp.machinery.objects import Object

Route = Callable[[Request], Awaitable[Outcome]]

PLAIN = "text/plain; charset=utf-8"
NO_SNIFFING = ("X-Content-Type-Options", "nosniff")
OBJECT_MEDIA = ("application/json", "application/yaml", "application/vnd.kubernetes.protobuf")
STREAM_MEDIA = (
    *OBJECT_MEDIA,
    "application/json;stream=watch",
    "application/vnd.kubernetes.protobuf;stream=watch",
)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What is served at a path.

    Attributes:
        produces: media types; a client that takes none of them gets 406 before anything else.
            An endpoint with media types answers to GET only, and with a slash behind its path.
        below: it answers for all paths below it, too; its path ends with a slash.
        listed: whether the index names it.
    """

    handle: Route
    produces: tuple[str, ...] = ()
    below: bool = False
    listed: bool = True

    async def answer(self, request: Request) -> Outcome:
        if self.produces:
            if request.method != "GET":
                raise not_allowed()
            require_acceptable(request, self.produces)
        return await self.handle(request)


Endpoints = Mapping[str, Endpoint]


def find(endpoints: Endpoints, path: str) -> Endpoint | None:
    """The endpoint of a path."""
    found = endpoints.get(path)
    if found is not None:
        return found
    found = endpoints.get(path.removesuffix("/"))
    if found is not None and found.produces:
        return found
    return next(
        (each for start, each in endpoints.items() if each.below and path.startswith(start)), None
    )


def is_below_any(endpoints: Endpoints, path: str) -> bool:
    """Whether the path goes on behind that of an endpoint which answers with a Status then."""
    return any(
        each.produces and not each.below and path.startswith(f"{start}/")
        for start, each in endpoints.items()
    )


def not_found_page() -> Response:
    """What a path that nobody serves gets."""
    # upstream: net/http server.go Error
    return Response(404, b"404 page not found\n", PLAIN, [NO_SNIFFING])


def not_found() -> errors.StatusError:
    """404 for what is not there below a path that is."""
    details: Object = {}
    text = "the server could not find the requested resource"
    return errors.StatusError(404, "NotFound", text, details)


def not_allowed() -> errors.StatusError:
    """405 for a verb that nobody serves at that path."""
    text = "the server does not allow this method on the requested resource"
    return errors.StatusError(405, "MethodNotAllowed", text, {})


def require_consumable(request: Request, consumes: list[str]) -> None:
    """415 when none of the media types that the client names for the body is known."""
    # upstream: github.com/emicklei/go-restful route.go matchesContentType
    given = request.header("content-type").split(",")
    if not any(part.partition(";")[0].strip() in consumes for part in given):
        raise errors.StatusError(415, "UnsupportedMediaType", "415: Unsupported Media Type", {})


def require_acceptable(request: Request, produces: tuple[str, ...]) -> None:
    """406 when the client names none of the media types; ranges count only as a whole."""
    # upstream: github.com/emicklei/go-restful route.go matchesAccept
    if "*/*" in produces:
        return
    accept = request.header("accept") or "*/*"
    for part in accept.split(","):
        media_type = part.partition(";")[0].strip()
        if media_type == "*/*" or media_type in produces:
            return
    text = f"406: Not Acceptable\n\nAvailable representations: {', '.join(produces)}"
    raise errors.StatusError(406, "NotAcceptable", text, {})
