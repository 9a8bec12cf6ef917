"""Operations that are about no resource: discovery, version, the keys of token signers."""
# upstream: apiserver pkg/endpoints/discovery, pkg/routes in kubernetes and apiserver

from pykube_cp.api.endpoints import OBJECT_MEDIA
from pykube_cp.api.openapi.names import operation_id_and_tag, valid_id
from pykube_cp.api.openapi.operations import TEXT, Operation
from pykube_cp.machinery.schema import META
from pykube_cp.registry.catalog import Catalog

_JSON_MEDIA = ("application/json",)
_VERSION_INFO = "io.k8s.apimachinery.pkg.version.Info"


def of_roots(catalog: Catalog) -> dict[str, list[Operation]]:
    """By the name of their document: ``version``, ``api``, ``apis/apps``, ``apis/apps/v1``."""
    found: dict[str, list[Operation]] = {
        ".well-known/openid-configuration": [_openid_configuration()],
        "api": [_discovery("/api/", "getAPIVersions", "available API versions", "APIVersions")],
        "apis": [_discovery("/apis/", "getAPIVersions", "available API versions", "APIGroupList")],
        "openid/v1/jwks": [_keys()],
        "version": [_version()],
    }
    for group in catalog.groups():
        root = f"apis/{group.name}" if group.name else "api"
        if group.name:
            text = "information of a group"
            found[root] = [_discovery(f"/{root}/", "getAPIGroup", text, "APIGroup")]
        for version in group.versions:
            path = f"{root}/{version}"
            text = "available resources"
            found[path] = [_discovery(f"/{path}/", "getAPIResources", text, "APIResourceList")]
    return dict(sorted(found.items()))


def _discovery(path: str, name: str, text: str, kind: str) -> Operation:
    id_, tag = operation_id_and_tag(name, path)
    return Operation(
        path=path,
        method="get",
        id=id_,
        tag=tag,
        description=f"get {text}",
        consumes=OBJECT_MEDIA,
        answers=((200, "OK", META + kind),),
    )


def _version() -> Operation:
    return Operation(
        path="/version/",
        method="get",
        id="getCodeVersion",
        tag="version",
        description="get the version information for this server",
        consumes=_JSON_MEDIA,
        produces=_JSON_MEDIA,
        answers=((200, "OK", _VERSION_INFO),),
    )


def _openid_configuration() -> Operation:
    return Operation(
        path="/.well-known/openid-configuration/",
        method="get",
        id="getServiceAccountIssuerOpenIDConfiguration",
        tag=valid_id(".well-known", upper=True),
        description="get service account issuer OpenID configuration, also known as the "
        "'OIDC discovery doc'",
        consumes=(),
        produces=_JSON_MEDIA,
        answers=((200, "OK", TEXT),),
    )


def _keys() -> Operation:
    return Operation(
        path="/openid/v1/jwks/",
        method="get",
        id="getServiceAccountIssuerOpenIDKeyset",
        tag="openid",
        description="get service account issuer OpenID JSON Web Key Set (contains public token "
        "verification keys)",
        consumes=(),
        produces=("application/jwk-set+json",),
        answers=((200, "OK", TEXT),),
    )
