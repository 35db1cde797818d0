"""A session that outlives its connections: what it was told and what it owes, for the next one. Pure.

Whoever holds a session on behalf of somebody else gives `Continuity` every client event as it goes out, and every
server event as it comes in. When the connection ends, `interrupted` says how that looks to those who follow the
session, and `restoration` what to send when there is another. The client does so; a gateway can, for its clients.
"""

from dataclasses import dataclass
from typing import Any

import msgspec

from vivavoce.client.conversation import Conversation, ConversationItem
from vivavoce.client.journal import Journal, JournalState
from vivavoce.client.notices import Loss
from vivavoce.client.restoring import Configuration, Restoration, restored_items
from vivavoce.protocol import client_events as client
from vivavoce.protocol import server_events as server
from vivavoce.protocol.client_events import ClientEvent
from vivavoce.protocol.codec import UnknownEvent, decode_client_event, decode_server_event, encode
from vivavoce.protocol.items import (
    Content,
    FunctionCall,
    FunctionCallOutput,
    Item,
    ItemStatus,
    MessageItem,
    OutputAudio,
    OutputText,
)
from vivavoce.protocol.responses import Response, ResponseError, ResponseStatusDetails
from vivavoce.protocol.session import RealtimeSession, Session, TranscriptionSession

__all__ = ["CONNECTION_LOST", "Continuity", "ContinuityState", "Interruption"]

CONNECTION_LOST = "connection_lost"
"""The code of a response that failed because its connection ended in the middle of it."""

_STATE = "state"
"""The ``event_id`` of what is an event only to be written down."""


@dataclass(slots=True)
class _Running:
    """A response that has begun."""

    response: Response
    asked: client.ResponseCreate | None
    """What asked for it; None if the end of a turn did."""
    begun: bool = False
    """Whether anything came of it that was told: words, sound or a whole call."""
    cancelled: bool = False


class ContinuityState(msgspec.Struct):
    """All that a `Continuity` and its conversation know, for those that are to go on with it elsewhere."""

    journal: JournalState
    items: list[ConversationItem]
    waiting: list[ConversationItem]
    configuration: dict[str, Any]
    session: bytes | None
    """What it is, as a ``session.updated``."""
    running: list[tuple[bytes, bytes | None, bool, bool]]
    """Responses: their ``response.created``, what asked for them, whether they had begun and were cancelled."""
    owed: str | None
    calls: list[str]
    unwritten: list[str]
    sounds: dict[str, int]
    cuts: dict[str, int]
    told: list[Loss]


@dataclass(frozen=True, slots=True)
class Interruption:
    """How the end of a connection looks to those who follow the session."""

    events: list[server.ServerEvent]
    """Server events that end what was under way: every ``response.created`` has its ``response.done``."""
    ended: list[str]
    """Ids of the responses that end here. The others had not begun to be heard, and are asked for again."""


