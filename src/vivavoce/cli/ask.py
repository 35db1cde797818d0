"""``vivavoce ask``: one question, spoken in a file or written, and its spoken answer."""

import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from vivavoce.audio.endpointing import acoustic_end
from vivavoce.audio.pcm import Samples, decode_pcm16, from_pcm16
from vivavoce.audio.resample import resample
from vivavoce.audio.wav import read_wav, write_wav
from vivavoce.cli.endpoint import DEFAULT_MODEL, open_endpoint, recording
from vivavoce.cli.options import (
    ApiKey,
    EngineProfile,
    Instructions,
    Model,
    Record,
    Url,
    Voice,
    session_fields,
)
from vivavoce.client.asking import Answer, ask_aloud, ask_in_writing
from vivavoce.client.line import Connect
from vivavoce.client.realtime import RealtimeClient
from vivavoce.client.recording import Recorder
from vivavoce.errors import AudioFileError
from vivavoce.protocol.session import PCM_RATE

__all__ = ["ask", "load_question"]

_STAGES = {
    "turn_decided": "turn decided",
    "transcript_final": "transcript final",
    "first_text": "first text",
    "first_audio": "first audio",
}

_console = Console(highlight=False, soft_wrap=True)


def ask(
    question: Annotated[Path | None, typer.Argument(help="A sound file with a spoken question.")] = None,
    *,
    text: Annotated[str | None, typer.Option(help="Ask this in writing; no file is needed.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write the spoken answer to this WAV file.")] = None,
    url: Url = None,
    api_key: ApiKey = None,
    model: Model = DEFAULT_MODEL,
    voice: Voice = None,
    instructions: Instructions = None,
    engine_profile: EngineProfile = "default",
    record: Record = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Ask a question and save the spoken answer; print both, and how long each stage of the turn took.

    The file is streamed at the pace of speech, as from a microphone. The stages count from the moment when the
    speech in it acoustically ends.
    """
    if (question is None) == (text is None):
        raise typer.BadParameter("give either a sound file or --text")
    if out is not None and not out.parent.is_dir():
        raise AudioFileError(f"Cannot write {out}: there is no folder {out.parent}.")
    spoken = load_question(question) if question is not None else None

    async def run() -> Answer:
        async with open_endpoint(url, api_key=api_key, model=model, engine_profile=engine_profile) as connect:
            with recording(record, url, model) as recorder:
                fields = session_fields(instructions=instructions, voice=voice)
                return await _ask(spoken, text or "", fields, connect, recorder)

    answer = asyncio.run(run())
    if out is not None:
        if not answer.pcm:
            raise AudioFileError(f"The answer came without sound, so {out} was not written: {answer.text}")
        write_wav(out, from_pcm16(decode_pcm16(answer.pcm)), PCM_RATE)
    if as_json:
        print(json.dumps(_facts(answer), ensure_ascii=False))  # noqa: T201 - for machines
    else:
        _show(answer, "the end of speech" if spoken else "the question")


def load_question(path: Path) -> tuple[Samples, float]:
    """Read a spoken question: its samples at 24 kHz, and the seconds after which its speech ends.

    Raises `AudioFileError` when it is no sound file, or silent.
    """
    samples, rate = read_wav(path)
    end = acoustic_end(samples, rate)
    if end is None:
        raise AudioFileError(
            f"Expected speech, and {path} is silent: nothing in it stands out from its background."
        )
    return resample(samples, rate, PCM_RATE), end


async def _ask(
    spoken: tuple[Samples, float] | None,
    text: str,
    fields: dict[str, Any],
    connect: Connect,
    recorder: Recorder | None,
) -> Answer:
    client = RealtimeClient(transport=connect, keep_audio=True, recorder=recorder, reconnect=False)
    async with client:
        await client.update_session(**fields)
        return await (ask_aloud(client, *spoken) if spoken else ask_in_writing(client, text))


def _facts(answer: Answer) -> dict[str, object]:
    return {
        "question": answer.question,
        "answer": answer.text,
        "status": answer.status,
        "turns": answer.turns,
        "seconds": len(answer.pcm) / 2 / PCM_RATE,
        "latency_ms": {name: ms and round(ms, 1) for name, ms in asdict(answer.stages).items()},
    }


def _show(answer: Answer, anchor: str) -> None:
    _console.print(Text.assemble(("You     ", "bold"), answer.question or "(no transcript)"))
    _console.print(Text.assemble(("Answer  ", "bold"), answer.text))
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("stage")
    table.add_column(f"ms after {anchor}", justify="right")
    for name, ms in asdict(answer.stages).items():
        if ms is not None:
            table.add_row(_STAGES[name], f"{ms:.0f}")
    _console.print(table)
    if answer.turns > 1:
        _console.print(f"The endpoint heard {answer.turns} turns in it; the last one was measured.")
    if answer.status != "completed":
        _console.print(f"The answer is {answer.status}.")
