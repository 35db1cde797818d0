"""An endpoint across a network: OpenAI's, Azure's, another gateway, or any other that speaks the protocol."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import aiohttp

from vivavoce.client.endpoints import environment_proxy, realtime_url, shown
from vivavoce.errors import ConnectionFailed
from vivavoce.gateway.upstream import Failure, Progress, Reach, Transport
from vivavoce.gateway.upstreams.describing import described
from vivavoce.gateway.upstreams.direct import DirectTransport
from vivavoce.gateway.upstreams.failures import in_our_words
from vivavoce.gateway.upstreams.greeting import greet
from vivavoce.protocol.ids import Ids
from vivavoce.protocol.session import Session
from vivavoce.protocol.session_params import RealtimeSessionParams, SessionParams, TranscriptionSessionParams

__all__ = ["OPENAI_URL", "RemoteUpstream"]

_log = logging.getLogger(__name__)
_IDS = Ids()

OPENAI_URL = "wss://api.openai.com/v1/realtime"

CAPACITY = 1000
"""Sessions that one process relays at one time; benchmarks/relay.py measures what one costs."""

PROBE_SECONDS = 3.0
"""How long the endpoint may take to answer a plain request."""

PROBE_EVERY_SECONDS = 10.0
"""How long an answer about the reach of the endpoint holds."""


@dataclass(frozen=True, slots=True)
class RemoteStatus:
    """There is nothing to load."""

    state: Literal["stopped", "ready"]
    stage: str = ""
    models: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0


class RemoteUpstream:
    """Sessions over WebSockets with the endpoint at ``url``.

    All of them share one connector without a limit of its own. ``model`` is asked for in place of what `connect` is
    told, where there is one.
    """

    def __init__(
        self, url: str, *, key: str | None = None, model: str | None = None, timeout: float = 10.0
    ) -> None:
        self._url = url
        self._key = key
        self._model = model
        self._timeout = timeout
        self._session: aiohttp.ClientSession | None = None
        self._failure: Failure | None = None
        self._reached: tuple[float, bool] | None = None
        """When it was last tried whether the endpoint answers, and whether it did."""
        self._probing = asyncio.Lock()

    @property
    def status(self) -> RemoteStatus:
        """Whether sessions can be asked for."""
        return RemoteStatus("stopped" if self._session is None else "ready")

    @property
    def capacity(self) -> int | None:
        """How many sessions one process relays."""
        return CAPACITY

    async def start(self, progress: Callable[[Progress], None] | None = None) -> None:  # noqa: ARG002
        """Make the connector. Nothing is asked of the endpoint, which may come up later."""
        if self._session is None:
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))

    def describe(self, params: SessionParams) -> Session:
        """Return the session that will be asked for; the endpoint itself is not."""
        return described(_IDS.session(), params)

    async def connect(self, model: str, params: SessionParams, *, call_id: str | None = None) -> Transport:
        """Open a session. Raises `ConnectionFailed` in words that are fit for a client; the log has the endpoint's."""
        try:
            async with asyncio.timeout(self._timeout):
                return await self._open(model, params, call_id)
        except TimeoutError as late:
            failed = ConnectionFailed(f"No session within {self._timeout:g} s.", code="timeout")
            raise self._noted(failed, call_id) from late
        except ConnectionFailed as failed:
            raise self._noted(failed, call_id) from failed

    async def _open(self, model: str, params: SessionParams, call_id: str | None) -> Transport:
        if self._session is None:
            raise ConnectionFailed("This upstream has not been started.", status=503)
        if isinstance(params, RealtimeSessionParams) and params.model:
            model = params.model
        transport = await DirectTransport.connect(
            self._url,
            api_key=self._key,
            model=self._model or model,
            call_id=call_id,
            intent="transcription" if isinstance(params, TranscriptionSessionParams) else None,
            session=self._session,
            timeout=self._timeout,
        )
        if call_id is not None:
            return transport
        try:
            return await greet(transport, params)
        except BaseException:
            await transport.close()
            raise

    async def reach(self) -> Sequence[Reach]:
        """Tell whether the endpoint answers a plain request, which opens no session and carries no key."""
        async with self._probing:
            now = time.monotonic()
            if self._reached is None or now - self._reached[0] >= PROBE_EVERY_SECONDS:
                self._reached = (now, await self._answers())
        return (Reach(self.address, self._reached[1], self._failure),)

    @property
    def address(self) -> str:
        """Where the endpoint is, without anything secret."""
        return shown(realtime_url(self._url))

    async def _answers(self) -> bool:
        address = realtime_url(self._url)
        plain = address.with_scheme("https" if address.scheme == "wss" else "http")
        if self._session is None:
            return False
        timeout = aiohttp.ClientTimeout(total=PROBE_SECONDS)
        try:
            async with self._session.get(
                plain, timeout=timeout, proxy=environment_proxy(address), allow_redirects=False
            ):
                return True  # whatever it says: somebody is there
        except (aiohttp.ClientError, OSError, TimeoutError):
            return False

    def _noted(self, failed: ConnectionFailed, call_id: str | None) -> ConnectionFailed:
        shown_to_clients = in_our_words(failed, call=call_id is not None)
        code = shown_to_clients.code or ""
        if code != "call_not_found":  # that is the client's mistake
            self._failure = Failure(int(time.time()), code)
        text = str(failed).replace(self._key, "…") if self._key else str(failed)
        _log.warning("no session with %s: %s: %s", self.address, code, text)
        return shown_to_clients

    async def close(self) -> None:
        """Let go of the connector, and so of every session."""
        if self._session is not None:
            session, self._session = self._session, None
            await session.close()
