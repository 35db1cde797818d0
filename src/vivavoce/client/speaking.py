"""Answers on their way to the ear: what is played, what of it was heard, and how it is silenced. Pure.

A speaker may be in this process or far away; all that counts is that it plays in order and says what was heard.
"""

from collections.abc import Callable
from typing import Any, ClassVar, Protocol

from vivavoce.audio import formats
from vivavoce.audio.pcm import Pcm, Samples, from_pcm16
from vivavoce.client.conversation_item import audio_bytes
from vivavoce.client.playback import Place, Playback
from vivavoce.protocol.client_events import ConversationItemTruncate
from vivavoce.protocol.codec import UnknownEvent
from vivavoce.protocol.server_events import (
    InputAudioBufferSpeechStarted,
    ResponseCreated,
    ResponseDone,
    ResponseOutputAudioDelta,
    ResponseOutputAudioDone,
    ServerEvent,
    SessionCreated,
    SessionUpdated,
)
from vivavoce.protocol.session import PCM_RATE, RealtimeSession

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
    """Plays the audio of a session, in whatever format it comes. When somebody begins to speak, it falls silent.

    ``placed`` says whether an item is in the conversation, where alone it can be truncated; ``playback`` keeps count,
    if it is that of a `RemotePlayer`.
    """

    def __init__(
        self,
        speaker: Loudspeaker,
        placed: Callable[[str], bool] = lambda _: True,
        playback: Playback | None = None,
    ) -> None:
        self._speaker = speaker
        self._placed = placed
        self._playback = playback or Playback(PCM_RATE)
        self._format = formats.PCM
        self._yields = True
        self._responses: dict[str, str] = {}
        """The format of each response that is in progress."""
        self._silenced: set[str] = set()
        self._streams: dict[Place, formats.Decoder] = {}
        """Of each part that is growing."""

    @property
    def playing(self) -> bool:
        """Whether something of an answer has yet to be heard."""
        return self._playback.playing(self._speaker.heard) is not None

    def take(self, event: ServerEvent | UnknownEvent) -> list[ConversationItemTruncate]:
        """Take a server event; return what the endpoint is to be told."""
        taking = self._TAKINGS.get(type(event))
        return (taking(self, event) if taking is not None else None) or []

    def silence(self) -> list[ConversationItemTruncate]:
        """Fall silent, for the rest of the responses too; return how much of each item was heard."""
        self._silenced.update(self._responses)
        unheard = self._playback.interrupt(self._speaker.heard, growing=self._streams)
        self._streams.clear()
        if unheard:
            self._speaker.clear()
        return [
            ConversationItemTruncate(
                item_id=one.item_id, content_index=one.content_index, audio_end_ms=one.audio_end_ms
            )
            for one in unheard
            if self._placed(one.item_id)
        ]

    def _configure(self, event: SessionCreated | SessionUpdated) -> None:
        if isinstance(event.session, RealtimeSession):
            self._format = event.session.audio.output.format.type
            detection = event.session.audio.input.turn_detection
            self._yields = detection is None or detection.interrupt_response

    def _created(self, event: ResponseCreated) -> None:
        # A server that says nothing of a response's format means the session's; to us that reads as PCM.
        audio = event.response.audio
        own = audio.output.format.type if audio is not None else formats.PCM
        self._responses[event.response.id] = self._format if own == formats.PCM else own

    def _delta(self, event: ResponseOutputAudioDelta) -> None:
        if event.response_id in self._silenced:
            return
        name = self._responses.setdefault(event.response_id, self._format)
        place = (event.item_id, event.content_index)
        stream = self._streams.get(place)
        if stream is None:
            stream = self._streams[place] = formats.decoder(name)
        data = audio_bytes(event.delta)
        self._play(place, stream.push(data[: len(data) & ~1] if name == formats.PCM else data))

    def _done(self, event: ResponseOutputAudioDone) -> None:
        self._finish((event.item_id, event.content_index))

    def _response_done(self, event: ResponseDone) -> None:
        output = {item.id for item in event.response.output}
        for place in [place for place in self._streams if place[0] in output]:
            self._finish(place)
        self._responses.pop(event.response.id, None)
        self._silenced.discard(event.response.id)
        self._playback.forget(self._speaker.heard)

    def _speech_started(self, _: InputAudioBufferSpeechStarted) -> list[ConversationItemTruncate]:
        return self.silence() if self._yields else []

    def _finish(self, place: Place) -> None:
        stream = self._streams.pop(place, None)
        if stream is not None:
            self._play(place, stream.flush())

    def _play(self, place: Place, pcm: Pcm) -> None:
        if pcm.size:
            self._playback.receive(*place, len(pcm))
            self._speaker.play(from_pcm16(pcm))

    _TAKINGS: ClassVar[dict[type, Callable[[Any, Any], list[ConversationItemTruncate] | None]]] = {
        SessionCreated: _configure,
        SessionUpdated: _configure,
        ResponseCreated: _created,
        ResponseOutputAudioDelta: _delta,
        ResponseOutputAudioDone: _done,
        ResponseDone: _response_done,
        InputAudioBufferSpeechStarted: _speech_started,
    }
