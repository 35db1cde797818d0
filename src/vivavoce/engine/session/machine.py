"""One session of the engine as a state machine. Pure: no sockets, no tasks, no clock.

What comes in is a client's event, as the JSON it sent, or a model's answer (`inputs`); what goes out is a list
of `effects`, in the order in which they are to be done. `Listening` and `Answering` are its two halves; here
they meet: who speaks interrupts, who has spoken is answered.
"""

from collections.abc import Callable

from vivavoce.engine.models.protocols import Function
from vivavoce.engine.session import config, inputs, wire
from vivavoce.engine.session.answering import Answering
from vivavoce.engine.session.config import given
from vivavoce.engine.session.conversation import WIRE_RATE, Conversation, Entry
from vivavoce.engine.session.effects import Close, Effect, Send
from vivavoce.engine.session.listening import Listening
from vivavoce.engine.session.outgoing import Outgoing
from vivavoce.engine.session.prompting import CHARS_PER_TOKEN
from vivavoce.engine.session.tools import ToolLimits
from vivavoce.engine.session.wanted import Wanted, wanted
from vivavoce.errors import ProtocolError
from vivavoce.protocol import client_events as client
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.codec import decode_client_event
from vivavoce.protocol.errors import (
    realtime_update_not_allowed,
    session_expired,
    transcription_update_not_allowed,
)
from vivavoce.protocol.ids import Ids
from vivavoce.protocol.responses import ResponseCreateParams
from vivavoce.protocol.session import RealtimeSession, TranscriptionSession, TurnDetection
from vivavoce.protocol.session_params import RealtimeSessionParams, SessionParams

__all__ = ["WIRE_RATE", "Session"]

TOOLS_SHARE = 3
"""One part in so many of what the language model can read may be tools."""


