"""Bearer tokens that do not last: read again from a file, or asked for again from the API."""

# upstream: client-go transport/token_source.go,
# controller-manager pkg/clientbuilder/client_builder_dynamic.go

import asyncio
import logging
from pathlib import Path
from typing import Protocol

from pykube_cp.client.interface import Client
from pykube_cp.machinery import clock, errors
from pykube_cp.machinery.errors import StatusError
from pykube_cp.machinery.gvk import GVR
from pykube_cp.machinery.objects import Object

log = logging.getLogger(__name__)

FILE_PERIOD = 50.0
TOKEN_SECONDS = 3600
MIN_TOKEN_SECONDS = 600.0
_USABLE_SHARE = 0.8
_SERVICE_ACCOUNTS = GVR("", "v1", "serviceaccounts")
_NAMESPACES = GVR("", "v1", "namespaces")


class TokenSource(Protocol):
    """Whoever can say which token to send."""

    async def token(self) -> str:
        """A token that is good now."""
        ...

    def reset(self) -> None:
        """The last token was refused: get another one."""
        ...


class StaticToken:
    """A token that never changes."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def token(self) -> str:
        return self._token

    def reset(self) -> None:
        """There is no other token."""


class _Cached:
    """Asks once at a time, and keeps the old token when it gets no new one."""

    def __init__(self) -> None:
        self._token = ""
        self._good_until = 0.0
        self._lock = asyncio.Lock()

    async def token(self) -> str:
        if self._is_good():
            return self._token
        async with self._lock:
            if not self._is_good():
                await self._renew()
        return self._token

    def reset(self) -> None:
        self._good_until = 0.0

    def _is_good(self) -> bool:
        return bool(self._token) and clock.monotonic() < self._good_until

    async def _renew(self) -> None:
        try:
            token, seconds = await self._fetch()
        except (StatusError, OSError) as error:
            if not self._token:
                raise
            log.warning("unable to rotate token: %s", error)
            return
        self._token, self._good_until = token, clock.monotonic() + seconds

    async def _fetch(self) -> tuple[str, float]:
        """A new token and for how many seconds to use it."""
        raise NotImplementedError


class FileToken(_Cached):
    """The content of a file that somebody else keeps fresh."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = Path(path)

    async def _fetch(self) -> tuple[str, float]:
        token = (await asyncio.to_thread(self._path.read_text, encoding="utf-8")).strip()
        if not token:
            raise OSError(f"read empty token from file {str(self._path)!r}")
        return token, FILE_PERIOD


class ServiceAccountToken(_Cached):
    """Tokens of a service account, which is made if there is none."""

    def __init__(self, client: Client, name: str, namespace: str = "kube-system") -> None:
        super().__init__()
        self._client = client
        self._name = name
        self._namespace = namespace

    async def _fetch(self) -> tuple[str, float]:
        request: Object = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": TOKEN_SECONDS},
        }
        try:
            answer = await self._ask(request)
        except StatusError as error:
            if not errors.is_not_found(error):
                raise
            await self._create_account()
            answer = await self._ask(request)
        status = answer["status"]
        left = clock.parse_time(status["expirationTimestamp"]) - clock.now()
        return status["token"], max(left, MIN_TOKEN_SECONDS) * _USABLE_SHARE

    async def _ask(self, request: Object) -> Object:
        return await self._client.create(
            _SERVICE_ACCOUNTS, request, self._namespace, name=self._name, subresource="token"
        )

    async def _create_account(self) -> None:
        namespace: Object = {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": self._namespace},
        }
        account: Object = {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": self._name, "namespace": self._namespace},
        }
        await self._create_if_absent(_NAMESPACES, namespace, "")
        await self._create_if_absent(_SERVICE_ACCOUNTS, account, self._namespace)

    async def _create_if_absent(self, gvr: GVR, obj: Object, namespace: str) -> None:
        try:
            await self._client.create(gvr, obj, namespace)
        except StatusError as error:
            # Whether it may make namespaces or not: what is really missing shows in the next step.
            if not (errors.is_already_exists(error) or gvr == _NAMESPACES):
                raise
