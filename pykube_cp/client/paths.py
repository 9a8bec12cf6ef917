"""URLs, queries and bodies of requests to the API."""

from typing import TypeAlias
from urllib.parse import quote, urlencode

from pykube_cp.client.interface import NO_OPTIONS, DeleteOptions, WriteOptions
from pykube_cp.machinery.gvk import GVR
from pykube_cp.machinery.objects import Object


def path_of(gvr: GVR, namespace: str = "", name: str = "", subresource: str = "") -> str:
    """The path of an object, a collection or a subresource."""
    parts = ["/apis" if gvr.group else "/api", gvr.api_version]
    if namespace:
        parts += ["namespaces", quote(namespace, safe="")]
    parts.append(gvr.resource)
    if name:
        parts.append(quote(name, safe=":"))
    if subresource:
        parts.append(subresource)
    return "/".join(parts)


Parameters: TypeAlias = dict[str, str]
"""Of a query; those that would be empty are left out."""

_NONE: Parameters = {}


def query_of(parameters: Parameters) -> str:
    return urlencode(parameters) if parameters else ""


def list_parameters(
    label_selector: str,
    field_selector: str,
    resource_version: str = "",
    limit: int = 0,
    continue_: str = "",
) -> Parameters:
    """Of a list, or the deletion of one."""
    if not (label_selector or field_selector or resource_version or limit or continue_):
        return _NONE
    return _given(
        {
            "labelSelector": label_selector,
            "fieldSelector": field_selector,
            "resourceVersion": resource_version,
            "limit": str(limit or ""),
            "continue": continue_,
        }
    )


def write_parameters(options: WriteOptions) -> Parameters:
    """Of a create, update or patch."""
    if options is NO_OPTIONS:
        return _NONE
    return _given(
        {
            "fieldManager": options.field_manager,
            "dryRun": "All" if options.dry_run else "",
            "force": "true" if options.force else "",
        }
    )


def watch_parameters(
    resource_version: str,
    label_selector: str,
    field_selector: str,
    send_initial_events: bool | None,  # noqa: FBT001 - as the interface has it
    timeout_seconds: int | None,
) -> Parameters:
    """Of a watch; bookmarks are always asked for."""
    initial = "" if send_initial_events is None else str(send_initial_events).lower()
    return _given(
        {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": resource_version,
            "labelSelector": label_selector,
            "fieldSelector": field_selector,
            "timeoutSeconds": str(timeout_seconds or ""),
            "sendInitialEvents": initial,
            "resourceVersionMatch": "NotOlderThan" if initial else "",
        }
    )


def _given(parameters: Parameters) -> Parameters:
    return {name: value for name, value in parameters.items() if value}


def delete_options(options: DeleteOptions) -> Object:
    """``metav1.DeleteOptions``."""
    body: Object = {"kind": "DeleteOptions", "apiVersion": "v1"}
    if options.grace_period_seconds is not None:
        body["gracePeriodSeconds"] = options.grace_period_seconds
    if options.propagation is not None:
        body["propagationPolicy"] = options.propagation.value
    preconditions = {"uid": options.uid, "resourceVersion": options.resource_version}
    given = {key: value for key, value in preconditions.items() if value}
    if given:
        body["preconditions"] = given
    if options.dry_run:
        body["dryRun"] = ["All"]
    return body