class Session:
    """Give it everything that happens, do everything that it says.

    ``step_ms`` is the voice detector's step, ``budget_tokens`` the longest prompt that the language model
    takes, ``expires_at`` when the session ends, in seconds since 1970; `inputs.Expired` tells that it is so.
    ``initial`` is what it begins with, as if it had been updated so; it may name another ``model``. What
    cannot be served raises `ProtocolError`. ``check_function`` raises `ValueError` for a function that the language
    model cannot call. Its type stays, unless an update changes it before anything was said.
    """

    def __init__(
        self,
        *,
        model: str,
        voices: tuple[str, ...],
        step_ms: int,
        budget_tokens: int,
        expires_at: int,
        initial: SessionParams | None = None,
        check_function: Callable[[Function], None] = lambda _: None,
        ids: Ids | None = None,
    ) -> None:
        self._out = Outgoing(ids or Ids())
        self._voices = voices
        self._conversation = Conversation()
        self._tool_limits = ToolLimits(budget_tokens * CHARS_PER_TOKEN // TOOLS_SHARE, check_function)
        initial = RealtimeSessionParams() if initial is None else initial
        self._kind = config.kind(initial)
        self._session = config.new(
            initial,
            id=self._out.ids.session(),
            model=model,
            expires_at=expires_at,
            voices=voices,
            tool_limits=self._tool_limits,
        )
        self._answering = Answering(
            self._out,
            self._conversation,
            self._wanted(ResponseCreateParams()),
            conversation_id=self._out.ids.conversation(),
            budget_tokens=budget_tokens,
        )
        self._listening = Listening(self._out, self, step_ms=step_ms)
        self._due: str | None = None  # the item that a finished turn made, until it is answered

    @property
    def session(self) -> RealtimeSession | TranscriptionSession:
        """The session as the client sees it."""
        return config.told(self._session, self._kind)

    def begin(self) -> list[Effect]:
        """Return what a session starts with."""
        self._out.send(ev.SessionCreated(session=self.session))
        self._configure()
        return self._out.take()

    def take(self, happened: str | bytes | inputs.ModelAnswer | inputs.Expired) -> list[Effect]:
        """Take what happened; return what is to be done."""
        match happened:
            case str() | bytes():
                self._client(happened)
            case inputs.VoiceHeard():
                self._listening.voice_heard(happened)
            case inputs.Recognised():
                self._listening.recognised(happened)
            case inputs.RecognitionFailed():
                self._listening.recognition_failed(happened)
            case inputs.Judged():
                self._listening.judged(happened)
            case inputs.TextGenerated():
                self._answering.text_generated(happened)
            case inputs.CallStarted() | inputs.ArgumentsWritten():
                self._answering.called(happened)
            case inputs.GenerationFinished():
                self._answering.generation_finished(happened)
            case inputs.GenerationFailed():
                self._answering.generation_failed(happened)
            case inputs.SpeechSynthesised():
                self._answering.speech_synthesised(happened)
            case inputs.SpeechFinished():
                self._answering.speech_finished(happened)
            case inputs.Expired():
                self._expire()
        self._answer_if_due()
        self._answering.proceed()
        return self._taken()

    # What the client says.

    def _client(self, data: str | bytes) -> None:
        event_id: str | None = None
        try:
            event = decode_client_event(data)
            event_id = given(event.event_id, None)
            self._obey(event)
        except ProtocolError as error:
            error.event_id = error.event_id or event_id
            self._out.send(ev.ErrorEvent.of(error))

    def _obey(self, event: client.ClientEvent) -> None:
        match event:
            case client.InputAudioBufferAppend(audio=audio):
                self._listening.append(wire.audio_bytes(audio, self._session.audio.input.format))
            case client.InputAudioBufferCommit():
                self._listening.commit()
            case client.InputAudioBufferClear():
                self._listening.clear()
            case client.SessionUpdate():
                self._update(event)
            case client.ConversationItemCreate():
                self._create_item(event)
            case client.ConversationItemRetrieve(item_id=item_id):
                entry = self._conversation.retrieve(item_id)
                self._out.send(ev.ConversationItemRetrieved(item=wire.item(entry, self._session.audio)))
            case client.ConversationItemTruncate():
                self._truncate(event)
            case client.ConversationItemDelete(item_id=item_id):
                self._delete(self._conversation.deletable(item_id))
            case client.ResponseCreate(response=params):
                self._check_answers()
                self._respond(self._wanted(given(params, ResponseCreateParams())))
            case client.ResponseCancel(response_id=response_id):
                self._answering.cancel("client_cancelled", given(response_id, None))
            case client.OutputAudioBufferClear():
                message = (
                    "output_audio_buffer.clear is served over WebRTC only; stop the playback at the client."
                )
                raise ProtocolError(message, code="invalid_value", param="type")

    def _update(self, event: client.SessionUpdate) -> None:
        kind = config.kind(event.session)
        if kind != self._kind and not self._untouched:
            raise realtime_update_not_allowed() if kind == "realtime" else transcription_update_not_allowed()
        self._session = config.updated(
            self._session,
            event.session,
            voices=self._voices,
            spoke=self._answering.spoke,
            tool_limits=self._tool_limits,
        )
        self._kind = kind
        self._out.send(ev.SessionUpdated(session=self.session))
        self._configure()

    def _create_item(self, event: client.ConversationItemCreate) -> None:
        entry = wire.entry(event.item, event.item.id or self._out.ids.item(), self._session.audio)
        self._conversation.insert(entry, given(event.previous_item_id, None))
        self._added(entry)
        self._listening.understand(entry)

    def _truncate(self, event: client.ConversationItemTruncate) -> None:
        entry = self._conversation.find(event.item_id)
        if entry is not None and entry.status == "in_progress":
            self._answering.cancel("client_cancelled")
        self._conversation.truncate(event.item_id, event.content_index, event.audio_end_ms)
        self._out.send(
            ev.ConversationItemTruncated(
                item_id=event.item_id,
                content_index=event.content_index,
                audio_end_ms=event.audio_end_ms,
            )
        )
        self._answering.prepare()

    def _wanted(self, params: ResponseCreateParams) -> Wanted:
        return wanted(
            self._session,
            params,
            self._conversation,
            self._out.ids,
            voices=self._voices,
            tool_limits=self._tool_limits,
        )

    def _respond(self, asked: Wanted) -> None:
        self._answering.respond(asked)
        for entry in asked.context or ():
            if self._conversation.find(entry.id) is not entry:
                self._listening.understand(entry, quiet=True)

    # What the listening half tells.

    def speech_started(self) -> None:
        """Somebody speaks: the answer, if one is being given, ends here."""
        self._due = None
        self._answering.drop_speculation()
        detection = self._detection
        if self._answering.active and detection is not None and detection.interrupt_response:
            self._answering.cancel("turn_detected")

    def turn_may_be_over(self, item_id: str, text: str) -> None:  # noqa: ARG002 - the protocol of a Listener
        """Somebody paused after these words: think ahead."""
        detection = self._detection
        if text and detection is not None and detection.create_response and not self._answering.active:
            self._answering.speculate(text)

    def words_so_far(self, text: str) -> None:
        """Somebody speaks: the model can read along."""
        detection = self._detection
        if detection is not None and detection.create_response:
            self._answering.prepare(text)

    def turn_goes_on(self) -> None:
        """The pause was only a pause."""
        self._answering.drop_speculation()

    def committed(self, entry: Entry, *, by_turn: bool) -> None:
        """The user's audio is an item now."""
        self._out.send(
            ev.InputAudioBufferCommitted(previous_item_id=self._conversation.last_id, item_id=entry.id)
        )
        self._conversation.insert(entry)
        self._added(entry)
        self._conversation.forget_old_audio()
        detection = self._detection
        if by_turn and detection is not None and detection.create_response:
            self._due = entry.id

    def transcribed(self, entry: Entry) -> None:
        """The words of an item are known: a response that waits for them can start."""
        if entry.id == self._due and not entry.text and not entry.aside:
            self._due = None  # a cough, a door: nothing was said, so there is nothing to answer
            self._answering.drop_speculation()
            self._listening.nothing_said()

    # The rest.

    def _taken(self) -> list[Effect]:
        asked = self._out.take()
        for effect in asked:
            if isinstance(effect, Send):
                self._listening.sent(effect.event)
        return asked

    @property
    def _detection(self) -> TurnDetection | None:
        """What turns mean for answers: nothing in a transcription session."""
        return self._session.audio.input.turn_detection if self._kind == "realtime" else None

    @property
    def _untouched(self) -> bool:
        """Whether nothing was said yet."""
        talked = self._answering.active or self._answering.spoke or self._listening.heard_anything
        return not talked and not len(self._conversation)

    def _check_answers(self) -> None:
        if self._kind == "transcription":
            message = "A transcription session has no responses: response.create needs a session of type 'realtime'."
            raise ProtocolError(message, code="invalid_value", param="type")

    def _configure(self) -> None:
        heard, only_listens = self._session.audio.input, self._kind == "transcription"
        self._listening.configure(heard, live=only_listens and heard.transcription is not None)
        if not only_listens:
            self._answering.configure(self._wanted(ResponseCreateParams()))

    def _answer_if_due(self) -> None:
        entry = self._conversation.find(self._due) if self._due is not None else None
        if entry is not None and not entry.transcribing and not self._answering.active:
            self._due = None
            self._answering.respond()

    def _added(self, entry: Entry) -> None:
        previous = self._conversation.previous(entry)
        item = wire.item(entry)
        self._out.send(ev.ConversationItemAdded(previous_item_id=previous, item=item))
        self._out.send(ev.ConversationItemDone(previous_item_id=previous, item=item))
        while (oldest := self._conversation.surplus) is not None:  # answers have been added too
            self._delete(oldest)

    def _delete(self, entry: Entry) -> None:
        self._answering.forget(entry)
        self._listening.forget(entry.id)
        self._conversation.remove(entry)
        self._out.send(ev.ConversationItemDeleted(item_id=entry.id))

    def _expire(self) -> None:
        error = session_expired()
        self._out.send(ev.ErrorEvent.of(error))
        self._out.ask(Close(1001, error.message))
