"""Where the parts of a session put what they want done, in order."""

from msgspec import UNSET

from vivavoce.engine.session.effects import Effect, Send
from vivavoce.protocol.ids import Ids
from vivavoce.protocol.response_events import (
    ResponseFunctionCallArgumentsDelta,
    ResponseOutputAudioTranscriptDelta,
    ResponseOutputTextDelta,
)
from vivavoce.protocol.server_events import ConversationItemInputAudioTranscriptionDelta, ServerEvent

__all__ = ["OBFUSCATION_STEP", "Outgoing"]

OBFUSCATION_STEP = 16
"""Deltas of text are padded to a multiple of so many characters [recorded sessions]: who counts the bytes of an
encrypted connection shall not read the lengths of the words."""

_PADDED = (
    ConversationItemInputAudioTranscriptionDelta,
    ResponseFunctionCallArgumentsDelta,
    ResponseOutputAudioTranscriptDelta,
    ResponseOutputTextDelta,
)


class Outgoing:
    """Effects in the order they were asked for; events get their ``event_id`` here."""

    def __init__(self, ids: Ids) -> None:
        self.ids = ids
        self._effects: list[Effect] = []

    def send(self, event: ServerEvent) -> None:
        """Send an event to the client."""
        event.event_id = self.ids.event()
        if isinstance(event, _PADDED) and event.delta is not UNSET:
            event.obfuscation = self.ids.padding(-len(event.delta or "") % OBFUSCATION_STEP)
        self._effects.append(Send(event))

    def ask(self, effect: Effect) -> None:
        """Ask the shell for anything else."""
        self._effects.append(effect)

    def take(self) -> list[Effect]:
        """Return what has gathered, and begin anew."""
        effects, self._effects = self._effects, []
        return effects
