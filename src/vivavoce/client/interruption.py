"""A conversation by ear: what to send, what to play and when to be silent. Pure.

Server events, sound and the talk key go in; actions come out. Two ways to take turns:

- hands-free: the endpoint hears everything and decides on turns. Speaking over an answer stops it at once, and
  the endpoint is told how much of it was heard. It cancels its response by itself.
- push-to-talk: only what is said while the key is down is sent, and it is answered when the key is released.
  Pressing it stops an answer, and then the response is for us to cancel.
"""

import base64
from dataclasses import dataclass

from vivavoce.client.conversation_item import audio_bytes
from vivavoce.client.playback import Playback
from vivavoce.protocol.client_events import (
    ClientEvent,
    ConversationItemTruncate,
    InputAudioBufferAppend,
    InputAudioBufferClear,
    InputAudioBufferCommit,
    ResponseCancel,
    ResponseCreate,
)
from vivavoce.protocol.codec import UnknownEvent
from vivavoce.protocol.server_events import (
    ErrorEvent,
    InputAudioBufferSpeechStarted,
    ResponseCreated,
    ResponseDone,
    ResponseOutputAudioDelta,
    ServerEvent,
)
from vivavoce.protocol.session import PCM_RATE

__all__ = ["MIN_COMMIT_SECONDS", "Action", "Clear", "Play", "Send", "VoiceLoop"]

MIN_COMMIT_SECONDS = 0.1
"""Less than this cannot be committed: the endpoint would refuse it as empty."""

_BYTES_PER_SAMPLE = 2


@dataclass(frozen=True, slots=True)
class Send:
    """Send this event."""

    event: ClientEvent


@dataclass(frozen=True, slots=True)
class Play:
    """Give this PCM16 at 24 kHz to the speaker."""

    pcm: bytes


@dataclass(frozen=True, slots=True)
class Clear:
    """Make the speaker silent."""


Action = Send | Play | Clear


class VoiceLoop:
    """Decides what happens in a conversation by ear.

    ``heard`` is always the number of samples at 24 kHz that the speaker has played since it was last cleared.
    """

    def __init__(self, *, push_to_talk: bool = False) -> None:
        self.push_to_talk = push_to_talk
        self.talking = not push_to_talk
        """Whether the microphone is being listened to."""
        self._playback = Playback(PCM_RATE)
        self._response_id: str | None = None
        self._asked = False
        """A response has been asked for, and has not begun."""
        self._silenced: str | None = None
        self._said = 0
        self._waiting_to_answer = False

    def hear(self, pcm: bytes) -> list[Action]:
        """Take PCM16 at 24 kHz from the microphone."""
        if not self.talking:
            return []
        self._said += len(pcm)
        return [Send(InputAudioBufferAppend(audio=base64.b64encode(pcm).decode()))]

    def take(self, event: ServerEvent | UnknownEvent, heard: int) -> list[Action]:
        """Take a server event."""
        match event:
            case ResponseCreated(response=response):
                self._response_id = response.id
                self._asked = False
                if self.push_to_talk and self.talking:  # the key went down before it began
                    self._silenced = response.id
                    return [Send(ResponseCancel(response_id=response.id))]
            case ErrorEvent():
                self._asked = False
            case ResponseDone(response=response) if response.id == self._response_id:
                self._response_id = None
                return self._answer() if self._waiting_to_answer else []
            case ResponseOutputAudioDelta(response_id=response_id) if response_id != self._silenced:
                pcm = audio_bytes(event.delta)
                self._playback.receive(event.item_id, event.content_index, len(pcm) // _BYTES_PER_SAMPLE)
                return [Play(pcm)]
            case InputAudioBufferSpeechStarted():
                return self._interrupt(heard)
        return []

    def press(self, heard: int) -> list[Action]:
        """Begin to talk: the key is down."""
        if not self.push_to_talk or self.talking:
            return []
        self.talking = True
        self._said = 0
        self._waiting_to_answer = False
        actions = self._interrupt(heard)
        if self._response_id is not None:
            actions.append(Send(ResponseCancel(response_id=self._response_id)))
        return actions

    def release(self) -> list[Action]:
        """End what is being said, and ask for the answer: the key is up. Too short a press means nothing."""
        if not self.push_to_talk or not self.talking:
            return []
        self.talking = False
        if self._said < MIN_COMMIT_SECONDS * PCM_RATE * _BYTES_PER_SAMPLE:
            return [Send(InputAudioBufferClear())]
        committed: list[Action] = [Send(InputAudioBufferCommit())]
        if self._asked or self._response_id is not None:  # one is not over yet, and two would be refused
            self._waiting_to_answer = True
            return committed
        return committed + self._answer()

    def _answer(self) -> list[Action]:
        self._waiting_to_answer = False
        self._asked = True
        return [Send(ResponseCreate())]

    def _interrupt(self, heard: int) -> list[Action]:
        self._silenced = self._response_id
        unheard = self._playback.interrupt(heard)
        if not unheard:
            return []
        truncations = [
            Send(
                ConversationItemTruncate(
                    item_id=one.item_id, content_index=one.content_index, audio_end_ms=one.audio_end_ms
                )
            )
            for one in unheard
        ]
        return [Clear(), *truncations]
