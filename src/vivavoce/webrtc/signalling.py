"""What a caller asks an endpoint over HTTP: to take its call, to go on over another way, and to hang up."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

import aiohttp
import msgspec
from aiohttp import hdrs

from vivavoce.errors import ConnectionFailed
from vivavoce.protocol.session_params import RealtimeSessionParams

__all__ = ["CALL_SECONDS", "Signalling"]

CALL_SECONDS = 15.0
"""For the answer to an offer: to connect, and for the endpoint to find its own addresses."""

WAY_SECONDS = 10.0
"""For the answer to an offer of another way."""

HANG_UP_SECONDS = 3.0
"""To be heard by an endpoint that forgets the call by itself in half a minute."""

SDP = "application/sdp"

_log = logging.getLogger(__name__)


class _Error(msgspec.Struct):
    message: str | None = None
    code: str | None = None


class _Refusal(msgspec.Struct):
    error: _Error


class Signalling:
    """One call at the endpoint of ``url``, such as ``https://api.openai.com/v1``.

    All of it raises `ConnectionFailed`: the endpoint cannot be reached, or it refuses, and then with the status, the
    code and the message of its refusal.
    """

    def __init__(
        self, url: str, *, api_key: str | None = None, http: aiohttp.ClientSession | None = None
    ) -> None:
        self._url = url.rstrip("/")
        self._headers = {hdrs.AUTHORIZATION: f"Bearer {api_key}"} if api_key else {}
        self._http = http
        self.call_id = ""
        """The endpoint's name of the call, once it is taken."""
        self._hung_up = False

    async def begin(self, offer: str, session: RealtimeSessionParams | None) -> str:
        """Offer a call whose session begins so; return the answer, both in SDP."""
        data: aiohttp.FormData | str = offer
        if session is not None:
            data = aiohttp.FormData()
            data.add_field("sdp", offer, content_type=SDP)
            data.add_field("session", msgspec.json.encode(session).decode(), content_type="application/json")
        response, answer = await self._ask(hdrs.METH_POST, "", data, CALL_SECONDS)
        self.call_id = response.headers.get(hdrs.LOCATION, "").rstrip("/").rpartition("/")[2]
        return answer

    async def restart(self, offer: str) -> str:
        """Offer the call another way; return the answer, both in SDP."""
        _, answer = await self._ask(hdrs.METH_PATCH, f"/{self.call_id}", offer, WAY_SECONDS)
        return answer

    async def hang_up(self) -> None:
        """End the call, if the endpoint has taken it; what cannot be told it finds out by itself.

        Hanging up twice does nothing more.
        """
        if not self.call_id or self._hung_up:
            return
        self._hung_up = True
        try:
            await self._ask(hdrs.METH_POST, f"/{self.call_id}/hangup", None, HANG_UP_SECONDS)
        except ConnectionFailed as failed:
            _log.debug("a call could not be hung up: %s", failed)

    async def _ask(
        self, method: str, path: str, data: aiohttp.FormData | str | None, seconds: float
    ) -> tuple[aiohttp.ClientResponse, str]:
        headers = {**self._headers, hdrs.CONTENT_TYPE: SDP} if isinstance(data, str) else self._headers
        address, timeout = f"{self._url}/realtime/calls{path}", aiohttp.ClientTimeout(total=seconds)
        try:
            async with (
                self._session() as http,
                http.request(method, address, data=data, headers=headers, timeout=timeout) as response,
            ):
                text = await response.text()
        except TimeoutError as error:
            raise ConnectionFailed(f"{self._url} did not answer in {seconds:g} s.", code="timeout") from error
        except (aiohttp.ClientError, OSError) as error:
            raise ConnectionFailed(f"Cannot reach {self._url}: {error}.") from error
        if response.status not in {HTTPStatus.OK, HTTPStatus.CREATED}:
            raise self._refused(response, text)
        return response, text

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[aiohttp.ClientSession]:
        if self._http is not None and not self._http.closed:
            yield self._http
        else:
            async with aiohttp.ClientSession() as own:
                yield own

    def _refused(self, response: aiohttp.ClientResponse, text: str) -> ConnectionFailed:
        try:
            error = msgspec.json.decode(text, type=_Refusal).error
        except msgspec.MsgspecError:
            error = _Error(text[:500] or response.reason)
        later = response.headers.get(hdrs.RETRY_AFTER, "")
        return ConnectionFailed(
            f"{self._url} refused the call with status {response.status}: {error.message}",
            status=response.status,
            code=error.code,
            retry_after=int(later) if later.isascii() and later.isdecimal() else None,
        )
