"""The pipeline as local clients call it."""

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from pykube_cp.api.filters import request_info
from pykube_cp.api.request import (
    Handler,
    ListResult,
    ObjectResult,
    Outcome,
    Query,
    Request,
    Response,
    Watched,
    WatchResult,
)
from pykube_cp.client.interface import RawResponse
from pykube_cp.client.local import Call
from pykube_cp.machinery import errors
from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.user import UserInfo


class LocalPipeline:
    """Serves ``client.local``. ``handler`` is the whole pipeline but for the encoding."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler

    async def call(self, user: UserInfo, call: Call, user_agent: str = "") -> Object:
        headers = {"user-agent": user_agent}
        if call.content_type:
            headers["content-type"] = call.content_type
        request = _request(user, call, headers)
        request.object = call.body
        return _object(await self._handler(request))

    async def watch(
        self,
        user: UserInfo,
        call: Call,
        deliver: Callable[[str, Object], bool],
        user_agent: str = "",
    ) -> None:
        request = _request(user, call, {"user-agent": user_agent})
        outcome = await self._handler(request)
        assert isinstance(outcome, WatchResult)
        resource = outcome.resource

        def pass_on(watched: Watched) -> bool:
            return deliver(watched.type, _watched(resource, watched))

        await outcome.run(pass_on)

    async def raw(self, user: UserInfo, method: str, path: str, body: bytes) -> RawResponse:
        path, _, query = path.partition("?")
        request = Request(
            method=method,
            path=unquote(path),
            raw_path=path,
            query=Query(query),
            headers={"accept": "application/json"},
            object=body or None,
            user=user,
        )
        request.info = request_info.parse(request)
        outcome = await self._handler(request)
        if isinstance(outcome, Response):
            return RawResponse(outcome.status, outcome.body, dict(outcome.headers))
        raise errors.bad_request(f"{path} cannot be asked for as bytes")


def _request(user: UserInfo, call: Call, headers: dict[str, str]) -> Request:
    query = Query.of(call.parameters)
    info = request_info.of_resource(
        call.method, call.gvr, call.namespace, call.name, call.subresource, query
    )
    return Request(method=call.method, path="", query=query, headers=headers, user=user, info=info)


def _object(outcome: Outcome) -> Object:
    if isinstance(outcome, ListResult):
        return _list(outcome)
    assert isinstance(outcome, ObjectResult)
    if outcome.obj is not None:
        return outcome.obj
    assert outcome.entry is not None
    return _served(outcome.resource.conversion, outcome.entry.object())


def _list(result: ListResult) -> Object:
    conversion = result.resource.conversion
    metadata: Object = {"resourceVersion": str(result.resource_version)}
    if result.continue_:
        metadata["continue"] = result.continue_
    if result.remaining is not None:
        metadata["remainingItemCount"] = result.remaining
    items = [_served(conversion, entry.object()) for entry in result.entries]
    return {"metadata": metadata, "items": items}


def _watched(resource: Any, watched: Watched) -> Object:
    if watched.entry is None:
        metadata: Object = {"resourceVersion": str(watched.stamp)}
        if watched.initial_events_end:
            metadata["annotations"] = {"k8s.io/initial-events-end": "true"}
        return {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": metadata}
    if watched.object is not None and resource.conversion is None:
        return watched.object
    obj = watched.entry.object()
    if watched.stamp:
        obj["metadata"]["resourceVersion"] = str(watched.stamp)
    return _served(resource.conversion, obj)


def _served(conversion: Any, obj: Object) -> Object:
    if conversion is None:
        return obj
    converted: Object = conversion.from_storage(obj)
    return converted
