"""``metav1.ListOptions`` out of a query, with upstream's rules on what goes with what."""
# upstream: apimachinery pkg/apis/meta/internalversion/validation/validation.go ValidateListOptions

import msgspec
from msgspec.structs import replace

from pykube_cp.api.request import Query
from pykube_cp.api.versions import parse_version
from pykube_cp.machinery import errors
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.go_numbers import parse_int

_MATCHES = ("Exact", "NotOlderThan", "")


class ListOptions(msgspec.Struct, frozen=True):
    """Options of a list or watch. ``version_text`` tells an absent version from "0"."""

    version_text: str = ""
    version: int = 0
    match: str = ""
    limit: int = 0
    continue_: str = ""
    timeout_seconds: int | None = None
    allow_bookmarks: bool = False
    send_initial_events: bool | None = None


_NONE = ListOptions()


def parse(query: Query, *, watch: bool) -> ListOptions:
    """Checked options; 422 of kind ListOptions for combinations that make no sense."""
    if not query and not watch:
        return _NONE
    text = query.get("resourceVersion")
    options = ListOptions(
        version_text=text,
        match=query.get("resourceVersionMatch"),
        limit=max(number(query, "limit") or 0, 0),
        continue_=query.get("continue"),
        timeout_seconds=number(query, "timeoutSeconds"),
        allow_bookmarks=bool(query.flag("allowWatchBookmarks")),
        send_initial_events=query.flag("sendInitialEvents"),
    )
    if watch:
        options = _with_initial_events(options)
    found = _check_watch(options) if watch else _check_list(options)
    if found:
        raise errors.invalid(("meta.k8s.io", "ListOptions"), "", found)
    if options.continue_ and not watch:
        return options  # its token tells the version
    return replace(options, version=parse_version(text, listing=not watch))


def _with_initial_events(options: ListOptions) -> ListOptions:
    """Watches that begin with all there is, as they always did, are lists by way of a watch."""
    # upstream: apimachinery pkg/apis/meta/internalversion/defaults.go SetListOptionsDefaults
    says_nothing = options.send_initial_events is None and not options.match
    if says_nothing and options.version_text in {"", "0"}:
        return replace(options, send_initial_events=True, match="NotOlderThan")
    return options


def number(query: Query, name: str) -> int | None:
    """None when it is not there at all; 400 when it is none."""
    # upstream: apimachinery pkg/runtime/converter.go Convert_Slice_string_To_int64
    if name not in query:
        return None
    try:
        return parse_int(query.get(name))
    except ValueError as error:
        raise errors.bad_request(str(error)) from None


def _check_list(options: ListOptions) -> list[FieldError]:
    found = []
    if options.match:
        found += _check_match(options)
    if options.send_initial_events is not None:
        path = Path("sendInitialEvents")
        found.append(FieldError.forbidden(path, "sendInitialEvents is forbidden for list"))
    return found


def _check_match(options: ListOptions) -> list[FieldError]:
    path, found = Path("resourceVersionMatch"), []
    if not options.version_text:
        detail = "resourceVersionMatch is forbidden unless resourceVersion is provided"
        found.append(FieldError.forbidden(path, detail))
    if options.continue_:
        detail = "resourceVersionMatch is forbidden when continue is provided"
        found.append(FieldError.forbidden(path, detail))
    if options.match not in _MATCHES:
        found.append(FieldError.not_supported(path, options.match, _MATCHES))
    if options.match == "Exact" and options.version_text == "0":
        detail = 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'
        found.append(FieldError.forbidden(path, detail))
    return found


def _check_watch(options: ListOptions) -> list[FieldError]:
    path, found = Path("resourceVersionMatch"), []
    asked, match = options.send_initial_events is not None, options.match
    if asked and match != "NotOlderThan":
        detail = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
        found.append(FieldError.forbidden(path, detail))
    if not match:
        return found
    if not asked:
        detail = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
        found.append(FieldError.forbidden(path, detail))
    if match != "NotOlderThan":
        found.append(FieldError.not_supported(path, match, ["NotOlderThan"]))
    if options.continue_:
        detail = "resourceVersionMatch is forbidden when continue is provided"
        found.append(FieldError.forbidden(path, detail))
    return found
