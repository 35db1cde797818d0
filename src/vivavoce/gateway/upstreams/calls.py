"""Calls that an endpoint across a network takes itself: the offers pass here, the media does not."""

import asyncio
from dataclasses import dataclass
from http import HTTPStatus

import aiohttp
import msgspec
from aiohttp import hdrs
from msgspec import UNSET
from yarl import URL

from vivavoce.client.endpoints import credentials, environment_proxy, realtime_url
from vivavoce.client.transport import WebSocketTransport
from vivavoce.errors import ConnectionFailed, ProtocolError
from vivavoce.gateway.upstream import Transport
from vivavoce.gateway.upstreams.failures import in_our_words
from vivavoce.protocol.session_params import RealtimeSessionParams

__all__ = ["CallRelay", "RelayedCall"]

MOST_ANSWER_BYTES = 65_536
"""Of an endpoint's answer."""


@dataclass(frozen=True, slots=True)
class RelayedCall:
    """A call that has begun between a client and the endpoint."""

    answer: str
    """For the client, as SDP."""
    call_id: str


class CallRelay:
    """Begins calls with the endpoint at ``url``, on behalf of clients, and controls them."""

    def __init__(self, url: str, *, key: str | None, model: str | None = None, timeout: float = 10.0) -> None:
        address = realtime_url(url)
        self._url, self._key, self._model, self._timeout = url, key, model, timeout
        self._calls = (
            address.with_scheme("https" if address.scheme == "wss" else "http").with_query(None) / "calls"
        )
        self._session: aiohttp.ClientSession | None = None

    async def begin(self, offer: str, model: str, params: RealtimeSessionParams) -> RelayedCall:
        """Pass a client's offer on. Raises `ConnectionFailed`, and `ProtocolError` where the offer is refused."""
        if not params.model:
            params = msgspec.structs.replace(params, model=self._model or model or UNSET)
        form = aiohttp.FormData()
        form.add_field("sdp", offer, content_type="application/sdp")
        form.add_field("session", msgspec.json.encode(params).decode(), content_type="application/json")
        async with self._post(self._calls, form) as response:
            text = (await response.content.read(MOST_ANSWER_BYTES)).decode(errors="replace")
            if response.status == HTTPStatus.BAD_REQUEST:
                raise ProtocolError(
                    "The upstream refuses this offer, or this session.", code="invalid_offer", param="sdp"
                )
            call_id = response.headers.get(hdrs.LOCATION, "").rstrip("/").rpartition("/")[2]
            if response.status != HTTPStatus.CREATED or not call_id:
                raise in_our_words(ConnectionFailed(text[:500], status=response.status))
            return RelayedCall(text, call_id)

    async def attach(self, call_id: str) -> Transport:
        """Open the session that controls a call. Raises `ConnectionFailed`."""
        try:
            return await WebSocketTransport.connect(
                self._url, api_key=self._key, call_id=call_id, session=self._open()
            )
        except ConnectionFailed as failed:
            raise in_our_words(failed, call=True) from failed

    async def hang_up(self, call_id: str) -> None:
        """End a call; one that has ended is no error."""
        async with self._post(self._calls / call_id / "hangup", None):
            pass

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=self._timeout)
            )
        return self._session

    def _post(self, url: URL, data: aiohttp.FormData | None) -> "_Posting":
        return _Posting(self._open(), url, data, dict(credentials(url, self._key)))

    async def close(self) -> None:
        """Let go of all connections."""
        if self._session is not None:
            session, self._session = self._session, None
            await session.close()


class _Posting:
    """A request whose failures are told in words that are fit for a client."""

    def __init__(
        self, http: aiohttp.ClientSession, url: URL, data: aiohttp.FormData | None, headers: dict[str, str]
    ) -> None:
        self._request = http.post(
            url, data=data, headers=headers, proxy=environment_proxy(url), allow_redirects=False
        )

    async def __aenter__(self) -> aiohttp.ClientResponse:
        try:
            return await self._request.__aenter__()
        except TimeoutError as error:
            raise in_our_words(ConnectionFailed("late", code="timeout")) from error
        except (aiohttp.ClientError, asyncio.IncompleteReadError, OSError) as error:
            raise in_our_words(ConnectionFailed(str(error))) from error

    async def __aexit__(self, *error: object) -> None:
        await self._request.__aexit__(None, None, None)
