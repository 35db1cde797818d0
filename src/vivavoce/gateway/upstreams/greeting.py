"""The first words with an endpoint across a network, before the client is let in.

A client hears ``session.created`` first, and what it says there holds. So a session that is to begin with certain
parameters is changed to them before, and what the endpoint answers to that goes into ``session.created``.
"""

from collections import deque

import msgspec

from vivavoce.errors import ConnectionFailed, ConnectionLost, ProtocolError
from vivavoce.gateway.upstream import Transport, direct
from vivavoce.protocol.client_events import SessionUpdate
from vivavoce.protocol.codec import Frame, encode
from vivavoce.protocol.ids import Ids
from vivavoce.protocol.session_params import RealtimeSessionParams, SessionParams

__all__ = ["Greeted", "greet"]

_IDS = Ids()

MOST_EARLY = 64
"""Events that an endpoint may send before it answers the first ``session.update``."""

STATUSES = {
    "rate_limit_exceeded": 429,
    "insufficient_quota": 429,
    "invalid_api_key": 401,
    "session_expired": 503,
}
"""What an endpoint would have refused with, had it not waited until it had accepted."""


PASSING = frozenset({1001, 1006, 1011, 1012, 1013})
"""Close codes that tell of a trouble that may pass (RFC 6455, 7.4.1, and its registry)."""


class _Error(msgspec.Struct):
    message: str = ""
    code: str | None = None
    event_id: str | None = None


class _ErrorEvent(msgspec.Struct):
    error: _Error


class _SessionEvent(msgspec.Struct):
    session: msgspec.Raw


class Greeted:
    """A transport of which the first events have been received already."""

    def __init__(self, transport: Transport, early: deque[bytes]) -> None:
        self._transport = transport
        self._early = early
        self.send = transport.send
        self.close = transport.close
        self.direct = direct(transport)

    async def receive(self) -> str | bytes:
        """Return the next server event."""
        if self._early:
            return self._early.popleft()
        self.receive = self._transport.receive  # type: ignore[method-assign] # nothing is between them any more
        return await self._transport.receive()


async def greet(transport: Transport, params: SessionParams) -> Greeted:
    """Wait for ``session.created``, and let the session begin as ``params`` say.

    Raises `ConnectionFailed`: the endpoint accepted the connection only to refuse the session.
    """
    created = await _next(transport)
    _check(created)
    early: deque[bytes] = deque([created.data])
    event_id = _IDS.event()
    if (update := _update(params, event_id)) is not None:
        await _send(transport, update)
        while (frame := await _next(transport)).type != "session.updated":
            _check(frame, event_id)
            early.append(frame.data)
            if len(early) > MOST_EARLY:
                raise ConnectionFailed("The endpoint did not answer the session's first update.", status=502)
        session = msgspec.json.decode(frame.data, type=_SessionEvent).session
        early[0] = created.replace(session=session).data
    return Greeted(transport, early)


def _update(params: SessionParams, event_id: str) -> SessionUpdate | None:
    """Return the event that asks for ``params``, or None where they ask for nothing. The address names the model."""
    if isinstance(params, RealtimeSessionParams) and params.model is not msgspec.UNSET:
        params = msgspec.structs.replace(params, model=msgspec.UNSET)
    if params == type(params)():
        return None
    return SessionUpdate(session=params, event_id=event_id)


async def _next(transport: Transport) -> Frame:
    try:
        return Frame(await transport.receive())
    except ConnectionLost as lost:
        raise _closed(lost) from lost
    except ProtocolError as error:
        raise ConnectionFailed(f"The endpoint does not speak the protocol: {error}", status=502) from error


async def _send(transport: Transport, event: SessionUpdate) -> None:
    try:
        await transport.send(encode(event))
    except ConnectionLost as lost:
        raise _closed(lost) from lost


def _closed(lost: ConnectionLost) -> ConnectionFailed:
    return ConnectionFailed(
        f"The endpoint accepted the connection and closed it ({lost.code} {lost.reason}).",
        status=503 if lost.code in PASSING else 502,
    )


def _check(frame: Frame, event_id: str | None = None) -> None:
    """Raise where ``frame`` is an error: any error at first, later only the answer to our event."""
    if frame.type != "error":
        return
    try:
        error = msgspec.json.decode(frame.data, type=_ErrorEvent).error
    except msgspec.DecodeError:
        error = _Error()
    if event_id is None or error.event_id in (None, event_id):
        raise ConnectionFailed(
            f"The endpoint refused the session: {error.message}",
            status=STATUSES.get(error.code or "", 502),
            code=error.code,
        )
