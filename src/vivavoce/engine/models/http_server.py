"""The connection to a server that speaks OpenAI's HTTP API, and what can go wrong with it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

import aiohttp

from vivavoce.engine.models.chat import complaint
from vivavoce.engine.models.unreachable import why_unreachable
from vivavoce.errors import ModelError

__all__ = ["HttpServer", "Refused"]

CONNECT_SECONDS = 5.0
"""How long a connection may take."""

SILENCE_SECONDS = 120.0
"""How long a server may say nothing: a large model on a slow machine reads a long prompt for that long, and Ollama
loads a model when it is first asked."""

COMPLAINT_BYTES = 4096
"""Of the body of a refusal so much is read."""


class Refused(ModelError):  # noqa: N818 - says what happened
    """The server answered, with another status than 200."""

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


class HttpServer:
    """One server, asked by one model. The connections to it are kept and shared by all sessions.

    ``url`` is what stands before ``/chat/completions``. ``key`` goes to this server alone, which is why redirections
    are not followed, and is shown nowhere.
    """

    def __init__(self, url: str, *, model: str, key: str = "") -> None:
        self.url = url.rstrip("/")
        self.model = model
        self._key = key
        self._session: aiohttp.ClientSession | None = None
        self._closed = False

    def __repr__(self) -> str:
        return f"HttpServer({self.url!r}, model={self.model!r})"

    @asynccontextmanager
    async def post(
        self,
        path: str,
        *,
        json: dict[str, Any] | None = None,
        form: Callable[[], aiohttp.FormData] | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Ask for something. Leaving before the answer's end closes the connection, so that the server may stop.

        ``form`` makes a form, for a form can be sent once only. Raises `ModelError`, also while the answer is read,
        and `Refused` for another status than 200.
        """
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        try:
            response = await self._ask(path, headers, json, form)
            try:
                if response.status != HTTPStatus.OK:
                    raise await self._refusal(response)
                yield response
            finally:
                response.release() if response.content.at_eof() else response.close()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise self.error(_why(error)) from error

    def error(self, what: object) -> ModelError:
        """Return an error that says whose it is."""
        return ModelError(f"{self._who}: {self._without_key(str(what))}")

    async def close(self) -> None:
        """Close the connections. Closing twice does nothing more."""
        self._closed = True
        if self._session is not None:
            await self._session.close()

    @property
    def _who(self) -> str:
        return f"{self.model or 'the model'} at {self.url}"

    async def _ask(
        self,
        path: str,
        headers: dict[str, str],
        json: dict[str, Any] | None,
        form: Callable[[], aiohttp.FormData] | None,
    ) -> aiohttp.ClientResponse:
        for last in (False, True):
            try:
                return await self._connections().post(
                    self.url + path,
                    json=json,
                    data=form() if form else None,
                    headers=headers,
                    allow_redirects=False,
                )
            except aiohttp.ClientConnectorError:
                raise
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
                # A server may close a connection that was kept just when it is used again, as llama.cpp's does: that
                # is no failure.
                if last:
                    raise
        raise AssertionError  # the loop always returns or raises

    def _connections(self) -> aiohttp.ClientSession:
        if self._closed:
            raise self.error("it is closed.")
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0),
                timeout=aiohttp.ClientTimeout(
                    total=None, sock_connect=CONNECT_SECONDS, sock_read=SILENCE_SECONDS
                ),
                trust_env=True,
            )
        return self._session

    async def _refusal(self, response: aiohttp.ClientResponse) -> Refused:
        body = b""
        async with asyncio.timeout(CONNECT_SECONDS):
            while len(body) < COMPLAINT_BYTES and (chunk := await response.content.read(COMPLAINT_BYTES)):
                body += chunk
        told = complaint(body[:COMPLAINT_BYTES].decode(errors="replace"))
        said = f": {told}" if told else ""
        answered = f"{response.status} {response.reason or ''}".strip()
        return Refused(f"{self._who} answered {answered}{self._without_key(said)}", status=response.status)

    def _without_key(self, text: str) -> str:
        return text.replace(self._key, "…") if self._key else text


def _why(error: Exception) -> str:
    match error:
        case aiohttp.ClientConnectorError():
            return f"it cannot be reached ({why_unreachable(error.os_error)})."
        case aiohttp.ConnectionTimeoutError():
            return f"it cannot be reached (no answer within {CONNECT_SECONDS:g} s)."
        case TimeoutError():
            return f"it said nothing for {SILENCE_SECONDS:g} s."
        case aiohttp.ClientPayloadError() | aiohttp.ClientConnectionError():
            return f"the connection was lost in the middle ({error or type(error).__name__})."
    return f"what it sent is no answer ({error})."
