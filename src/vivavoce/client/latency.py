"""How long a turn took, stage by stage. Pure: times are passed in, in seconds on any one clock."""

from dataclasses import dataclass

from vivavoce.protocol.codec import UnknownEvent
from vivavoce.protocol.server_events import (
    ConversationItemInputAudioTranscriptionCompleted,
    InputAudioBufferCommitted,
    InputAudioBufferSpeechStarted,
    InputAudioBufferSpeechStopped,
    ResponseCreated,
    ResponseOutputAudioDelta,
    ResponseOutputAudioTranscriptDelta,
    ResponseOutputTextDelta,
    ServerEvent,
)

__all__ = ["Stages", "TurnLatency"]


@dataclass(frozen=True, slots=True)
class Stages:
    """Milliseconds from the anchor to each stage; None for what has not happened.

    A stage before the anchor is negative: a turn that was decided while the speaker still spoke.
    """

    turn_decided: float | None = None
    """``input_audio_buffer.speech_stopped``, or ``committed`` where the client ends the turn."""
    transcript_final: float | None = None
    """``conversation.item.input_audio_transcription.completed`` of the turn's item."""
    first_text: float | None = None
    """The first words of the answer."""
    first_audio: float | None = None
    """The first sound of the answer."""


class TurnLatency:
    """Measures one turn: give it its anchor and every server event, with the time of each.

    The anchor of a spoken turn is its acoustic end (`vivavoce.audio.endpointing`), that of a written one the
    moment of ``response.create``. When the speaker goes on after the endpoint took the turn for finished, the
    measurement starts again with the turn that follows: the stages are those of the last, and ``turns`` counts.
    """

    def __init__(self) -> None:
        self.anchor: float | None = None
        self.turns = 0
        """Turns that the endpoint heard; more than one for one question says that it was cut."""
        self._item_id: str | None = None
        self._response_id: str | None = None
        self._times: dict[str, float] = {}

    def feed(self, time: float, event: ServerEvent | UnknownEvent) -> None:
        """Take a server event that arrived at ``time``."""
        match event:
            case InputAudioBufferSpeechStarted(item_id=item_id):
                self._begin(item_id)
            case InputAudioBufferSpeechStopped(item_id=item_id) | InputAudioBufferCommitted(item_id=item_id):
                if item_id != self._item_id:
                    self._begin(item_id)
                self._first("turn_decided", time)
            case ConversationItemInputAudioTranscriptionCompleted(item_id=self._item_id):
                self._first("transcript_final", time)
            case ResponseCreated(response=response) if self._response_id is None:
                self._response_id = response.id
            case ResponseOutputTextDelta(response_id=self._response_id):
                self._first("first_text", time)
            case ResponseOutputAudioTranscriptDelta(response_id=self._response_id):
                self._first("first_text", time)
            case ResponseOutputAudioDelta(response_id=self._response_id):
                self._first("first_audio", time)

    @property
    def stages(self) -> Stages:
        """How far the turn is; raises `ValueError` before the anchor is known."""
        if self.anchor is None:
            raise ValueError("the anchor of the turn is not known yet")
        anchor = self.anchor
        return Stages(**{name: (time - anchor) * 1000 for name, time in self._times.items()})

    def _begin(self, item_id: str) -> None:
        self.turns += 1
        self._item_id = item_id
        self._response_id = None
        self._times.clear()

    def _first(self, stage: str, time: float) -> None:
        self._times.setdefault(stage, time)
