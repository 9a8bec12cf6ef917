"""Resource versions that clients name, and waiting until they are reached."""

from pykube_cp.machinery import errors, go_text
from pykube_cp.storage.interface import FutureRevision
from pykube_cp.storage.watch_cache import WatchCache

FRESH_SECONDS = 3.0


_LARGEST = (1 << 64) - 1


def parse_version(text: str, *, listing: bool = False) -> int:
    """The revision; an error when it is no number, which only lists call the client's."""
    # upstream: apiserver pkg/storage/api_object_versioner.go ParseResourceVersion
    if not text:
        return 0
    is_number = text.isascii() and text.isdigit()
    if is_number and int(text) <= _LARGEST:
        return int(text)
    problem = "value out of range" if is_number else "invalid syntax"
    detail = (
        f"resourceVersion: Invalid value: {go_text.quote(text)}: "
        f"strconv.ParseUint: parsing {go_text.quote(text)}: {problem}"
    )
    if listing:
        raise errors.bad_request(f"invalid resource version: {detail}")
    raise errors.StatusError(500, "", detail)


async def wait_for(caches: WatchCache, revision: int) -> None:
    """Return when the cache has reached ``revision``; 504 when that takes too long."""
    try:
        await caches.wait_for(revision, FRESH_SECONDS)
    except FutureRevision as error:
        raise errors.too_large_resource_version(error.revision, error.current, 1) from None
