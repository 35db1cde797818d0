"""Keep ``response.create`` from meeting a response that is active, and tell which response answers which. Pure.

A conversation has one response at a time, and the server makes some by itself, at the end of a turn. So what is
asked for waits here until the conversation is free. Where a request and a turn cross each other on the line, the
server refuses the request, and it waits for the next chance. Responses out of band run beside all this.
"""

from collections import deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from msgspec.structs import replace

from vivavoce.errors import ConnectionLost, ProtocolError, VivaVoceError
from vivavoce.protocol.client_events import ClientEvent, ResponseCancel, ResponseCreate
from vivavoce.protocol.codec import UnknownEvent
from vivavoce.protocol.responses import Response, ResponseCreateParams
from vivavoce.protocol.server_events import ErrorEvent, ResponseCreated, ResponseDone, ServerEvent

__all__ = ["MOST_WAITING", "Request", "Responses"]

MOST_WAITING = 64
"""Requests that may wait for the conversation: who asks faster than anyone answers should be told."""

KEY = "vivavoce_request"
"""The metadata by which the response to a request is known, since servers repeat it: responses out of band begin in
any order, and one that a turn made may come first."""

ACTIVE = "conversation_already_has_active_response"

UNSEEN = ""
"""In place of the id of a response that the server speaks of, and has not told us of."""


@dataclass(eq=False, slots=True)
class Request:
    """A response that was asked for."""

    event_id: str
    params: ResponseCreateParams
    response_id: str | None = None
    """The response's, once it has begun."""
    response: Response | None = None
    """The response, once it is done."""
    error: VivaVoceError | None = None
    """Why there will be none."""
    after: frozenset[str] = frozenset()
    """``event_id`` of each event that it is to follow on: if one of them is refused, there is nothing to answer."""
    cancelled: bool = False
    """Whether it is to end as soon as it begins."""

    @property
    def settled(self) -> bool:
        """Whether nothing more will come of it."""
        return self.response is not None or self.error is not None

    @property
    def out_of_band(self) -> bool:
        """Whether it runs beside the conversation."""
        return self.params.conversation == "none"


