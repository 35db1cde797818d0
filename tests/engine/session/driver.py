"""Drives a session's state machine by hand: every effect is kept, every model answer is given by the test."""

import base64
import random
from typing import Any, Literal

import msgspec
import numpy as np
import pydantic
from openai.types.realtime import RealtimeServerEvent

from tests.engine.session.witness import Witness
from vivavoce.engine.models.protocols import Finished, Transcription
from vivavoce.engine.session import effects, inputs
from vivavoce.engine.session.machine import Session
from vivavoce.protocol.codec import encode
from vivavoce.protocol.ids import Ids
from vivavoce.protocol.session_params import TranscriptionSessionParams

OFFICIAL = pydantic.TypeAdapter(RealtimeServerEvent)
VOICES = ("alloy", "marin")
STEP_MS = 32


class Driver:
    """One session; `events` are the server's events so far, each validated by the official package's types.

    A `Witness` sees to it that the session keeps its promises, whatever a test is about.
    """

    def __init__(
        self,
        kind: Literal["realtime", "transcription"] = "realtime",
        *,
        model: str = "gpt-realtime",
        expires_at: int = 2_000_000_000,
        **session: Any,
    ) -> None:
        self.machine = Session(
            model=model,
            voices=VOICES,
            step_ms=STEP_MS,
            budget_tokens=2000,
            expires_at=expires_at,
            initial=TranscriptionSessionParams() if kind == "transcription" else None,
            ids=Ids(random.Random(7)),
        )
        self.witness = Witness()
        self.events: list[dict[str, Any]] = []
        self.asked: list[effects.Effect] = []
        self.perform(self.machine.begin())
        if session:
            self.client("session.update", session={"type": kind, **session})

    def perform(self, asked: list[effects.Effect]) -> None:
        for effect in asked:
            if isinstance(effect, effects.Send):
                raw = encode(effect.event)
                OFFICIAL.validate_json(raw, strict=True)
                self.events.append(msgspec.json.decode(raw))
                self.witness.hears(self.events[-1])
            else:
                self.asked.append(effect)
                self.witness.sees(effect)
        self.witness.rests()

    def client(self, event: str, **fields: Any) -> list[dict[str, Any]]:
        """Send a client event; return the server events that it caused."""
        return self.raw(msgspec.json.encode({"type": event, **fields}))

    def raw(self, data: bytes) -> list[dict[str, Any]]:
        return self.tell(data)

    def tell(self, happened: Any) -> list[dict[str, Any]]:
        before = len(self.events)
        self.perform(self.machine.take(happened))
        return self.events[before:]

    def append(self, seconds: float) -> None:
        pcm = np.zeros(int(24_000 * seconds), "<i2")
        self.client("input_audio_buffer.append", audio=base64.b64encode(pcm.tobytes()).decode())

    def hear(self, *spans: tuple[float, float]) -> list[dict[str, Any]]:
        """Append audio and let the voice detector answer: spans of (seconds, probability)."""
        before = len(self.events)
        for seconds, probability in spans:
            self.append(seconds)
            listening = self.last(effects.Listen).listening
            steps = round(seconds * 1000 / STEP_MS)
            for _ in range(steps):
                self.tell(inputs.VoiceHeard(listening, [probability]))
        return self.events[before:]

    def last(self, kind: type) -> Any:
        return next(effect for effect in reversed(self.asked) if isinstance(effect, kind))

    def all(self, kind: type) -> list[Any]:
        return [effect for effect in self.asked if isinstance(effect, kind)]

    def recognise(self, text: str) -> list[dict[str, Any]]:
        """Answer the newest recognition asked for."""
        asked = self.last(effects.Recognise)
        return self.tell(inputs.Recognised(asked.utterance, len(asked.pcm), asked.final, Transcription(text)))

    def judge(self, probability: float) -> list[dict[str, Any]]:
        """Answer the newest judgement asked for."""
        asked = self.last(effects.Judge)
        return self.tell(inputs.Judged(asked.utterance, len(asked.pcm), probability))

    def write(self, *pieces: str, end: str | None = "stop") -> list[dict[str, Any]]:
        """Let the language model write the newest answer."""
        before = len(self.events)
        number = self.last(effects.Generate).generation
        for piece in pieces:
            self.tell(inputs.TextGenerated(number, piece))
        if end is not None:
            self.tell(inputs.GenerationFinished(number, Finished(end, 40, len(pieces), 30)))
        return self.events[before:]

    def call(self, name: str, *arguments: str, end: str | None = "stop") -> list[dict[str, Any]]:
        """Let the language model call a function in the newest answer."""
        before = len(self.events)
        number = self.last(effects.Generate).generation
        self.tell(inputs.CallStarted(number, name))
        for piece in arguments:
            self.tell(inputs.ArgumentsWritten(number, piece))
        return self.events[before:] + self.write(end=end)

    def speak(self, seconds: float = 1.0) -> list[dict[str, Any]]:
        """Let the synthesiser speak every clause asked for of the newest answer that it has not spoken yet."""
        before = len(self.events)
        number = self.last(effects.Generate).generation
        for clause in [a for a in self.all(effects.Synthesise) if a.generation == number]:
            if (number, clause.clause) in self.__dict__.setdefault("spoken", set()):
                continue
            self.spoken.add((number, clause.clause))
            pcm = np.full(int(24_000 * seconds), 1000, np.int16)
            self.tell(inputs.SpeechSynthesised(number, clause.clause, pcm))
            self.tell(inputs.SpeechFinished(number, clause.clause))
        return self.events[before:]


def types(events: list[dict[str, Any]]) -> list[str]:
    """The types of events, runs of equal ones told once."""
    names: list[str] = []
    for event in events:
        if not names or names[-1] != event["type"]:
            names.append(event["type"])
    return names


def user(text: str, **fields: Any) -> dict[str, Any]:
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}], **fields}
