"""Resource versions that clients name, and waiting until they are reached."""

from pykube_cp.machinery import errors
from pykube_cp.storage.interface import FutureRevision
from pykube_cp.storage.watch_cache import WatchCache

FRESH_SECONDS = 3.0


def parse_version(text: str) -> int:
    """The revision; ``StatusError`` 400 when it is no number."""
    if not text:
        return 0
    if not text.isascii() or not text.isdigit() or len(text) > 19:
        raise errors.bad_request(
            f'Invalid value: "{text}": strconv.ParseUint: parsing "{text}": invalid syntax'
        )
    return int(text)


async def wait_for(caches: WatchCache, revision: int) -> None:
    """Return when the cache has reached ``revision``; 504 when that takes too long."""
    try:
        await caches.wait_for(revision, FRESH_SECONDS)
    except FutureRevision as error:
        raise errors.too_large_resource_version(error.revision, error.current, 1) from None
