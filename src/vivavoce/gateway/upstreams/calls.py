"""Calls that an endpoint across a network takes itself: the offers pass here, the media does not."""

import asyncio
import logging
from http import HTTPStatus

import aiohttp
import msgspec
from msgspec import UNSET

from vivavoce.client import calls
from vivavoce.client.calls import BegunCall
from vivavoce.client.retrying import Backoff, Fate, Reconnect, fate
from vivavoce.client.transport import WebSocketTransport
from vivavoce.errors import ConnectionFailed, ProtocolError
from vivavoce.gateway.upstream import Transport
from vivavoce.gateway.upstreams.attached import Attached
from vivavoce.gateway.upstreams.failures import in_our_words
from vivavoce.protocol.session_params import RealtimeSessionParams

__all__ = ["CallRelay"]

_log = logging.getLogger(__name__)

PATIENCE = Reconnect(attempts=4)
"""With an endpoint that does not hang up: while its call goes on, it is paid for."""


class CallRelay:
    """Begins calls with the endpoint at ``url``, on behalf of clients, and controls them."""

    def __init__(
        self, url: str, *, key: str | None, model: str | None = None, timeout: float = calls.CALL_SECONDS
    ) -> None:
        self._url, self._key, self._model, self._timeout = url, key, model, timeout
        self._session: aiohttp.ClientSession | None = None

    async def begin(self, offer: str, model: str, params: RealtimeSessionParams) -> BegunCall:
        """Pass a client's offer on. Raises `ConnectionFailed`, and `ProtocolError` where the offer is refused."""
        if not params.model:
            params = msgspec.structs.replace(params, model=self._model or model or UNSET)
        try:
            return await calls.begin_call(
                self._open(), self._url, offer, params, api_key=self._key, timeout=self._timeout
            )
        except ConnectionFailed as failed:
            if failed.status == HTTPStatus.BAD_REQUEST:
                raise ProtocolError(
                    "The upstream refuses this offer, or this session.", code="invalid_offer", param="sdp"
                ) from failed
            raise in_our_words(failed) from failed

    async def attach(self, call_id: str) -> Transport:
        """Open the session that controls a call, and goes on where its line breaks. Raises `ConnectionFailed`."""
        return Attached(await self._attach(call_id), lambda: self._attach(call_id))

    async def _attach(self, call_id: str) -> Transport:
        try:
            return await WebSocketTransport.connect(
                self._url, api_key=self._key, call_id=call_id, session=self._open()
            )
        except ConnectionFailed as failed:
            raise in_our_words(failed, call=True) from failed

    async def hang_up(self, call_id: str) -> None:
        """End a call; one that has ended is no error. Raises nothing: what cannot be helped, the log says."""
        backoff, why = Backoff(PATIENCE), ""
        while (pause := backoff.wait()) is not None:
            await asyncio.sleep(pause)
            try:
                await calls.hang_up(
                    self._open(), self._url, call_id, api_key=self._key, timeout=self._timeout
                )
            except ConnectionFailed as failed:
                why = str(failed)
                if fate(failed) is Fate.FATAL:
                    break
            else:
                return
        _log.error("a call could not be hung up, and may go on at the endpoint: %s", why)

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        return self._session

    async def close(self) -> None:
        """Let go of all connections."""
        if self._session is not None:
            session, self._session = self._session, None
            await session.close()
