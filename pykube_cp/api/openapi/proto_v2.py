"""The protobuf form of OpenAPI 2: which key of a document is which field."""
# upstream: gnostic-models openapiv2/OpenAPIv2.proto

from typing import Any

from pykube_cp.api.openapi.proto import (
    Message,
    any_value,
    boolean,
    by_method,
    choice,
    demands,
    each,
    named,
    one,
    reference_or,
    schema_or_boolean,
    text,
    texts,
)

_SCHEMA = Message(extensions=31)
_SCHEMA.add(
    _ref=text(1),
    format=text(2),
    title=text(3),
    description=text(4),
    default=one(5, any_value),
    **demands(6),
    additionalProperties=one(21, schema_or_boolean(_SCHEMA)),
    type=one(22, text(1).write),
    items=one(23, one(1, _SCHEMA).write),
    allOf=each(24, _SCHEMA),
    properties=one(25, named(1, _SCHEMA).write),
    example=one(30, any_value),
)

_BODY_PARAMETER = Message(
    description=text(1),
    name=text(2),
    in_=text(3),
    required=boolean(4),
    schema=one(5, _SCHEMA),
)
_PATH_PARAMETER = Message(
    required=boolean(1),
    in_=text(2),
    description=text(3),
    name=text(4),
    type=text(5),
    format=text(6),
    uniqueItems=boolean(19),
)
_QUERY_PARAMETER = Message(
    required=boolean(1),
    in_=text(2),
    description=text(3),
    name=text(4),
    type=text(6),
    format=text(7),
    uniqueItems=boolean(20),
)


def _place(parameter: Any) -> int:
    return {"query": 3, "path": 4}[parameter["in"]]


_NON_BODY_PARAMETER = choice(
    _place, _QUERY_PARAMETER, _QUERY_PARAMETER, _QUERY_PARAMETER, _PATH_PARAMETER
)
_PARAMETER = choice(
    lambda value: 1 if value["in"] == "body" else 2, _BODY_PARAMETER, _NON_BODY_PARAMETER
)
_PARAMETERS = reference_or(_PARAMETER)

_RESPONSE = Message(description=text(1), schema=one(2, one(1, _SCHEMA).write))
_RESPONSES = named(1, reference_or(_RESPONSE)).write

_SECURITY = named(1, texts(1).write).write
_OPERATION = Message(
    extensions=13,
    tags=texts(1),
    summary=text(2),
    description=text(3),
    operationId=text(5),
    produces=texts(6),
    consumes=texts(7),
    parameters=each(8, _PARAMETERS),
    responses=one(9, _RESPONSES),
    schemes=texts(10),
    deprecated=boolean(11),
    security=each(12, _SECURITY),
)
_PATH = Message(
    extensions=10,
    **by_method(2, _OPERATION),
    parameters=each(9, _PARAMETERS),
)
_API_KEY = Message(type=text(1), name=text(2), in_=text(3), description=text(4))

DOCUMENT = Message(
    extensions=16,
    swagger=text(1),
    info=one(2, Message(title=text(1), version=text(2), description=text(3))),
    paths=one(8, named(2, _PATH).write),
    definitions=one(9, named(1, _SCHEMA).write),
    parameters=one(10, named(1, _PARAMETER).write),
    security=each(12, _SECURITY),
    securityDefinitions=one(13, named(1, one(2, _API_KEY).write).write),
)
"""The whole document: ``DOCUMENT(obj)`` gives its bytes."""
