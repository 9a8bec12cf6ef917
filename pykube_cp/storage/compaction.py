"""Forgetting old revisions: what is older than one interval goes."""
# upstream: apiserver pkg/storage/etcd3/compact.go compactor

import asyncio
import logging

from pykube_cp.storage.interface import Closed, Storage

_log = logging.getLogger(__name__)


class Compactor:
    """Each interval, compacts to the revision that was current an interval ago."""

    def __init__(self, storage: Storage, interval: float) -> None:
        self._storage = storage
        self._interval = interval

    async def run(self) -> None:
        if self._interval <= 0:
            return
        before = self._storage.revision
        while True:
            await asyncio.sleep(self._interval)
            now = self._storage.revision
            try:
                await self._storage.compact(before)
            except Closed:
                return
            except Exception:  # noqa: BLE001 - tried again at the next turn
                _log.exception("compaction at %d failed", before)
            before = now
