"""How a refusal is worded."""

from pykube_cp.authz.interface import Attributes
from pykube_cp.machinery import errors
from pykube_cp.machinery.go_text import harmless, quote


def forbidden(attributes: Attributes, reason: str) -> errors.StatusError:
    """403 in upstream's words."""
    # upstream: apiserver pkg/endpoints/handlers/responsewriters/errors.go Forbidden
    text = harmless(_message(attributes))
    if reason:
        text = f"{text}: {reason}"
    return errors.forbidden((attributes.group, attributes.resource), attributes.name, text)


def _message(attributes: Attributes) -> str:
    user = quote(attributes.user.name)
    if not attributes.is_resource:
        return f"User {user} cannot {attributes.verb} path {quote(attributes.path)}"
    resource = attributes.resource
    if attributes.subresource:
        resource = f"{resource}/{attributes.subresource}"
    where = "at the cluster scope"
    if attributes.namespace:
        where = f"in the namespace {quote(attributes.namespace)}"
    return (
        f"User {user} cannot {attributes.verb} resource {quote(resource)} "
        f"in API group {quote(attributes.group)} {where}"
    )
