"""What a client makes of a session: what it is told goes to replies, updates, tools, ears and followers."""

import asyncio
from collections import deque
from collections.abc import Sequence

from vivavoce.client.audience import Audience
from vivavoce.client.configuration import session_changes
from vivavoce.client.connection import NORMAL_CLOSURE
from vivavoce.client.continuity import Interruption
from vivavoce.client.conversation import Conversation
from vivavoce.client.input_audio import InputAudio
from vivavoce.client.outbox import Outbox
from vivavoce.client.reply import Reply
from vivavoce.client.responses import Responses
from vivavoce.client.speaking import Speaking
from vivavoce.client.tasks import Tasks
from vivavoce.client.tool import ToolContext
from vivavoce.client.tool_calls import ToolCalls
from vivavoce.client.updates import Updates
from vivavoce.client.usage import UsageMeter
from vivavoce.errors import ConnectionLost
from vivavoce.protocol.client_events import (
    ClientEvent,
    ConversationItemCreate,
    ConversationItemTruncate,
    InputAudioBufferCommit,
    ResponseCancel,
    SessionUpdate,
)
from vivavoce.protocol.codec import UnknownEvent
from vivavoce.protocol.ids import Ids
from vivavoce.protocol.items import FunctionCall, FunctionCallOutput
from vivavoce.protocol.responses import ResponseCreateParams
from vivavoce.protocol.server_events import (
    DELTAS,
    ErrorEvent,
    ResponseDone,
    ServerEvent,
    SessionCreated,
    SessionUpdated,
)
from vivavoce.protocol.session import Session

__all__ = ["Following"]

FORGIVEN = 64
"""Cancellations and truncations whose errors are kept to ourselves: they crossed the end of what they are about."""


class Following:
    """Follows a session through all its connections; what is to be sent for it goes into the ``outbox``."""

    def __init__(
        self,
        conversation: Conversation,
        outbox: Outbox,
        *,
        ids: Ids,
        tasks: Tasks,
        audience: Audience,
        speaking: Speaking | None,
        tool_context: ToolContext,
    ) -> None:
        self.session: Session | None = None
        self.usage = UsageMeter()
        self.responses = Responses()
        self.calls = ToolCalls(
            tasks,
            result=self._tell_result,
            go_on=self._go_on,
            free=lambda: self.responses.free,
            context=tool_context,
            ids=ids,
        )
        self.audio = InputAudio()
        """The speech that is sent, in the format of the session."""
        self._conversation = conversation
        self._outbox = outbox
        self._ids = ids
        self._audience = audience
        self._speaking = speaking
        self._updates = Updates()
        self._replies: list[Reply] = []
        self._forgiven: deque[str] = deque(maxlen=FORGIVEN)
        self._unasked: deque[str] = deque(maxlen=FORGIVEN)
        """``event_id`` of what was sent since a response was asked for."""

    # What is asked of it.

    def name(self, event: ClientEvent) -> None:
        """Give an event and its item an id, if they have none, and note what a response is to answer."""
        event.event_id = event.event_id or self._ids.event()
        if isinstance(event, ConversationItemCreate):
            event.item.id = event.item.id or self._ids.item()
        if isinstance(event, ConversationItemCreate | InputAudioBufferCommit):
            self._unasked.append(event.event_id)

    def update(self, event: SessionUpdate) -> asyncio.Future[Session]:
        """Return what will be the session as an update makes it."""
        self.name(event)
        return self._updates.expect(event)

    def ask(self, params: ResponseCreateParams | None) -> tuple[Reply, list[ClientEvent]]:
        """Return what will be the response to all that was sent, and what is to be sent for it."""
        request, events = self.responses.request(params, after=self._unasked)
        self._unasked.clear()
        reply = Reply(request)
        self._replies.append(reply)
        return reply, events

    def cancel(self, reply: Reply | None) -> None:
        """End a response, or the conversation's if none is named."""
        self._outbox.put_now(*self._forgivable(self.responses.cancel(reply.request if reply else None)))
        self._settle()

    def silence(self) -> None:
        """Silence what is being heard, and tell how much of it was."""
        if self._speaking is not None:
            self._outbox.put_now(*self._forgivable(self._speaking.silence()))

    def tell_tools(self) -> None:
        """Tell the endpoint what tools there are."""
        event = SessionUpdate(session=session_changes({"tools": self.calls.toolbox.definitions}))
        self.update(event)
        self._outbox.put_behind(event)

    # What it is told.

    def take(self, event: ServerEvent | UnknownEvent) -> None:
        """Take a server event."""
        self._conversation.fold(event)
        if type(event) not in DELTAS:
            self._follow(event)
        if self._speaking is not None:
            self._outbox.put_now(*self._forgivable(self._speaking.take(event)))
        if not (isinstance(event, ErrorEvent) and event.error.event_id in self._forgiven):
            self._audience.tell(event)

    def resumed(self, event: SessionCreated | SessionUpdated) -> None:
        """Take what a restored session is, which nobody else is told."""
        self._conversation.fold(event)
        self.session = event.session
        self.audio.take(event)
        self.calls.take(event)

    def interrupted(self, lost: ConnectionLost, interruption: Interruption | None) -> None:
        """Take word that the connection is gone; None if the session goes on without it."""
        self._outbox.forget_urgent()
        if interruption is None:
            self.responses.lost(lost)
            self._updates.lost(lost)
        else:
            self._outbox.put_behind(*self.responses.interrupted(interruption.ended, lost))
            for event in interruption.events:
                self.take(event)
        self._settle()

    @property
    def calm(self) -> bool:
        """Whether nothing of an answer has yet to be heard."""
        return self._speaking is None or not self._speaking.playing

    def ended(self, lost: ConnectionLost) -> None:
        """Take word that there will be no more."""
        self.calls.end()
        self.responses.lost(lost)
        self._settle()
        self._updates.lost(lost)
        self._audience.end(None if lost.code == NORMAL_CLOSURE else lost)

    def _follow(self, event: ServerEvent | UnknownEvent) -> None:
        self._updates.fold(event)
        for follows in self.responses.fold(event):
            if isinstance(follows, ResponseCancel):
                self._outbox.put_now(*self._forgivable([follows]))
            else:
                self._outbox.put_behind(follows)  # behind the items that it is to answer
        match event:
            case SessionCreated(session=session) | SessionUpdated(session=session):
                self.session = session
                self.audio.take(event)
            case ResponseDone(response=response):
                self.usage.add(response.usage)
        self.calls.take(event)
        self._settle()

    def _tell_result(self, item: FunctionCall | FunctionCallOutput) -> None:
        item.id = self._ids.item()
        self._outbox.put_behind(ConversationItemCreate(event_id=self._ids.event(), item=item))

    def _go_on(self, params: ResponseCreateParams | None) -> None:
        self._outbox.put_behind(*self.responses.request(params)[1])

    def _forgivable(self, events: Sequence[ClientEvent]) -> Sequence[ClientEvent]:
        """Name events that may come too late: what they are about may have ended on the other side."""
        for event in events:
            if isinstance(event, ResponseCancel | ConversationItemTruncate):
                event.event_id = self._ids.event()
                self._forgiven.append(event.event_id)
        return events

    def _settle(self) -> None:
        self._replies = [reply for reply in self._replies if not reply.settle()]
