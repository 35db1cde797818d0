"""A satellite that speaks the Wyoming protocol, as those that people have.

Its microphone hears one question, and it keeps what Home Assistant plays.
"""

import asyncio
import contextlib
import time
from dataclasses import dataclass, field
from typing import Self

from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.event import Event, async_read_event, async_write_event
from wyoming.info import Attribution, Describe, Info, Satellite
from wyoming.ping import Ping, Pong
from wyoming.pipeline import PipelineStage, RunPipeline
from wyoming.satellite import RunSatellite
from wyoming.snd import Played

__all__ = ["Spoken", "WyomingSatellite"]

CHUNK_S = 0.02
RATE = 16_000
NOBODY = Attribution(name="test", url="http://localhost")


@dataclass
class Spoken:
    """What came of one question."""

    events: list[Event] = field(default_factory=list)
    speech: bytearray = field(default_factory=bytearray)
    rate: int = 0
    said_at: float = 0.0
    """When the last of the words was sent, by the monotonic clock."""
    heard_at: float = 0.0
    """When the first of the answer's sound came."""

    @property
    def seconds(self) -> float:
        """How long the answer's sound is."""
        return len(self.speech) / 2 / self.rate if self.rate else 0.0


class WyomingSatellite:
    """Listens at ``port``; Home Assistant connects to it. It asks one question, ``pcm`` (16 kHz), when it is run."""

    def __init__(self, pcm: bytes) -> None:
        self.port = 0
        self.answer = Spoken()
        self._answered = asyncio.Event()
        self._pcm = pcm
        self._microphone: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self._quiet()

    async def wait(self, seconds: float) -> None:
        """Wait until the answer was played, or failed. Raises `TimeoutError`, with what came till then."""
        try:
            async with asyncio.timeout(seconds):
                await self._answered.wait()
        except TimeoutError as error:
            raise TimeoutError(f"no answer in {seconds:g} seconds, but {self.answer.events}") from error

    def _quiet(self) -> None:
        if self._microphone is not None:
            self._microphone.cancel()
            self._microphone = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while (event := await async_read_event(reader)) is not None:
                await self._hear(event, writer)
        writer.close()

    async def _hear(self, event: Event, writer: asyncio.StreamWriter) -> None:
        if Describe.is_type(event.type):
            about = Satellite(
                name="Satellite", attribution=NOBODY, installed=True, description=None, version=None
            )
            await async_write_event(Info(satellite=about).event(), writer)
        elif Ping.is_type(event.type):
            await async_write_event(Pong().event(), writer)
        elif RunSatellite.is_type(event.type):
            run = RunPipeline(start_stage=PipelineStage.ASR, end_stage=PipelineStage.TTS)
            await async_write_event(run.event(), writer)
            self._microphone = asyncio.create_task(self._speak(writer))
        elif AudioStart.is_type(event.type):
            self.answer.rate = AudioStart.from_event(event).rate
        elif AudioChunk.is_type(event.type):
            self.answer.heard_at = self.answer.heard_at or time.monotonic()
            self.answer.speech += AudioChunk.from_event(event).audio
        elif AudioStop.is_type(event.type):
            await async_write_event(Played().event(), writer)
            self._answered.set()
        else:
            self.answer.events.append(event)
            if event.type in {"transcript", "error"}:
                self._quiet()
            if event.type == "error":
                self._answered.set()

    async def _speak(self, writer: asyncio.StreamWriter) -> None:
        """Say the words, then send silence, as a microphone does, until the words were understood."""
        size = int(RATE * CHUNK_S) * 2
        parts = [self._pcm[at : at + size] for at in range(0, len(self._pcm), size)]
        begun = time.monotonic()
        for number in range(30 * 50):
            part = parts[number] if number < len(parts) else bytes(size)
            if number == len(parts):
                self.answer.said_at = time.monotonic()
            chunk = AudioChunk(rate=RATE, width=2, channels=1, audio=part)
            await async_write_event(chunk.event(), writer)
            await asyncio.sleep(max(0.0, begun + (number + 1) * CHUNK_S - time.monotonic()))
