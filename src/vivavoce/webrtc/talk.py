"""One call, between a peer with media and an endpoint that only knows events. Pure.

::

    microphone ──► input_audio_buffer.append ──►
    data channel ◄──────── all other events ───►   endpoint
    speaker ◄── response.output_audio.delta ◄──

What is played is known here, so the talk does what a client of a WebSocket must do by itself: when somebody begins to
speak it stops the speech at once, and truncates the answer at what was played [OpenAI's behaviour over WebRTC]. The
client is told with the three ``output_audio_buffer`` events that only calls have.
"""

import base64
from collections import deque
from dataclasses import dataclass

import msgspec
import numpy as np

from vivavoce.audio import formats
from vivavoce.audio.pcm import Pcm
from vivavoce.errors import AudioError
from vivavoce.protocol.client_events import ConversationItemTruncate, InputAudioBufferAppend
from vivavoce.protocol.codec import Frame
from vivavoce.protocol.ids import Ids
from vivavoce.protocol.server_events import (
    ErrorEvent,
    OutputAudioBufferCleared,
    OutputAudioBufferStarted,
    OutputAudioBufferStopped,
    SessionCreated,
    SessionUpdated,
)
from vivavoce.protocol.session import RealtimeSession
from vivavoce.webrtc.playout import FRAME_SAMPLES, Playout

__all__ = ["Output", "Talk", "ToEndpoint", "ToPeer"]

APPEND_SAMPLES = 2 * FRAME_SAMPLES
"""40 ms: what one ``input_audio_buffer.append`` carries."""

FORGIVEN = 64
"""Truncations whose errors are kept to ourselves: the item may have been deleted meanwhile."""


class _Delta(msgspec.Struct):
    """What there is to know of speech, in any dialect."""

    response_id: str
    item_id: str
    delta: str
    content_index: int = 0


class _Response(msgspec.Struct):
    id: str


class _Done(msgspec.Struct):
    response: _Response


_DELTA = msgspec.json.Decoder(_Delta)
_DONE = msgspec.json.Decoder(_Done)


@dataclass(frozen=True, slots=True)
class ToEndpoint:
    """Send this to the endpoint."""

    frame: Frame


@dataclass(frozen=True, slots=True)
class ToPeer:
    """Send this to the peer, on the data channel."""

    frame: Frame


Output = ToEndpoint | ToPeer


