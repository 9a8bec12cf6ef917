"""URLs, queries and bodies of requests to the API."""

from typing import Any
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


def query_of(**parameters: Any) -> str:
    """A query of the parameters that are not empty; a trailing ``_`` of a name is dropped."""
    return urlencode({key.rstrip("_"): value for key, value in parameters.items() if value})


def write_query(options: WriteOptions) -> str:
    """The query of a create, update or patch."""
    if options is NO_OPTIONS:
        return ""
    return query_of(
        fieldManager=options.field_manager,
        dryRun="All" if options.dry_run else "",
        force="true" if options.force else "",
    )


def watch_query(
    resource_version: str,
    label_selector: str,
    field_selector: str,
    send_initial_events: bool | None,  # noqa: FBT001 - as the interface has it
    timeout_seconds: int | None,
) -> str:
    """The query of a watch; bookmarks are always asked for."""
    initial = "" if send_initial_events is None else str(send_initial_events).lower()
    return query_of(
        watch="true",
        allowWatchBookmarks="true",
        resourceVersion=resource_version,
        labelSelector=label_selector,
        fieldSelector=field_selector,
        timeoutSeconds=timeout_seconds,
        sendInitialEvents=initial,
        resourceVersionMatch="NotOlderThan" if initial else "",
    )


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
