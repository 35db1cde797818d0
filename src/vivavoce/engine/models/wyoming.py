"""Recognisers and synthesisers that speak the Wyoming protocol, as Home Assistant's faster-whisper and Piper do.

The protocol knows no speed of speech and no words to expect: both are left out.
"""

from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing
from typing import Any, Literal

from vivavoce.audio.pcm import encode_pcm16, to_pcm16
from vivavoce.engine.models.pcm_stream import SPEECH_RATE, PcmStream
from vivavoce.engine.models.promptness import Promptness
from vivavoce.engine.models.protocols import MODEL_RATE, Samples, Transcription, Voice
from vivavoce.engine.models.spoken import audible_text, foreign_voices
from vivavoce.engine.models.utterances import audible
from vivavoce.engine.models.wyoming_wire import Event, WyomingServer
from vivavoce.errors import ModelError

__all__ = ["WyomingRecogniser", "WyomingSynthesiser"]

CHUNK = MODEL_RATE // 5
"""Samples of speech in one event: 200 ms."""

FORMAT = {"rate": MODEL_RATE, "width": 2, "channels": 1}

FEW = 10
"""How many voices an error names."""


class WyomingRecogniser:
    """Recognises speech at a Wyoming server. What is too quiet to be speech never reaches it.

    It is asked for partial transcripts as long as it is quick.
    """

    def __init__(self, server: WyomingServer) -> None:
        self._server = server
        self._promptness = Promptness()

    async def transcribe(
        self,
        audio: Samples,
        *,
        language: str | None = None,
        prompt: str | None = None,  # noqa: ARG002 - the protocol has no words to expect
        effort: Literal["partial", "final"] = "final",
    ) -> Transcription:
        """Transcribe one utterance. Without a ``language`` the server has its own."""
        if not audible(audio):
            return Transcription("", no_speech=1.0, language=language)
        if effort == "partial" and not self._promptness.worth_asking:
            return Transcription("", language=language)
        asked = Event("transcribe", {"language": language} if language else {})
        with self._promptness.measured():
            return await self._transcribe(audio, asked, language)

    async def warm_up(self) -> None:
        """See whether the server is there and recognises speech."""
        if not _able(await self._server.describe(), "asr", "models"):
            raise self._server.error("expected a server that recognises speech, and this one does not.")

    async def close(self) -> None:
        """Do nothing: no connection outlives its request."""

    async def _transcribe(self, audio: Samples, asked: Event, language: str | None) -> Transcription:
        async with self._server.connect() as connection:
            await connection.send(asked, Event("audio-start", FORMAT), *_chunks(audio), Event("audio-stop"))
            while (event := await connection.receive()).type != "transcript":
                pass
            text = event.data.get("text")
            if not isinstance(text, str):
                raise ModelError("expected a transcript with text, and it has none.")
        return Transcription(text.strip(), language=event.data.get("language") or language)


class WyomingSynthesiser:
    """Speaks through a Wyoming server.

    All of the protocol's voices are the one ``voice``, where it is given, else the server's default.
    """

    def __init__(self, server: WyomingServer, *, voice: str | None = None) -> None:
        self._server = server
        self._voice = voice
        self._voices = {
            name: Voice(name, one.description if voice else f"the voice of {server}")
            for name, one in foreign_voices(voice, str(server)).items()
        }

    @property
    def rate(self) -> int:
        """Samples per second of the audio that comes out, whatever the server sends."""
        return SPEECH_RATE

    @property
    def voices(self) -> Mapping[str, Voice]:
        """The voices by the protocol's names."""
        return self._voices

    async def synthesise(
        self,
        text: str,
        *,
        voice: str,
        speed: float = 1.0,  # noqa: ARG002 - the protocol has no speed
    ) -> AsyncGenerator[Samples, None]:
        """Stream the speech of a text, as the server sends it."""
        if voice not in self._voices:
            raise self._server.error(f"expected a voice out of {', '.join(self._voices)}, but got {voice!r}.")
        spoken = audible_text(text)
        if not spoken:
            return
        asked = {"text": spoken} | ({"voice": {"name": self._voice}} if self._voice else {})
        async with self._server.connect() as connection:
            await connection.send(Event("synthesize", asked))
            speech, form = PcmStream(SPEECH_RATE), (SPEECH_RATE, 1)
            while (event := await connection.receive()).type != "audio-stop":
                if event.type != "audio-chunk":
                    continue
                if (this := _form(event.data)) != form:
                    if len(rest := speech.flush()):
                        yield rest
                    speech, form = PcmStream(*this), this
                if len(audio := speech.push(event.payload)):
                    yield audio
            if len(rest := speech.flush()):
                yield rest

    async def warm_up(self) -> None:
        """See whether the server is there and has the voice, and let it say a word."""
        voices = _able(await self._server.describe(), "tts", "voices")
        if not voices:
            raise self._server.error("expected a server that speaks, and this one does not.")
        if self._voice and self._voice not in voices:
            some = ", ".join(voices[:FEW]) + (", …" if len(voices) > FEW else "")
            raise self._server.error(f"expected a voice out of {some}, but got {self._voice!r}.")
        heard = 0
        async with aclosing(self.synthesise("Hello.", voice=next(iter(self._voices)))) as speech:
            async for audio in speech:
                heard += len(audio)
        if not heard:
            raise self._server.error("expected speech, and got nothing.")

    async def close(self) -> None:
        """Do nothing: no connection outlives its request."""


def _chunks(audio: Samples) -> Iterator[Event]:
    for start in range(0, len(audio), CHUNK):
        yield Event("audio-chunk", FORMAT, encode_pcm16(to_pcm16(audio[start : start + CHUNK])))


def _form(data: dict[str, Any]) -> tuple[int, int]:
    """Return rate and channels of a chunk of sound."""
    form = (data.get("rate"), data.get("width"), data.get("channels"))
    match form:
        case (int(rate), 2, int(channels)):
            return rate, channels
    raise ModelError(f"expected 16-bit sound of a known rate, and got rate, width and channels {form}.")


def _able(info: dict[str, Any], what: str, parts: str) -> list[str]:
    """Return the names of all models, or voices, that a server has for one kind of work."""
    programs = [program for program in info.get(what) or [] if isinstance(program, dict)]
    return [
        str(part.get("name"))
        for program in programs
        for part in program.get(parts) or []
        if isinstance(part, dict)
    ]
