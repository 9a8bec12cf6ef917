"""Who signs service-account tokens, for those who verify them elsewhere; and the root's index."""
# upstream: pkg/serviceaccount/openidmetadata.go

from collections.abc import Awaitable, Callable

import orjson

from pykube_cp.api.request import Outcome, Request, Response
from pykube_cp.api.services import Services

Route = Callable[[Request], Awaitable[Outcome]]


def routes(services: Services) -> dict[str, Route]:
    """``/``, the OpenID configuration and the public keys."""

    async def configuration(request: Request) -> Outcome:
        signer = services.token_signer
        if signer is None or request.path.rstrip("/") != "/.well-known/openid-configuration":
            return Response(404, b"404 page not found\n", "text/plain; charset=utf-8")
        body = {
            "issuer": signer.issuer,
            "jwks_uri": services.config.jwks_uri or _jwks_uri(services),
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": list(signer.algorithms),
        }
        headers = [("Cache-Control", "public, max-age=3600")]
        return Response(200, orjson.dumps(body), headers=headers)

    async def keys(request: Request) -> Outcome:
        signer = services.token_signer
        if signer is None or request.path.rstrip("/") != "/openid/v1/jwks":
            return Response(404, b"404 page not found\n", "text/plain; charset=utf-8")
        headers = [("Cache-Control", "public, max-age=3600")]
        body = orjson.dumps({"keys": signer.public_keys()})
        return Response(200, body, "application/jwk-set+json", headers)

    async def index(request: Request) -> Outcome:
        if request.path.strip("/"):
            return Response(404, b"404 page not found\n", "text/plain; charset=utf-8")
        return Response(200, orjson.dumps({"paths": _paths(services)}))

    return {"/": index, "/.well-known": configuration, "/openid": keys}


def _jwks_uri(services: Services) -> str:
    config = services.config
    return f"https://{config.advertise_address}:{config.port}/openid/v1/jwks"


def _paths(services: Services) -> list[str]:
    found = {"/.well-known/openid-configuration", "/api", "/apis", "/healthz", "/livez"}
    found |= {"/metrics", "/openapi/v2", "/openapi/v3", "/openid/v1/jwks", "/readyz", "/version"}
    for group in services.catalog.groups():
        if group.name:
            found.add(f"/apis/{group.name}")
        root = f"/apis/{group.name}" if group.name else "/api"
        found.update(f"{root}/{version}" for version in group.versions)
    return sorted(found)
