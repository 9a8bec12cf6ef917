"""Listening, and keeping track of connections."""

import asyncio
import contextlib
import ssl

from pykube_cp.api.edge.http1 import HEAD_SECONDS, Http1Protocol
from pykube_cp.api.request import WireHandler
from pykube_cp.machinery import clock

_SWEEP_SECONDS = 5.0
_BACKLOG = 1024


class EdgeServer:
    """Serves one address. ``port`` is the real one after ``start``, also when 0 was asked for."""

    def __init__(
        self, handler: WireHandler, host: str, port: int, tls: ssl.SSLContext | None
    ) -> None:
        self._handler = handler
        self._host = host
        self.port = port
        self._tls = tls
        self._connections: set[Http1Protocol] = set()
        self._server: asyncio.Server | None = None
        self._sweeper: asyncio.Task[None] | None = None

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Http1Protocol(self._handler, self._connections),
            self._host,
            self.port,
            ssl=self._tls,
            ssl_handshake_timeout=HEAD_SECONDS if self._tls else None,
            backlog=_BACKLOG,
        )
        self.port = self._server.sockets[0].getsockname()[1]
        self._sweeper = loop.create_task(self._sweep())

    async def stop(self, grace: float = 2.0) -> None:
        """Take no more connections, let requests finish for ``grace`` seconds, then cut them."""
        if self._server is None:
            return
        self._server.close()
        if self._sweeper is not None:
            self._sweeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._sweeper
        for connection in list(self._connections):
            connection.close_when_idle()
        deadline = clock.monotonic() + grace
        while self._connections and clock.monotonic() < deadline:  # noqa: ASYNC110 - has an end
            await asyncio.sleep(0.02)
        for connection in list(self._connections):
            connection.transport.abort()

    @property
    def connections(self) -> int:
        return len(self._connections)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            now = clock.monotonic()
            for connection in list(self._connections):
                connection.sweep(now)
