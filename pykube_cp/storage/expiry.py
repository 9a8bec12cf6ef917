"""Removing what has outlived its time: events after their hour."""

import asyncio
import logging

import orjson

from pykube_cp.machinery import clock
from pykube_cp.storage.interface import Closed, Conflict, Delete, KeyValue, Storage
from pykube_cp.storage.object_store import renderer

_log = logging.getLogger(__name__)
_SECONDS = 10.0
_BATCH = 500


class Expiry:
    """Deletes expired keys, as if someone had done so by hand."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def run(self) -> None:
        while True:
            await asyncio.sleep(_SECONDS)
            try:
                while await self.sweep() == _BATCH:
                    pass
            except Closed:
                return
            except Exception:  # noqa: BLE001 - tried again at the next turn
                _log.exception("removing expired keys failed")

    async def sweep(self) -> int:
        """Delete one batch; how many there were."""
        found = await self._storage.expired(clock.now(), _BATCH)
        for kv in found:
            try:
                await self._storage.commit([_deletion(kv)])
            except Conflict:
                continue  # written again meanwhile
        return len(found)


def _deletion(kv: KeyValue) -> Delete:
    return Delete(key=kv.key, render=renderer(orjson.loads(kv.value)), expected=kv.revision)