@dataclass(slots=True)
class Responses:
    """The responses of one session: give it every server event, send what it returns."""

    name: str = "response_create"
    """What the names of requests begin with; two that share a session have different ones."""
    active: str | None = None
    """The id of the conversation's response that is in progress."""
    _sent: Request | None = None
    _waiting: deque[Request] = field(default_factory=deque)
    _running: dict[str, Request] = field(default_factory=dict)
    _beside: dict[str, Request] = field(default_factory=dict)
    _count: int = 0
    _repeats: bool = False
    """Whether the server is known to repeat metadata."""

    @property
    def free(self) -> bool:
        """Whether the conversation has no response, and none is about to begin."""
        return self.active is None and self._sent is None and not self._waiting

    def request(
        self, params: ResponseCreateParams | None = None, after: Iterable[str] = ()
    ) -> tuple[Request, list[ClientEvent]]:
        """Ask for a response; raises `VivaVoceError` where too many wait already.

        ``after`` names the events that were sent for it to answer. If one is refused, the request ends with that error.
        """
        self._count += 1
        request = Request(
            f"{self.name}_{self._count}", params or ResponseCreateParams(), after=frozenset(after)
        )
        if request.out_of_band:
            self._beside[request.event_id] = request
            return request, [_create(request)]
        if len(self._waiting) >= MOST_WAITING:
            raise VivaVoceError(f"{MOST_WAITING} responses are waiting for this conversation already.")
        self._waiting.append(request)
        return request, self._next()

    def cancel(self, request: Request | None = None) -> list[ClientEvent]:
        """End a response, or the conversation's if none is named. What has not begun is forgotten."""
        if request is None:
            return [ResponseCancel(response_id=self.active)] if self.active else []
        if request in self._waiting:
            self._waiting.remove(request)
            request.error = request.error or VivaVoceError("The response was cancelled before it began.")
        elif request.response_id is not None and request.response is None:
            return [ResponseCancel(response_id=request.response_id)]
        request.cancelled = True
        return []

    def fold(self, event: ServerEvent | UnknownEvent) -> list[ClientEvent]:
        """Take a server event."""
        match event:
            case ResponseCreated(response=response):
                request = self._created(response)
                if request is not None and request.cancelled:
                    return [ResponseCancel(response_id=response.id)]
            case ResponseDone(response=response):
                self._done(response)
            case ErrorEvent():
                return [*self._refused(event), *self._next()]
            case _:
                return []
        return self._next()

    def lost(self, error: ConnectionLost) -> list[Request]:
        """Take word that the connection is gone; return the requests that nobody will answer now."""
        orphans = [*self._running.values(), *self._beside.values(), *self._waiting]
        if self._sent is not None:
            orphans.append(self._sent)
        for request in orphans:
            request.error = error
        self.active = self._sent = None
        self._waiting.clear()
        self._running.clear()
        self._beside.clear()
        return orphans

    def interrupted(self, ended: Collection[str], error: ConnectionLost) -> list[ClientEvent]:
        """Take word that the session goes on over another connection; return what is to be sent there.

        The responses that ``ended`` had begun to be heard, and so their requests end with the error. The others are
        asked for again by who restores the session.
        """
        for response_id, request in self._running.items():
            if response_id in ended:
                request.error = request.error or error
            elif request.out_of_band:
                request.response_id = None
                self._beside[request.event_id] = request
            else:
                request.response_id = None
                self._sent = request
        self._running.clear()
        self.active = None
        return self._next()

    def _next(self) -> list[ClientEvent]:
        if self.active is not None or self._sent is not None or not self._waiting:
            return []
        request = self._sent = self._waiting.popleft()
        return [_create(request)]

    def _created(self, response: Response) -> Request | None:
        key = (response.metadata or {}).get(KEY)
        self._repeats |= key is not None
        request = self._beside.pop(key, None) if key is not None else None
        if request is None and response.conversation_id is None and not self._repeats and self._beside:
            request = self._beside.pop(next(iter(self._beside)))
        if request is None:
            self.active = response.id
            if self._sent is not None and (key == self._sent.event_id or not self._repeats):
                request, self._sent = self._sent, None
        if request is not None:
            request.response_id = response.id
            self._running[response.id] = request
        return request

    def _done(self, response: Response) -> None:
        if response.id == self.active or (self.active == UNSEEN and response.conversation_id is not None):
            self.active = None
        if (request := self._running.pop(response.id, None)) is not None:
            request.response = response

    def _refused(self, event: ErrorEvent) -> list[ClientEvent]:
        event_id = event.error.event_id
        if event_id is None:
            return []
        for request in self._open:
            if event_id in request.after:
                request.error = _error(event)
                return self.cancel(request)
        self._refused_request(event, event_id)
        return []

    @property
    def _open(self) -> list[Request]:
        sent = [self._sent] if self._sent is not None else []
        return [*sent, *self._waiting, *self._running.values(), *self._beside.values()]

    def _refused_request(self, event: ErrorEvent, event_id: str) -> None:
        request = self._beside.pop(event_id, None)
        if request is None and self._sent is not None and self._sent.event_id == event_id:
            request, self._sent = self._sent, None
        if request is None:
            request = next((r for r in self._running.values() if r.event_id == event_id), None)
        if request is None:
            return
        if event.error.code == ACTIVE:
            # Its turn comes when the response is done that was taken for its own, or that nobody told us of.
            if request.response_id is not None:
                self._running.pop(request.response_id, None)
                request.response_id = None
            else:
                self.active = self.active or UNSEEN
            self._waiting.appendleft(request)
            return
        self._running.pop(request.response_id or "", None)
        request.error = request.error or _error(event)


def _error(event: ErrorEvent) -> ProtocolError:
    wrong = event.error
    return ProtocolError(
        wrong.message, code=wrong.code, param=wrong.param, event_id=wrong.event_id, type=wrong.type
    )


def _create(request: Request) -> ResponseCreate:
    metadata = {**(request.params.metadata or {}), KEY: request.event_id}
    return ResponseCreate(event_id=request.event_id, response=replace(request.params, metadata=metadata))
