"""Answers on their way to the ear: what is played, what of it was heard, and how it is silenced. Pure.

A speaker may be in this process or far away; all that counts is that it plays in order and says what was heard.
"""

import base64
from typing import Protocol

from vivavoce.audio.pcm import Samples, decode_pcm16, from_pcm16
from vivavoce.client.playback import Playback
from vivavoce.protocol.client_events import ConversationItemTruncate
from vivavoce.protocol.codec import UnknownEvent
from vivavoce.protocol.server_events import (
    InputAudioBufferSpeechStarted,
    ResponseOutputAudioDelta,
    ServerEvent,
)
from vivavoce.protocol.session import PCM_RATE

__all__ = ["Loudspeaker", "Speaking"]


class Loudspeaker(Protocol):
    """Something that plays 24 kHz, such as `vivavoce.audio.devices.Speaker`."""

    @property
    def heard(self) -> int:
        """Samples that were heard since it was last cleared."""
        ...

    def play(self, samples: Samples) -> None:
        """Play these after all others."""
        ...

    def clear(self) -> None:
        """Be silent."""
        ...


class Speaking:
    """Plays the audio of a session. When somebody begins to speak, it falls silent at once."""

    def __init__(self, speaker: Loudspeaker) -> None:
        self._speaker = speaker
        self._playback = Playback(PCM_RATE)
        self._response_id: str | None = None
        self._silenced: str | None = None

    def take(self, event: ServerEvent | UnknownEvent) -> list[ConversationItemTruncate]:
        """Take a server event; return what the endpoint is to be told."""
        match event:
            case ResponseOutputAudioDelta(response_id=response_id) if response_id != self._silenced:
                self._response_id = response_id
                samples = from_pcm16(decode_pcm16(base64.b64decode(event.delta)))
                self._playback.receive(event.item_id, event.content_index, len(samples))
                self._speaker.play(samples)
            case InputAudioBufferSpeechStarted():
                return self.silence()
        return []

    def silence(self) -> list[ConversationItemTruncate]:
        """Fall silent, for the rest of the response too; return how much of each item was heard."""
        self._silenced = self._response_id
        unheard = self._playback.interrupt(self._speaker.heard)
        if unheard:
            self._speaker.clear()
        return [
            ConversationItemTruncate(
                item_id=one.item_id, content_index=one.content_index, audio_end_ms=one.audio_end_ms
            )
            for one in unheard
        ]
