"""One call, between a peer with media and an endpoint that only knows events. Pure.

::

    microphone ──► input_audio_buffer.append ──►
    data channel ◄──────── all other events ───►   endpoint
    speaker ◄── response.output_audio.delta ◄──

What is played is known here, so the talk does what a client of a WebSocket must do by itself: when somebody begins to
speak it stops the speech at once, and truncates the answer at what was played [OpenAI's behaviour over WebRTC], unless
the session says ``"interrupt_response": false``. The client is told with the three ``output_audio_buffer`` events that
only calls have.
"""

import base64
from collections import deque
from dataclasses import dataclass

import msgspec
import numpy as np

from vivavoce.audio import formats
from vivavoce.audio.pcm import Pcm
from vivavoce.dialects.beta_session import FORMATS
from vivavoce.errors import AudioError
from vivavoce.protocol.client_events import ConversationItemTruncate, InputAudioBufferAppend
from vivavoce.protocol.codec import Frame
from vivavoce.protocol.ids import Ids
from vivavoce.protocol.server_events import (
    ErrorEvent,
    OutputAudioBufferCleared,
    OutputAudioBufferStarted,
    OutputAudioBufferStopped,
)
from vivavoce.webrtc.playout import FRAME_SAMPLES, RATE, Playout

__all__ = ["Output", "Talk", "ToAll", "ToEndpoint", "ToPeer"]

APPEND_SAMPLES = 2 * FRAME_SAMPLES
"""40 ms: what one ``input_audio_buffer.append`` carries."""

SWITCH_SAMPLES = RATE
"""1 s: how long speech waits for an endpoint to say that it takes another format, as it was asked to."""

FORGIVEN = 64
"""Truncations whose errors are kept to ourselves: the item may have been deleted meanwhile."""


class _Delta(msgspec.Struct):
    """What there is to know of speech, in any dialect."""

    response_id: str
    item_id: str
    delta: str
    content_index: int = 0


class _Format(msgspec.Struct):
    type: str | None = None


class _Detection(msgspec.Struct):
    interrupt_response: bool | None = None


class _Side(msgspec.Struct):
    format: _Format = msgspec.field(default_factory=_Format)
    turn_detection: _Detection | None = None


class _Sides(msgspec.Struct):
    input: _Side = msgspec.field(default_factory=_Side)
    output: _Side = msgspec.field(default_factory=_Side)


class _Settings(msgspec.Struct):
    """What there is to know of a session, or of a response, in any dialect."""

    id: str = ""
    audio: _Sides = msgspec.field(default_factory=_Sides)
    input_audio_format: str | None = None
    output_audio_format: str | None = None
    turn_detection: _Detection | None = None

    @property
    def interruptible(self) -> bool:
        """Whether who begins to speak ends an answer; so it is where it does not say."""
        detection = self.audio.input.turn_detection or self.turn_detection
        return detection is None or detection.interrupt_response is not False

    @property
    def input(self) -> str | None:
        """What speech is taken in; None where it does not say."""
        return _format(self.audio.input.format.type, self.input_audio_format)

    @property
    def output(self) -> str | None:
        """What speech is given in; None where it does not say."""
        return _format(self.audio.output.format.type, self.output_audio_format)


class _Event(msgspec.Struct):
    session: _Settings = msgspec.field(default_factory=_Settings)
    response: _Settings = msgspec.field(default_factory=_Settings)


_DELTA = msgspec.json.Decoder(_Delta)
_EVENT = msgspec.json.Decoder(_Event)


@dataclass(frozen=True, slots=True)
class ToEndpoint:
    """Send this to the endpoint."""

    frame: Frame


@dataclass(frozen=True, slots=True)
class ToPeer:
    """Send this to the peer, on the data channel."""

    frame: Frame


@dataclass(frozen=True, slots=True)
class ToAll(ToPeer):
    """Send this to the peer, and tell whoever controls the call beside it: it is the call that says so."""


