"""The one seam between a client and the world: a transport, which carries events as JSON text."""

import asyncio
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

import aiohttp
from aiohttp import ClientHandlerType, ClientRequest, ClientResponse, WSMsgType, hdrs

from vivavoce.client.endpoints import credentials, environment_proxy, realtime_url, shown
from vivavoce.errors import ConnectionFailed, ConnectionLost

__all__ = ["PatientSocket", "Transport", "WebSocketTransport"]

CONNECT_SECONDS = 15.0
"""To resolve, connect, agree on TLS and get the answer to the upgrade."""

HEARTBEAT_SECONDS = 20.0
"""Between pings; a peer that does not answer one within half of that is gone."""

MAX_MESSAGE_BYTES = 64 * 1024 * 1024
"""The largest event that is read. An item that is retrieved carries all its audio: 15 MiB of PCM16 are 20 MiB."""

CLOSE_SECONDS = 2.0
"""For the peer to answer a close."""


class Transport(Protocol):
    """One session with an endpoint: client events go in, server events come out, both as JSON."""

    async def send(self, data: bytes | str) -> None:
        """Give the endpoint one client event. Raises `ConnectionLost` once the session is over."""
        ...

    async def receive(self) -> str | bytes:
        """Return the next server event.

        Raises `ConnectionLost`, with the close code and its reason, when there will be no more.
        """
        ...

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """End the session. Closing twice does nothing more."""
        ...


if TYPE_CHECKING:
    _Socket = aiohttp.ClientWebSocketResponse[Any]
else:
    _Socket = aiohttp.ClientWebSocketResponse  # which is no generic class before aiohttp 3.14

_UNDECODED: dict[str, Any] = {"decode_text": False} if hasattr(_Socket, "__class_getitem__") else {}
"""What reads events reads UTF-8; older releases decode all text."""


class PatientSocket(_Socket):
    """A WebSocket that takes nobody for gone to whom it does not listen.

    While what was read last waits for somebody else, nothing more is read, pongs neither. aiohttp has no other place
    for this; were it to go, the peer would be taken for gone again.
    """

    def _pong_not_received(self) -> None:
        if self._waiting:
            super()._pong_not_received()
        else:
            self._reset_heartbeat()


class WebSocketTransport:
    """A transport over a WebSocket. Make one with `connect`."""

    SOCKET: ClassVar[type[_Socket]] = PatientSocket
    """What the WebSocket is."""

    def __init__(self, socket: _Socket, session: aiohttp.ClientSession) -> None:
        self._socket = socket
        self._session = session
        self._lost: ConnectionLost | None = None

    @classmethod
    async def connect(
        cls,
        url: str,
        *,
        api_key: str | None = None,
        model: str | None = None,
        call_id: str | None = None,
        intent: str | None = None,
        headers: Mapping[str, str] | None = None,
        session: aiohttp.ClientSession | None = None,
        timeout: float = CONNECT_SECONDS,  # noqa: ASYNC109 - a part of the connection's own errors
    ) -> Self:
        """Open a session with the endpoint at ``url``; `realtime_url` tells what to give, and what to ask for.

        ``api_key`` goes into the header where it belongs and nowhere else. Of an aiohttp ``session`` that is given,
        its connector is used, and left open. A proxy that the environment names is used. ``timeout`` is in seconds.
        Raises `ConnectionFailed`: the endpoint cannot be reached, or it refuses, and then with the status, the code
        and the message of its refusal.
        """
        address = realtime_url(url, model, call_id=call_id, intent=intent)
        sent = {**(headers or {}), **credentials(address, api_key)}
        own = aiohttp.ClientSession(
            connector=session.connector if session else None,
            connector_owner=session is None,
            middlewares=(_refuse,),
            ws_response_class=cls.SOCKET,
        )
        try:
            async with asyncio.timeout(timeout):
                socket = await own.ws_connect(
                    address,
                    headers=sent,
                    proxy=environment_proxy(address),
                    heartbeat=HEARTBEAT_SECONDS,
                    max_msg_size=MAX_MESSAGE_BYTES,
                    **_UNDECODED,
                    timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_SECONDS),
                )
        except BaseException as error:
            await own.close()
            if isinstance(error, TimeoutError):
                raise ConnectionFailed(
                    f"{shown(address)} did not answer in {timeout:g} s.", code="timeout"
                ) from error
            if isinstance(error, aiohttp.ClientError | OSError):
                why = getattr(error, "strerror", None) or error
                raise ConnectionFailed(f"Cannot reach {shown(address)}: {why}.") from error
            raise
        return cls(socket, own)

    async def send(self, data: bytes | str) -> None:
        """Send one client event as a text frame. Waits while the network is slow."""
        if self._lost:
            raise self._lost
        payload = data.encode() if isinstance(data, str) else data
        try:
            await self._socket.send_frame(payload, WSMsgType.TEXT)
        except (aiohttp.ClientError, ConnectionError) as error:
            # What the peer said when it closed, if it did, has yet to be received: leave that to `receive`.
            raise ConnectionLost(self._socket.close_code or 1006, str(error)) from error

    async def receive(self) -> str | bytes:
        """Return the next server event."""
        if self._lost:
            raise self._lost
        message = await self._socket.receive()
        if message.type is WSMsgType.TEXT or message.type is WSMsgType.BINARY:
            event: str | bytes = message.data
            return event
        if message.type is WSMsgType.CLOSE:
            self._lost = ConnectionLost(message.data or 1005, message.extra or "")
        else:
            reason = str(self._socket.exception() or "")
            code = self._socket.close_code or 1006
            # Nobody said 1002 or 1007: the frames themselves are broken, and so is the line.
            self._lost = ConnectionLost(1006 if code in {1002, 1007} else code, reason)
        raise self._lost

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the WebSocket."""
        await self._socket.close(code=code, message=reason.encode())
        await self._session.close()

    def __repr__(self) -> str:
        return f"<WebSocketTransport {'closed' if self._socket.closed else 'open'}>"


async def _refuse(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    """Turn a refused upgrade into an error that says why; aiohttp alone would not read the body."""
    response = await handler(request)
    if response.status == 101:
        return response
    try:
        body = await response.text(errors="replace")
    except aiohttp.ClientError:
        body = ""
    error = _error(body)
    why = error.get("message") or response.reason or "it gave no reason"
    response.close()
    raise ConnectionFailed(
        f"{shown(request.url)} refused with status {response.status}: {why}",
        status=response.status,
        code=error.get("code"),
        retry_after=_seconds(response.headers.get(hdrs.RETRY_AFTER, "")),
    )


def _error(body: str) -> dict[str, str]:
    """Return what an error body says, as the protocol's endpoints write it."""
    try:
        error = json.loads(body)["error"]
    except (ValueError, TypeError, KeyError):
        return {}
    if isinstance(error, str):
        return {"message": error}
    return (
        {name: text for name, text in error.items() if isinstance(text, str)}
        if isinstance(error, dict)
        else {}
    )


def _seconds(retry_after: str) -> int | None:
    """Read a ``Retry-After`` of seconds; of the two forms that there are, APIs use this one."""
    return int(retry_after) if retry_after.isascii() and retry_after.isdecimal() else None
