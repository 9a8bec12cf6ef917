"""How a refusal is worded."""

from pykube_cp.authz.interface import Attributes
from pykube_cp.machinery import errors


def forbidden(attributes: Attributes, reason: str) -> errors.StatusError:
    """403 in upstream's words."""
    # upstream: apiserver pkg/endpoints/handlers/responsewriters/errors.go Forbidden
    text = _message(attributes)
    if reason:
        text = f"{text}: {reason}"
    return errors.forbidden((attributes.group, attributes.resource), attributes.name, text)


def _message(attributes: Attributes) -> str:
    user = attributes.user.name
    if not attributes.is_resource:
        return f'User "{user}" cannot {attributes.verb} path "{attributes.path}"'
    resource = attributes.resource
    if attributes.subresource:
        resource = f"{resource}/{attributes.subresource}"
    where = (
        f'in the namespace "{attributes.namespace}"'
        if attributes.namespace
        else "at the cluster scope"
    )
    return (
        f'User "{user}" cannot {attributes.verb} resource "{resource}" '
        f'in API group "{attributes.group}" {where}'
    )
