"""Models behind OpenAI's HTTP API, which many servers speak: Ollama, vLLM, llama.cpp, LocalAI, speaches and others.

What they hear and say leaves this machine when the server is another one.
"""

import io
import wave
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any, Literal

import aiohttp
import msgspec
import numpy as np

from vivavoce.audio.pcm import encode_pcm16, to_pcm16
from vivavoce.engine.models.chat import AnswerReader, request
from vivavoce.engine.models.http_server import HttpServer, Refused
from vivavoce.engine.models.pcm_stream import SPEECH_RATE, SpeechStream
from vivavoce.engine.models.promptness import Promptness
from vivavoce.engine.models.protocols import (
    MODEL_RATE,
    Finished,
    Generated,
    Message,
    Prompt,
    Samples,
    Transcription,
    Voice,
)
from vivavoce.engine.models.spoken import audible_text, foreign_voices
from vivavoce.engine.models.sse import EventStream
from vivavoce.engine.models.utterances import audible
from vivavoce.errors import ModelError

__all__ = ["HttpLanguageModel", "HttpRecogniser", "HttpSynthesiser"]

CHUNK = 4800
"""Bytes of speech that are handed on together, at most: 100 ms."""


class HttpLanguageModel:
    """A language model behind ``/chat/completions``.

    What it keeps of a prompt is the server's own business: `prepare` asks for nothing.
    """

    def __init__(self, server: HttpServer) -> None:
        self._server = server
        self._refused: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """The name that the server knows the model by."""
        return self._server.model

    async def prepare(self, prompt: Prompt) -> None:
        """Do nothing: a server that is asked to read ahead would also be paid for it."""

    async def generate(
        self, prompt: Prompt, *, max_tokens: int, temperature: float = 0.4
    ) -> AsyncGenerator[Generated | Finished, None]:
        """Stream an answer; the last thing yielded is `Finished`, without tokens where the server counts none."""
        body = request(self._server.model, prompt, max_tokens=max_tokens, temperature=temperature)
        left_out = self._refused
        while True:
            asked = _without(body, left_out)
            try:
                async with aclosing(self._stream(asked)) as pieces:
                    async for piece in pieces:
                        self._refused = left_out
                        yield piece
            except Refused as refusal:
                refused = _refused_field(refusal, asked)
                if refused is None:
                    raise
                left_out |= {refused}
            else:
                return

    async def warm_up(self) -> None:
        """Ask for one token: it shows that the address, the key and the name are right, and has the model loaded."""
        async with aclosing(self.generate(Prompt((Message("user", "Hello."),)), max_tokens=1)) as pieces:
            async for _ in pieces:
                pass

    async def close(self) -> None:
        """Close the connections."""
        await self._server.close()

    async def _stream(self, body: dict[str, Any]) -> AsyncGenerator[Generated | Finished, None]:
        events, answer = EventStream(), AnswerReader()
        async with self._server.post("/chat/completions", json=body) as response:
            if response.content_type != "text/event-stream":
                raise self._server.error(f"expected an event stream, and got {response.content_type}.")
            try:
                async for chunk in response.content.iter_any():
                    for data in events.push(chunk):
                        for piece in answer.take(data):
                            yield piece
                    if answer.done:
                        break
                for last in answer.finish():
                    yield last
            except ModelError as error:
                raise self._server.error(error) from error


OPTIONAL = {"max_tokens": "max_completion_tokens", "temperature": None, "stream_options": None}
"""What some servers and models refuse, and what says the same to them."""


def _without(body: dict[str, Any], refused: frozenset[str]) -> dict[str, Any]:
    """Return a request without what was refused."""
    kept = {name: value for name, value in body.items() if name not in refused}
    renamed = {OPTIONAL[name]: body[name] for name in refused if OPTIONAL[name]}
    return kept | {name: value for name, value in renamed.items() if name}


def _refused_field(refusal: Refused, asked: dict[str, Any]) -> str | None:
    """Return what of the request the server does not take, where a request without it is worth trying."""
    if refusal.status not in {400, 422}:
        return None
    return next((name for name in OPTIONAL if name in asked and name in str(refusal)), None)


class _Transcript(msgspec.Struct):
    text: str