class Continuity:
    """The thread of one session through all its connections.

    ``conversation`` is the mirror of the session; who owns it folds the events into it, before this takes them.
    ``hold`` is how many seconds of speech are kept, to be sent again.
    """

    def __init__(self, conversation: Conversation, *, hold: float = 60.0) -> None:
        self._conversation = conversation
        self._journal = Journal(round(hold * 1000))
        self._configuration = Configuration()
        self._session: Session | None = None
        self._running: dict[str, _Running] = {}
        self._owed: str | None = None
        self._calls: set[str] = set()
        self._unwritten: set[str] = set()
        self._sounds: dict[str, int] = {}
        self._cuts: dict[str, int] = {}
        self._told: set[Loss] = set()
        self.error: server.ErrorDetails | None = None
        """The last ``error`` event of this connection, by whose code `retrying.fate` judges its end."""

    @property
    def at_boundary(self) -> bool:
        """Whether the session could move now without anybody noticing: between turns, with nothing under way."""
        return (
            self._journal.idle
            and not (self._running or self._calls or self._owed)
            and not (self._transcribes and self._journal.utterances.keys() - self._unwritten)
        )

    @property
    def room(self) -> bool:
        """Whether more can be remembered of what is sent."""
        return self._journal.room

    def state(self) -> ContinuityState:
        """Return all of it. It shares what it is made of: it is to be written at once."""
        session = self._session
        running = [
            (
                encode(server.ResponseCreated(event_id=_STATE, response=one.response)),
                None if one.asked is None else encode(one.asked),
                one.begun,
                one.cancelled,
            )
            for one in self._running.values()
        ]
        return ContinuityState(
            journal=self._journal.state(),
            items=self._conversation.items,
            waiting=self._conversation.waiting,
            configuration=self._configuration.fields,
            session=None
            if session is None
            else encode(server.SessionUpdated(event_id=_STATE, session=session)),
            running=running,
            owed=self._owed,
            calls=list(self._calls),
            unwritten=list(self._unwritten),
            sounds=self._sounds,
            cuts=self._cuts,
            told=list(self._told),
        )

    def load(self, state: ContinuityState) -> None:
        """Go on where another was, whose connection is gone; `interrupted` comes next."""
        self._journal.load(state.journal)
        self._conversation.load(state.items, state.waiting)
        self._configuration = Configuration.of(state.configuration)
        if state.session is not None:
            told = decode_server_event(state.session)
            self._session = told.session if isinstance(told, server.SessionUpdated) else None
        for created, request, begun, cancelled in state.running:
            event = decode_server_event(created)
            asked = None if request is None else decode_client_event(request)
            if isinstance(event, server.ResponseCreated):
                self._running[event.response.id] = _Running(
                    event.response,
                    asked if isinstance(asked, client.ResponseCreate) else None,
                    begun,
                    cancelled,
                )
        self._owed = state.owed
        self._calls, self._unwritten = set(state.calls), set(state.unwritten)
        self._sounds, self._cuts = state.sounds, state.cuts
        self._told = set(state.told)

    def configure(self, event: client.SessionUpdate) -> None:
        """Note what the session was set to elsewhere, such as with an ephemeral key."""
        self._configuration.add(event.session)

    def sent(self, event: ClientEvent) -> None:
        """Note that an event goes out."""
        match event:
            case client.ResponseCancel(response_id=response_id):
                for running_id, running in self._running.items():
                    running.cancelled |= response_id == running_id or (
                        not response_id and running.response.conversation_id is not None
                    )
            case client.ConversationItemTruncate(item_id=item_id, audio_end_ms=end):
                self._cuts[item_id] = end
            case client.ConversationItemCreate(item=FunctionCallOutput(call_id=call_id)):
                self._calls.discard(call_id)
        self._journal.sent(event)

    def sent_sound(self, event: bytes) -> None:
        """Note that an ``input_audio_buffer.append`` goes out; it is not read but where it has to be sent again."""
        self._journal.sent_sound(event)

    def sounds(self, item_id: str) -> bool:
        """Tell whether any of the sound of an item has come."""
        return item_id in self._sounds

    def heard_sound(self, item_id: str, letters: int) -> None:
        """Take another ``response.output_audio.delta`` of an item that sounds: so many letters of base64."""
        self._sounds[item_id] += letters

    def fold(self, event: server.ServerEvent | UnknownEvent) -> None:
        """Take a server event; those that a `Restoration` took are not among them."""
        if type(event) in server.DELTAS:
            self._fold_delta(event)
            return
        answered = self._journal.fold(event)
        match event:
            case server.SessionCreated(session=session) | server.SessionUpdated(session=session):
                self._session = session
                if isinstance(answered, client.SessionUpdate):
                    self._configuration.add(answered.session)
            case server.InputAudioBufferCommitted(item_id=item_id) if answered is None and self._answers:
                self._owed = item_id
            case server.ConversationItemInputAudioTranscriptionCompleted(item_id=item_id, transcript=said):
                if item_id == self._owed and not said.strip():
                    self._owed = None  # nothing said, nothing answered
            case server.ConversationItemInputAudioTranscriptionFailed(item_id=item_id):
                self._unwritten.add(item_id)
            case server.ConversationItemDeleted(item_id=item_id):
                self._forget(item_id)
            case server.ErrorEvent(error=error):
                self.error = error
            case _:
                self._fold_response(event, answered)

    def _fold_delta(self, event: server.ServerEvent | UnknownEvent) -> None:
        match event:
            case server.ResponseOutputAudioDelta(item_id=item_id, response_id=response_id, delta=delta):
                self._sounds[item_id] = self._sounds.get(item_id, 0) + len(delta)
                self._begun(response_id)
            case server.ResponseOutputTextDelta() | server.ResponseOutputAudioTranscriptDelta():
                self._begun(event.response_id)

    def _fold_response(
        self, event: server.ServerEvent | UnknownEvent, answered: client.ClientEvent | None
    ) -> None:
        match event:
            case server.ResponseOutputItemDone(item=item, response_id=response_id):
                self._begun(response_id)
                if isinstance(item, FunctionCall) and item.status != "incomplete":
                    self._calls.add(item.call_id)
            case server.ResponseCreated(response=response):
                asked = answered if isinstance(answered, client.ResponseCreate) else None
                self._running[response.id] = _Running(response, asked)
                if response.conversation_id is not None:
                    self._owed = None
            case server.ResponseDone(response=response):
                self._running.pop(response.id, None)

    def fold_session(self, event: server.SessionCreated | server.SessionUpdated) -> None:
        """Take what a session is that was restored: an answer to a `Restoration`, and to nothing else."""
        self._session = event.session
        self._journal.configure(event.session)

    def interrupted(self) -> Interruption:
        """Take word that the connection is gone."""
        events: list[server.ServerEvent] = []
        ended: list[str] = []
        again: list[ClientEvent] = []
        if (speaking := self._journal.speaking) is not None:
            events += [
                server.InputAudioBufferCleared(),
                server.ConversationItemDeleted(item_id=speaking),
            ]
        for response_id, running in self._running.items():
            over = running.begun or running.cancelled
            if over:
                ended.append(response_id)
            else:
                again.append(running.asked or client.ResponseCreate())
            events += self._end(response_id, running, over=over)
        if self._owed is not None:
            again.append(client.ResponseCreate())
        self._journal.interrupted(again)
        self._running.clear()
        self._owed = None
        return Interruption(events, ended)

    def restoration(self) -> Restoration:
        """Return what the next session is to be told. It may be asked for again, if that one ends too soon."""
        self.error = None
        again = self._journal.again()
        made: list[Item] = []
        lost: list[Loss] = []
        if not isinstance(self._session, TranscriptionSession):
            made, lost = restored_items(self._conversation, speech=self._speech(), heard=self._heard())
        if self._journal.overflown_ms:
            seconds = self._journal.overflown_ms / 1000
            lost.append(
                Loss(f"The first {seconds:.1f} s of what is being said: it is longer than what is held.")
            )
        return Restoration(
            self._configuration.params,
            made,
            again=again,
            audio_ms=self._journal.speech_ms,
            lost=[one for one in lost if one not in self._told],
        )

    def restored(self, restoration: Restoration) -> None:
        """Take word that a restoration is over: what it lost need not be told again."""
        self._told.update(restoration.lost)
        self._journal.overflown_ms = 0

    def attached(self) -> None:
        """Take word of another connection to the same session, which has everything: nothing is to be repeated."""
        self._journal.forget()

    @property
    def _answers(self) -> bool:
        """Whether the endpoint answers turns by itself."""
        if not isinstance(self._session, RealtimeSession):
            return False
        detection = self._session.audio.input.turn_detection
        return detection is not None and detection.create_response

    @property
    def _transcribes(self) -> bool:
        return self._session is not None and self._session.audio.input.transcription is not None

    def _begun(self, response_id: str) -> None:
        if (running := self._running.get(response_id)) is not None:
            running.begun = True

    def _forget(self, item_id: str) -> None:
        self._sounds.pop(item_id, None)
        self._cuts.pop(item_id, None)
        self._unwritten.discard(item_id)
        if self._owed == item_id:
            self._owed = None

    def _end(self, response_id: str, running: _Running, *, over: bool) -> list[server.ServerEvent]:
        """End a response: what there is of it stays, and what was not told yet goes."""
        events: list[server.ServerEvent] = []
        output: list[Item] = []
        for item in self._conversation.items:
            if item.response_id != response_id:
                continue
            if item.type == "message" and item.words and over:
                output.append(_unfinished(item))
                events.append(server.ConversationItemDone(item=output[-1]))
            elif item.status == "in_progress":
                events.append(server.ConversationItemDeleted(item_id=item.id))
        error = ResponseError(
            type="server_error", code=CONNECTION_LOST, message="The connection ended before the response did."
        )
        done = msgspec.structs.replace(
            running.response,
            status="failed",
            status_details=ResponseStatusDetails(type="failed", error=error),
            output=output,
        )
        return [*events, server.ResponseDone(response=done)]

    def _speech(self) -> dict[str, bytes]:
        return {**dict.fromkeys(self._unwritten, b""), **self._journal.utterances}

    def _heard(self) -> dict[str, float]:
        """Return the share of the sound that was heard of each item that was cut."""
        per_ms = 64.0 if self._pcm else 8 * 4 / 3  # characters of base64
        return {
            item_id: end * per_ms / self._sounds[item_id]
            for item_id, end in self._cuts.items()
            if self._sounds.get(item_id)
        }

    @property
    def _pcm(self) -> bool:
        session = self._session
        return not isinstance(session, RealtimeSession) or session.audio.output.format.type == "audio/pcm"


def _unfinished(item: ConversationItem) -> MessageItem:
    """Return what there is of an answer."""
    content: list[Content] = [
        OutputAudio(transcript=part.text) if part.spoken else OutputText(text=part.text)
        for part in item.content
    ]
    status: ItemStatus = "completed" if item.status == "completed" else "incomplete"
    return MessageItem(id=item.id, role="assistant", status=status, content=content)
