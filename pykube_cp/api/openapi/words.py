"""What both versions of OpenAPI say in the same words."""

from pykube_cp import KUBERNETES_VERSION
from pykube_cp.api.openapi.operations import Operation, Parameter
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.descriptions import Descriptions

BEARER_TOKEN: Object = {
    "description": "Bearer Token authentication",
    "type": "apiKey",
    "name": "authorization",
    "in": "header",
}


def info() -> Object:
    return {"title": "Kubernetes", "version": KUBERNETES_VERSION[1:].rpartition(".")[0]}


def kind_of(operation: Operation) -> Object:
    """What an operation does to which kind, for clients that look operations up by kind."""
    kind = operation.kind
    if kind is None:
        return {}
    written = {"group": kind.group, "version": kind.version, "kind": kind.kind}
    return {
        "x-kubernetes-action": operation.action,
        "x-kubernetes-group-version-kind": written,
    }


def described(parameter: Parameter, descriptions: Descriptions) -> Object:
    text = parameter.text or descriptions.of_parameter(parameter.options, parameter.name)
    return {"description": text} if text else {}
