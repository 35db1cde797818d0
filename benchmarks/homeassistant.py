"""How long a satellite waits for the first sound of an answer: speech to speech beside three separate steps.

    python benchmarks/homeassistant.py [--profile small] [--rounds 1] [--questions 5]

Starts `vivavoce serve` and a real Home Assistant with the integration, and gives it a satellite of the Wyoming protocol
that knows nothing of either. The same spoken questions go through two pipelines in turn, each of agents with the same
options on the same engine: in one, ears, agent and voice are the same agent's, which makes one live turn of them; in
the other each is of another agent, so that speech is written down, the text is answered, and the answer is read aloud.
Home Assistant finds the end of speech in both. Prints, for each, the time from the acoustic end of the question to the
first sound that a player can have played, and the ratio of the medians.
"""

import argparse
import asyncio
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from voice_latency import QUESTIONS, spoken
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.event import Event, async_read_event, async_write_event
from wyoming.info import Attribution, Describe, Info, Satellite
from wyoming.ping import Ping, Pong
from wyoming.pipeline import PipelineStage, RunPipeline
from wyoming.satellite import RunSatellite
from wyoming.snd import Played

from vivavoce.audio.resample import resample

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "examples" / "home-assistant"))

RELEASE = "2026.11"
RATE = 16_000
CHUNK_S = 0.02
AUDIBLE = 0.01
"""Of full scale: what is softer is not yet the answer."""
TURN_S = 180.0
NOBODY = Attribution(name="benchmark", url="http://localhost")
PIPELINES = {"speech to speech": ("One", "One", "One"), "separate steps": ("Two", "Three", "Two")}
"""The agents that are ears, agent and voice. Only where the first two are the same, they share a turn."""
PROMPT = "You are a friendly voice assistant. Answer in one or two short sentences."


@dataclass
class Turn:
    """What came of one question."""

    wait_ms: float
    """From the end of speech to the first sound."""
    understood: str
    said: str


class Player:
    """Plays what comes from the moment it comes, and notes when the first audible sample is due."""

    def __init__(self) -> None:
        self.rate = 0
        self.sounded_at: float | None = None
        self._began = 0.0
        self._samples = 0

    def play(self, pcm: bytes) -> None:
        """Take PCM16."""
        now = time.monotonic()
        self._began = self._began or now
        samples = np.frombuffer(pcm, "<i2")
        audible = np.flatnonzero(np.abs(samples) > AUDIBLE * 32768)
        if self.sounded_at is None and audible.size:
            self.sounded_at = max(now, self._began + (self._samples + int(audible[0])) / self.rate)
        self._samples += samples.size


