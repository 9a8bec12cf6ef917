"""Outbound HTTP, for everything that calls out: the only place that knows aiohttp.

Answers are answers whatever their status; what did not come to an answer is an ``OSError``
(``ConnectionError`` or ``TimeoutError``). aiohttp is imported with the first request: a process
that calls nobody does not pay for it.
"""

import asyncio
import errno
import ssl
from collections.abc import AsyncIterable, AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pykube_cp.client.interface import RawResponse

if TYPE_CHECKING:
    import aiohttp

CONNECT_TIMEOUT = 30.0
REQUEST_TIMEOUT = 90.0
"""A little more than the server itself takes at most, so that it is usually heard why."""

_NO_HEADERS: Mapping[str, str] = {}
_RESET = {errno.ECONNRESET, errno.EPIPE}


@dataclass(frozen=True, slots=True)
class StreamedResponse:
    """An answer whose body is still arriving, in ``chunks`` of any size."""

    status: int
    headers: Mapping[str, str]
    chunks: AsyncIterator[bytes]


class HttpClient:
    """A pool of connections with common headers and TLS settings."""

    def __init__(
        self,
        *,
        tls: ssl.SSLContext | None = None,
        headers: Mapping[str, str] | Sequence[tuple[str, str]] = _NO_HEADERS,
        proxy: str = "",
        decompress: bool = True,
    ) -> None:
        """Make a client; connections are opened as they are needed.

        Args:
            tls: for https; None trusts the system's CAs.
            headers: sent with each request; as pairs where a name occurs several times.
            proxy: URL of an HTTP proxy.
            decompress: unpack bodies; False passes them on as they come.
        """
        self._tls = tls
        self._headers = headers
        self._proxy = proxy or None
        self._decompress = decompress
        self._open: aiohttp.ClientSession | None = None

    @property
    def _session(self) -> "aiohttp.ClientSession":
        import aiohttp  # noqa: PLC0415 - heavy, and not every process calls out

        if self._open is None:
            connector = aiohttp.TCPConnector(
                limit=0, ssl=self._tls if self._tls is not None else True
            )
            self._open = aiohttp.ClientSession(
                connector=connector,
                headers=self._headers,
                auto_decompress=self._decompress,
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._open

    async def request(
        self,
        method: str,
        url: str,
        *,
        body: bytes | AsyncIterable[bytes] = b"",
        headers: Mapping[str, str] = _NO_HEADERS,
        timeout: float = REQUEST_TIMEOUT,
        server_name: str = "",
    ) -> RawResponse:
        """Send a request and wait for the whole answer; redirects are not followed."""
        streaming = self.stream(
            method, url, body=body, headers=headers, timeout=timeout, server_name=server_name
        )
        async with streaming as response:
            content = b"".join([chunk async for chunk in response.chunks])
            return RawResponse(response.status, content, response.headers)

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        url: str,
        *,
        body: bytes | AsyncIterable[bytes] = b"",
        headers: Mapping[str, str] = _NO_HEADERS,
        timeout: float | None = None,
        server_name: str = "",
    ) -> AsyncIterator[StreamedResponse]:
        """Send a request and read the answer as it comes.

        Args:
            method: GET and so on.
            url: the whole URL.
            body: bytes, or what yields them.
            headers: besides the client's.
            timeout: seconds for all of it; None for as long as it takes.
            server_name: to expect in the server's certificate, if not the host of ``url``.
        """
        import aiohttp  # noqa: PLC0415 - as above

        limits = aiohttp.ClientTimeout(total=timeout, sock_connect=CONNECT_TIMEOUT)
        with _as_os_errors():
            async with self._session.request(
                method,
                url,
                data=body or None,
                headers=headers,
                timeout=limits,
                proxy=self._proxy,
                allow_redirects=False,
                server_hostname=server_name or None,
            ) as response:
                chunks = response.content.iter_any()
                yield StreamedResponse(response.status, response.headers, _chunks(chunks))

    async def close(self) -> None:
        """Close all connections."""
        if self._open is not None:
            await self._open.close()
            self._open = None
            # Transports under TLS need a turn of the loop to be gone.
            await asyncio.sleep(0)


async def _chunks(source: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    with _as_os_errors():
        async for chunk in source:
            yield chunk


@contextmanager
def _as_os_errors() -> Iterator[None]:
    import aiohttp  # noqa: PLC0415 - as above

    try:
        yield
    except TimeoutError:
        raise
    except aiohttp.ClientError as error:
        text = str(error) or type(error).__name__
        number = getattr(error, "errno", None)
        if isinstance(error, aiohttp.ServerDisconnectedError) or number in _RESET:
            raise ConnectionResetError(text) from error
        raise ConnectionError(text) from error