class Talk:
    """What goes where in one call. Give it what comes from either side, and do what it returns."""

    def __init__(self) -> None:
        self.playout = Playout()
        self._ids = Ids()
        self._input, self._encoder = formats.PCM, formats.encoder(formats.PCM)
        self._output, self._decoder = formats.PCM, formats.decoder(formats.PCM)
        self._spoken: deque[Pcm] = deque()
        self._samples = 0
        self._playing: str | None = None
        """The response that is being played, as the peer was told."""
        self._done: deque[str] = deque(maxlen=FORGIVEN)
        """Responses that have been put out to their end."""
        self._silenced: deque[str] = deque(maxlen=FORGIVEN)
        """Responses of which nothing more is to be played."""
        self._forgiven: deque[str] = deque(maxlen=FORGIVEN)

    def speak(self, pcm: Pcm) -> list[ToEndpoint]:
        """Take speech of the peer at 24 kHz, in chunks of any length."""
        self._spoken.append(pcm)
        self._samples += len(pcm)
        if self._samples < APPEND_SAMPLES:
            return []
        speech = np.concatenate(self._spoken)
        self._spoken.clear()
        self._samples = 0
        audio = base64.b64encode(self._encoder.push(speech)).decode()
        return [ToEndpoint(Frame.of(InputAudioBufferAppend(audio=audio)))]

    def tell(self, data: str | bytes) -> list[Output]:
        """Take an event of the peer off the data channel. Raises `ProtocolError` for what is none."""
        frame = Frame(data)
        return self.silence() if frame.type == "output_audio_buffer.clear" else [ToEndpoint(frame)]

    def receive(self, frame: Frame) -> list[Output]:
        """Take an event of the endpoint."""
        match frame.type:
            case "response.output_audio.delta" | "response.audio.delta":  # as the beta calls it
                self._play(frame)
                return []
            case "session.created" | "session.updated":
                self._adopt(frame)
                return [ToPeer(frame)]
            case "input_audio_buffer.speech_started":
                return [ToPeer(frame), *self.silence()]
            case "response.done":
                return [ToPeer(frame), *self._ended(frame)]
            case "error" if self._is_forgiven(frame):
                return []
            case _:
                return [ToPeer(frame)]

    def next_frame(self) -> tuple[Pcm | None, list[Output]]:
        """Return the 20 ms to be played now, None for silence, and what there is to tell of it."""
        response_id = self.playout.response_id
        pcm = self.playout.take()
        outputs: list[Output] = []
        if response_id is not None and response_id != self._playing:
            outputs += self._stopped()
            self._playing = response_id
            outputs.append(self._say(OutputAudioBufferStarted(response_id=response_id)))
        if not self.playout.waiting and self._playing in self._done:
            outputs += self._stopped()
        return pcm, outputs

    def silence(self) -> list[Output]:
        """Stop what is being said, and truncate it at what was played; nothing happens where nothing is."""
        response_id = self._playing or self.playout.response_id
        unplayed = self.playout.clear()
        if response_id is None:
            return []
        if response_id not in self._done:
            self._silenced.append(response_id)
        self._playing = None
        return [
            self._say(OutputAudioBufferCleared(response_id=response_id)),
            *(self._truncate(one.item_id, one.content_index, one.audio_end_ms) for one in unplayed),
        ]

    def _truncate(self, item_id: str, content_index: int, audio_end_ms: int) -> ToEndpoint:
        event_id = self._ids.event()
        self._forgiven.append(event_id)
        truncate = ConversationItemTruncate(
            event_id=event_id, item_id=item_id, content_index=content_index, audio_end_ms=audio_end_ms
        )
        return ToEndpoint(Frame.of(truncate))

    def _play(self, frame: Frame) -> None:
        try:
            event = _DELTA.decode(frame.data)
            if event.response_id in self._silenced:
                return
            pcm = self._decoder.push(base64.b64decode(event.delta))
        except (ValueError, AudioError):
            return  # an endpoint that sends no audio here is heard as silence
        self.playout.add(event.response_id, event.item_id, event.content_index, pcm)

    def _adopt(self, frame: Frame) -> None:
        """Speak the session's formats; the peer's are its own affair."""
        event = frame.server_event()
        if not isinstance(event, SessionCreated | SessionUpdated):
            return
        audio = event.session.audio
        if audio.input.format.type != self._input:
            self._input = audio.input.format.type
            self._encoder = formats.encoder(self._input)
        if isinstance(event.session, RealtimeSession) and (
            event.session.audio.output.format.type != self._output
        ):
            self._output = event.session.audio.output.format.type
            self._decoder = formats.decoder(self._output)

    def _ended(self, frame: Frame) -> list[Output]:
        try:
            response_id = _DONE.decode(frame.data).response.id
        except ValueError:
            return []
        self._done.append(response_id)
        return self._stopped() if response_id == self._playing and not self.playout.waiting else []

    def _stopped(self) -> list[Output]:
        response_id, self._playing = self._playing, None
        return [] if response_id is None else [self._say(OutputAudioBufferStopped(response_id=response_id))]

    def _is_forgiven(self, frame: Frame) -> bool:
        event = frame.server_event()
        return isinstance(event, ErrorEvent) and event.error.event_id in self._forgiven

    def _say(
        self, event: OutputAudioBufferStarted | OutputAudioBufferStopped | OutputAudioBufferCleared
    ) -> ToPeer:
        event.event_id = self._ids.event()
        return ToPeer(Frame.of(event))
