"""The protobuf form of OpenAPI 3: which key of a document is which field."""
# upstream: gnostic-models openapiv3/OpenAPIv3.proto

from pykube_cp.api.openapi.proto import (
    Message,
    boolean,
    by_method,
    demands,
    each,
    named,
    one,
    reference_or,
    scalar,
    schema_or_boolean,
    text,
    texts,
)

_SCHEMA = Message(extensions=36)
_SCHEMAS = reference_or(_SCHEMA)
_SCHEMA.add(
    nullable=boolean(1),
    readOnly=boolean(3),
    title=text(9),
    **demands(10),
    type=text(25),
    allOf=each(26, _SCHEMAS),
    oneOf=each(27, _SCHEMAS),
    anyOf=each(28, _SCHEMAS),
    not_=one(29, _SCHEMA),
    items=one(30, one(1, _SCHEMAS).write),
    properties=one(31, named(1, _SCHEMAS).write),
    additionalProperties=one(32, schema_or_boolean(_SCHEMAS)),
    default=one(33, scalar),
    description=text(34),
    format=text(35),
)

_PARAMETERS = reference_or(
    Message(
        extensions=14,
        name=text(1),
        in_=text(2),
        description=text(3),
        required=boolean(4),
        deprecated=boolean(5),
        allowEmptyValue=boolean(6),
        schema=one(10, _SCHEMAS),
    )
)
_MEDIA_TYPES = named(1, Message(schema=one(1, _SCHEMAS))).write
_REQUEST_BODY = reference_or(
    Message(description=text(1), content=one(2, _MEDIA_TYPES), required=boolean(3))
)
_RESPONSE = reference_or(Message(description=text(1), content=one(3, _MEDIA_TYPES)))
_OPERATION = Message(
    extensions=13,
    tags=texts(1),
    summary=text(2),
    description=text(3),
    operationId=text(5),
    parameters=each(6, _PARAMETERS),
    requestBody=one(7, _REQUEST_BODY),
    responses=one(8, named(2, _RESPONSE).write),
    deprecated=boolean(10),
)
_PATH = Message(
    extensions=14,
    **by_method(4, _OPERATION),
    parameters=each(13, _PARAMETERS),
)
_SECURITY_SCHEME = reference_or(
    Message(type=text(1), description=text(2), name=text(3), in_=text(4))
)
_COMPONENTS = Message(
    schemas=one(1, named(1, _SCHEMAS).write),
    securitySchemes=one(7, named(1, _SECURITY_SCHEME).write),
)

DOCUMENT = Message(
    extensions=9,
    openapi=text(1),
    info=one(2, Message(title=text(1), description=text(2), version=text(6))),
    paths=one(4, named(1, _PATH).write),
    components=one(5, _COMPONENTS),
)
"""The whole document: ``DOCUMENT(obj)`` gives its bytes."""