Output = ToEndpoint | ToPeer


class Talk:
    """What goes where in one call. Give it what comes from either side, and do what it returns."""

    def __init__(self) -> None:
        self.playout = Playout()
        self._ids = Ids()
        self._input, self._encoder = formats.PCM, formats.encoder(formats.PCM)
        self._output = formats.PCM
        self._interruptible = True
        self._decoders: dict[str, formats.Decoder] = {}
        """Of each response that is under way: it may have a format of its own, and keeps it."""
        self._spoken: deque[Pcm] = deque()
        self._samples = 0
        self._enough = APPEND_SAMPLES
        """Samples that are sent together."""
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
        if self._samples < self._enough:
            return []
        self._enough = APPEND_SAMPLES
        speech = np.concatenate(self._spoken)
        self._spoken.clear()
        self._samples = 0
        audio = base64.b64encode(self._encoder.push(speech)).decode()
        return [ToEndpoint(Frame.of(InputAudioBufferAppend(audio=audio)))]

    def tell(self, data: str | bytes) -> list[Output]:
        """Take an event of the peer off the data channel. Raises `ProtocolError` for what is none."""
        frame = Frame(data)
        if frame.type == "output_audio_buffer.clear":
            return self.silence()
        if frame.type == "session.update" and _read(frame).session.input not in {None, self._input}:
            self._enough = SWITCH_SAMPLES
        return [ToEndpoint(frame)]

    def receive(self, frame: Frame) -> list[Output]:
        """Take an event of the endpoint."""
        match frame.type:
            case "response.output_audio.delta" | "response.audio.delta":  # as the beta calls it
                self._play(frame)
                return []
            case "session.created" | "session.updated":
                self._adopt(_read(frame).session)
                return [ToPeer(frame)]
            case "response.created":
                self._expect(_read(frame).response)
                return [ToPeer(frame)]
            case "input_audio_buffer.speech_started" if self._interruptible:
                return [ToPeer(frame), *self.silence()]
            case "response.done":
                return [ToPeer(frame), *self._ended(frame)]
            case "error" if self._is_forgiven(frame):
                return []
            case "error":
                self._enough = APPEND_SAMPLES
                return [ToPeer(frame)]
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
            pcm = self._decoder(event.response_id).push(base64.b64decode(event.delta))
        except (ValueError, AudioError):
            return  # an endpoint that sends no audio here is heard as silence
        self.playout.add(event.response_id, event.item_id, event.content_index, pcm)

    def _adopt(self, session: _Settings) -> None:
        """Speak the session's formats, the peer's are its own affair; and be interrupted as it says."""
        self._interruptible = session.interruptible
        self._enough = APPEND_SAMPLES
        if session.input not in {None, self._input}:
            self._input, self._encoder = session.input, formats.encoder(session.input)
        self._output = session.output or self._output

    def _expect(self, response: _Settings) -> None:
        self._decoders[response.id] = formats.decoder(response.output or self._output)

    def _decoder(self, response_id: str) -> formats.Decoder:
        if response_id not in self._decoders:
            self._decoders[response_id] = formats.decoder(self._output)
        return self._decoders[response_id]

    def _ended(self, frame: Frame) -> list[Output]:
        response_id = _read(frame).response.id
        self._decoders.pop(response_id, None)
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
    ) -> ToAll:
        event.event_id = self._ids.event()
        return ToAll(Frame.of(event))


def _read(frame: Frame) -> _Event:
    """Return what there is to know of an event; nothing, where it is not as it should be."""
    try:
        return _EVENT.decode(frame.data)
    except ValueError:
        return _Event()


def _format(today: str | None, beta: str | None) -> str | None:
    """Return the name of a format as it is said today; None for one that does not exist."""
    name = today or FORMATS.get(beta or "", {}).get("type")
    return name if name in {formats.PCM, formats.PCMU, formats.PCMA} else None
