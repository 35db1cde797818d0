"""How long nobody has spoken since the last answer was played, for ``idle_timeout_ms``. Pure.

The clock is the input audio: positions are samples of all audio ever appended, so it only runs while the client
sends audio. Playback is taken to begin with ``response.created`` and to last as long as the audio that was sent, but
at least until ``response.done``: a client plays an answer while more of it comes.
"""

from vivavoce.audio import formats
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.responses import Response
from vivavoce.protocol.session import AudioFormat, AudioPcm

__all__ = ["Idle"]


class Idle:
    """One silence at a time: it begins with the end of an answer, and is told of once, until another answer."""

    def __init__(self) -> None:
        self.since: int | None = None
        """Where the silence began, or will begin once the answer has been played; None while there is none."""
        self._response: tuple[str, AudioFormat] | None = None
        self._played_until = 0
        self._ours = False
        self._told = False
        self._answered = False

    def sent(self, event: ev.ServerEvent, at: int) -> None:
        """Take note of an event that was sent when the clock stood at a position."""
        match event:
            case ev.ResponseCreated(response=response) if response.conversation_id is not None:
                self._response = (response.id, _format(response))
                self._told, self._ours = self._ours, False
                self._played_until, self.since = at, None
            case ev.ResponseOutputAudioDelta(response_id=response_id, delta=delta):
                if self._response is not None and self._response[0] == response_id:
                    self._played_until += _samples(delta, self._response[1])
            case ev.ResponseDone(response=response) if self._response is not None:
                if self._response[0] == response.id:
                    self._response, self._answered = None, True
                    self._begin(max(at, self._played_until))
            case ev.ConversationItemTruncated() if self.since is not None:
                self.since = min(self.since, at)  # whoever says how much was heard has stopped playing
            case ev.InputAudioBufferSpeechStarted() | ev.InputAudioBufferSpeechStopped():
                self.since = None

    def nothing_said(self, at: int) -> None:
        """Take word that what sounded like speech had no words: the silence goes on."""
        if self._answered and self._response is None:
            self._begin(at)

    def restart(self, at: int) -> None:
        """Count from here, if a silence is being counted: what went before was under other rules."""
        if self.since is not None:
            self.since = max(self.since, at)

    def over(self, at: int, timeout: int) -> bool:
        """Whether the silence has lasted for ``timeout`` samples."""
        return self.since is not None and at - self.since >= timeout

    def told(self, *, answered: bool) -> None:
        """Take word that the client was told; ``answered`` says whether the next response is the one to that."""
        self.since, self._told, self._ours = None, True, answered

    def _begin(self, at: int) -> None:
        self.since = None if self._told else at


def _format(response: Response) -> AudioFormat:
    return response.audio.output.format if response.audio is not None else AudioPcm()


def _samples(delta: str, audio_format: AudioFormat) -> int:
    return formats.samples(len(delta) * 3 // 4 - delta[-2:].count("="), audio_format.type)