class HttpRecogniser:
    """A recogniser behind ``/audio/transcriptions``. What is too quiet to be speech never reaches it.

    It is asked for partial transcripts if ``partials`` may be, and as long as it is quick.
    """

    def __init__(self, server: HttpServer, *, partials: bool = True) -> None:
        self._server = server
        self._promptness = Promptness(partials=partials)

    async def transcribe(
        self,
        audio: Samples,
        *,
        language: str | None = None,
        prompt: str | None = None,
        effort: Literal["partial", "final"] = "final",
    ) -> Transcription:
        """Transcribe one utterance, sent as a WAV file. Without a ``language`` the server chooses."""
        if not audible(audio):
            return Transcription("", no_speech=1.0, language=language)
        if effort == "partial" and not self._promptness.worth_asking:
            return Transcription("", language=language)
        with self._promptness.measured():
            return await self._transcribe(audio, language, prompt)

    async def warm_up(self) -> None:
        """Have a second of silence transcribed: it shows that the address, the key and the name are right."""
        await self._transcribe(np.zeros(MODEL_RATE, np.float32), None, None)

    async def close(self) -> None:
        """Close the connections."""
        await self._server.close()

    async def _transcribe(self, audio: Samples, language: str | None, prompt: str | None) -> Transcription:
        recording = _wav(audio)

        def form() -> aiohttp.FormData:
            fields = {"model": self._server.model, "response_format": "json", "temperature": "0"}
            fields |= {"language": language} if language else {}
            fields |= {"prompt": prompt} if prompt else {}
            form = aiohttp.FormData(fields)
            form.add_field("file", recording, filename="speech.wav", content_type="audio/wav")
            return form

        async with self._server.post("/audio/transcriptions", form=form) as response:
            body = await response.read()
        try:
            text = msgspec.json.decode(body, type=_Transcript).text
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise self._server.error(f"expected a transcript in JSON, and got none: {error}.") from error
        return Transcription(text.strip(), language=language)


class HttpSynthesiser:
    """A synthesiser behind ``/audio/speech``.

    All of the protocol's voices are the one ``voice``, where it is given, else the server's of the same name.
    """

    def __init__(self, server: HttpServer, *, voice: str | None = None) -> None:
        self._server = server
        self._voice = voice
        self._voices = foreign_voices(voice, server.model)

    @property
    def rate(self) -> int:
        """Samples per second of the audio that comes out, whatever the server sends."""
        return SPEECH_RATE

    @property
    def voices(self) -> Mapping[str, Voice]:
        """The voices by the protocol's names."""
        return self._voices

    async def synthesise(self, text: str, *, voice: str, speed: float = 1.0) -> AsyncGenerator[Samples, None]:
        """Stream the speech of a text, as the server sends it."""
        if voice not in self._voices:
            raise self._server.error(f"expected a voice out of {', '.join(self._voices)}, but got {voice!r}.")
        spoken = audible_text(text)
        if not spoken:
            return
        body: dict[str, Any] = {
            "model": self._server.model,
            "input": spoken,
            "voice": self._voice or voice,
            "response_format": "pcm",
        }
        if speed != 1.0:
            body["speed"] = speed
        async with self._server.post("/audio/speech", json=body) as response:
            kind = response.content_type
            if kind.startswith("text/") or kind in {"application/json", "audio/mpeg", "audio/mp3"}:
                raise self._server.error(f"expected raw speech or a WAV file, and got {kind}.")
            speech = SpeechStream(response.headers.get("Content-Type", ""))
            try:
                async for chunk in response.content.iter_chunked(CHUNK):
                    if len(audio := speech.push(chunk)):
                        yield audio
                if len(audio := speech.flush()):
                    yield audio
            except ModelError as error:
                raise self._server.error(error) from error

    async def warm_up(self) -> None:
        """Say a word: it shows that the address, the key, the name and the voice are right."""
        heard = 0
        async with aclosing(self.synthesise("Hello.", voice=next(iter(self._voices)))) as speech:
            async for audio in speech:
                heard += len(audio)
        if not heard:
            raise self._server.error("expected speech, and got nothing.")

    async def close(self) -> None:
        """Close the connections."""
        await self._server.close()


def _wav(audio: Samples) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(MODEL_RATE)
        writer.writeframes(encode_pcm16(to_pcm16(audio)))
    return file.getvalue()