class Asking:
    """A satellite that asks one question after the other; Home Assistant connects to ``port``."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.port = 0
        self._writer: asyncio.Future[asyncio.StreamWriter] = asyncio.get_running_loop().create_future()
        self._player = Player()
        self._told: dict[str, str] = {}
        self._played = asyncio.Event()
        self._understood = asyncio.Event()

    async def serve(self) -> asyncio.Server:
        """Listen."""
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def ask(self, pcm: bytes, end_s: float) -> Turn:
        """Say PCM16 at 16 kHz, whose speech ends after so many seconds; return when the answer is over."""
        writer = await self._writer
        self._player, self._told = Player(), {}
        self._played.clear()
        self._understood.clear()
        run = RunPipeline(start_stage=PipelineStage.ASR, end_stage=PipelineStage.TTS)
        await async_write_event(run.event(), writer)
        began = time.monotonic()
        speaking = asyncio.create_task(self._speak(writer, pcm, began))
        try:
            async with asyncio.timeout(TURN_S):
                await self._played.wait()
        except TimeoutError:
            raise SystemExit(f"there was no answer in {TURN_S:g} s, but {self._told}") from None
        finally:
            speaking.cancel()
        if self._player.sounded_at is None:
            raise SystemExit(f"there was no sound: {self._told}")
        return Turn(
            (self._player.sounded_at - began - end_s) * 1000,
            self._told.get("transcript", ""),
            self._told.get("synthesize", ""),
        )

    async def _speak(self, writer: asyncio.StreamWriter, pcm: bytes, began: float) -> None:
        """Send the question at the pace of speech, and then silence, until it was understood."""
        size = int(RATE * CHUNK_S) * 2
        number = 0
        while not self._understood.is_set():
            part = pcm[number * size : (number + 1) * size].ljust(size, b"\0")
            number += 1
            await async_write_event(AudioChunk(rate=RATE, width=2, channels=1, audio=part).event(), writer)
            await asyncio.sleep(max(0.0, began + number * CHUNK_S - time.monotonic()))

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while (event := await async_read_event(reader)) is not None:
                await self._hear(event, writer)
        writer.close()

    async def _hear(self, event: Event, writer: asyncio.StreamWriter) -> None:
        if Describe.is_type(event.type):
            about = Satellite(
                name=self._name, attribution=NOBODY, installed=True, description=None, version=None
            )
            await async_write_event(Info(satellite=about).event(), writer)
        elif Ping.is_type(event.type):
            await async_write_event(Pong().event(), writer)
        elif RunSatellite.is_type(event.type):
            if not self._writer.done():
                self._writer.set_result(writer)
        elif AudioStart.is_type(event.type):
            self._player.rate = AudioStart.from_event(event).rate
        elif AudioChunk.is_type(event.type):
            self._player.play(AudioChunk.from_event(event).audio)
        elif AudioStop.is_type(event.type):
            await async_write_event(Played().event(), writer)
            self._played.set()
        elif event.type in {"transcript", "synthesize", "error"}:
            self._told[event.type] = str(event.data.get("text", ""))
            self._understood.set()
            if event.type == "error":
                self._played.set()


def python() -> str:
    """Return the Python that has Home Assistant."""
    environment = ["bash", str(ROOT / "tests/homeassistant/environment"), RELEASE]
    found = subprocess.run(environment, stdout=subprocess.PIPE, text=True, check=False)
    if found.returncode:
        raise SystemExit(f"a Home Assistant {RELEASE} cannot be run here")
    return found.stdout.strip()


async def measure(arguments: argparse.Namespace) -> dict[str, list[Turn]]:
    """Start everything, ask, and return what came, by pipeline."""
    from home_assistant import HomeAssistant, free_port  # noqa: PLC0415 - found where the example is
    from try_it import server  # noqa: PLC0415

    interpreter, port = python(), free_port()
    clips = await spoken(QUESTIONS[: arguments.questions], None)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["VIVAVOCE_HISTORY_FOLDER"] = f"{folder}/history"
        home = HomeAssistant(interpreter, Path(folder), free_port())
        build = [sys.executable, str(ROOT / "custom_components/build.py"), folder]
        await asyncio.to_thread(subprocess.run, build, check=True, stdout=subprocess.DEVNULL)
        home.configure()
        async with server(port, ["--engine-profile", arguments.profile]):
            try:
                await home.start(seconds=600)
                await home.onboard("benchmark", "benchmark")
                await add_agents(home, f"http://127.0.0.1:{port}/v1")
                return await ask_all(home, clips, arguments.rounds)
            finally:
                await home.stop()


async def add_agents(home: Any, url: str) -> None:
    """Add the endpoint, three agents that are alike, and the pipelines."""
    done = await home.flow("openai_realtime", {"next_step_id": "gateway"}, {"url": url})
    if done["type"] != "create_entry":
        raise SystemExit(f"the endpoint could not be added: {done}")
    entry_id = done["result"]["entry_id"]
    for name in sorted({name for names in PIPELINES.values() for name in names}):
        options = {
            "name": name,
            "prompt": PROMPT,
            "turn_detection": "home_assistant",
            "transcription_model": "gpt-4o-mini-transcribe",
            "follow_up": "never",
            "approval": "refuse",
        }
        await home.flow([entry_id, "agent"], options, of="subentries/")
        entity = f"conversation.{name.lower()}"
        await home.until(f"{{{{ states.{entity} is not none and not is_state('{entity}', 'unavailable') }}}}")
    for name, (ears, agent, voice) in PIPELINES.items():
        await home.command(
            "assist_pipeline/pipeline/create",
            name=name,
            language="en",
            conversation_engine=f"conversation.{agent.lower()}",
            conversation_language="*",
            stt_engine=f"stt.{ears.lower()}_ears",
            stt_language="en",
            tts_engine=f"tts.{voice.lower()}_voice",
            tts_language="en",
            tts_voice=None,
            wake_word_entity=None,
            wake_word_id=None,
            prefer_local_intents=False,
        )


async def ask_all(home: Any, clips: list[tuple[Any, float]], rounds: int) -> dict[str, list[Turn]]:
    """Ask each question in each pipeline, turn and turn about, after one that warms up.

    Each pipeline has a satellite of its own, since what is said at one satellite is one conversation.
    """
    turns: dict[str, list[Turn]] = {name: [] for name in PIPELINES}
    async with AsyncExitStack() as stack:
        satellites = {name: await added(home, stack, name) for name in PIPELINES}
        asked = [("warming up", clips[0]), *(("", clip) for clip in clips * rounds)]
        for warm, (samples, end_s) in asked:
            pcm = (np.clip(resample(samples, 24_000, RATE), -1, 1) * 32767).astype("<i2").tobytes()
            for name, satellite in satellites.items():
                turn = await satellite.ask(pcm, end_s)
                print(
                    f"{name:18}{turn.wait_ms:8.0f} ms  {turn.understood}  →  {turn.said}  {warm}", flush=True
                )
                if not warm:
                    turns[name].append(turn)
    return turns


async def added(home: Any, stack: AsyncExitStack, pipeline: str) -> Asking:
    """Add a satellite with this pipeline, and return it."""
    satellite = Asking(pipeline)
    await stack.enter_async_context(await satellite.serve())
    done = await home.flow("wyoming", {"host": "127.0.0.1", "port": satellite.port})
    if done["type"] != "create_entry":
        raise SystemExit(f"the satellite could not be added: {done}")
    stack.push_async_callback(home.delete, f"/api/config/config_entries/entry/{done['result']['entry_id']}")
    select = f"select.{pipeline.replace(' ', '_')}_assistant"
    await home.until(f"{{{{ has_value('{select}') }}}}")
    await home.action("select.select_option", response=False, entity_id=select, option=pipeline)
    return satellite


def report(turns: dict[str, list[Turn]]) -> None:
    """Print the medians and their ratio."""
    print(f"\n{'ms to the first sound':24}{'median':>8}{'best':>8}{'worst':>8}{'turns':>8}")
    medians = []
    for name, of in turns.items():
        waits = [turn.wait_ms for turn in of]
        medians.append(statistics.median(waits))
        print(f"{name:24}{medians[-1]:8.0f}{min(waits):8.0f}{max(waits):8.0f}{len(waits):8}")
    print(f"\nseparate steps take {medians[1] / medians[0]:.2f} times as long")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--profile", default="default", help="models of the engine")
    parser.add_argument("--questions", type=int, default=5, help="how many of the questions")
    parser.add_argument("--rounds", type=int, default=1, help="ask them so many times")
    if shutil.which("ffmpeg") is None:
        raise SystemExit("needs ffmpeg, with which Home Assistant converts speech for satellites")
    report(asyncio.run(measure(parser.parse_args())))


if __name__ == "__main__":
    main()
