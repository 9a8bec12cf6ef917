"""Who signs service-account tokens, for those who verify them elsewhere."""
# upstream: pkg/routes/openidmetadata.go, pkg/serviceaccount/openidmetadata.go

import orjson

from pykube_cp.api.endpoints import Endpoint
from pykube_cp.api.request import Outcome, Request, Response
from pykube_cp.api.services import Services

_JSON = "application/json"
_KEYS = "application/jwk-set+json"
_HEADERS = (("Cache-Control", "public, max-age=3600"),)


def endpoints(services: Services) -> dict[str, Endpoint]:
    """The OpenID configuration and the public keys, if there is someone who signs."""
    signer = services.token_signer
    if signer is None:
        return {}

    async def configuration(request: Request) -> Outcome:
        del request
        body = {
            "issuer": signer.issuer,
            "jwks_uri": services.config.jwks_uri or _jwks_uri(services),
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": list(signer.algorithms),
        }
        return Response(200, orjson.dumps(body), _JSON, [*_HEADERS])

    async def keys(request: Request) -> Outcome:
        del request
        return Response(200, orjson.dumps({"keys": signer.public_keys()}), _KEYS, [*_HEADERS])

    return {
        "/.well-known/openid-configuration": Endpoint(configuration, produces=(_JSON,)),
        "/openid/v1/jwks": Endpoint(keys, produces=(_KEYS,)),
    }


def _jwks_uri(services: Services) -> str:
    config = services.config
    return f"https://{config.advertise_address}:{config.port}/openid/v1/jwks"
