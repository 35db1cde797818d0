"""``vivavoce replay``: a recorded session once more, to another endpoint, or as an endpoint."""

import asyncio
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from vivavoce.cli.endpoint import DEFAULT_MODEL, open_endpoint, recording
from vivavoce.cli.options import ApiKey, EngineProfile, Record, Url
from vivavoce.cli.transcript import Transcript
from vivavoce.client.line import Connect
from vivavoce.client.realtime import RealtimeClient
from vivavoce.client.recording import Recorder, Recording
from vivavoce.client.replaying import replay as play_again
from vivavoce.client.streams import StreamEvent
from vivavoce.client.tap import tapped
from vivavoce.client.turns import Turns, TurnTimes
from vivavoce.errors import VivaVoceError
from vivavoce.protocol.server_events import ErrorEvent

__all__ = ["replay"]

MOST_SHOWN = 40
"""Characters of a question in the comparison."""

_console = Console(highlight=False)


def replay(
    folder: Annotated[Path, typer.Argument(help="The folder of a recording (talk --record, ask --record).")],
    *,
    url: Url = None,
    api_key: ApiKey = None,
    model: Annotated[
        str | None, typer.Option(help="The model to ask for.  [default: the recording's]")
    ] = None,
    engine_profile: EngineProfile = "default",
    speed: Annotated[float, typer.Option(min=0.1, max=100.0, help="How many times as fast as it was.")] = 1.0,
    record: Record = None,
    serve: Annotated[
        bool, typer.Option("--serve", help="Be the endpoint of the recording, for any client to talk to.")
    ] = False,
    port: Annotated[int, typer.Option(help="The port of --serve; 0 takes any that is free.")] = 8000,
) -> None:
    """Say again what a recorded user said, to any endpoint; compare how long the answers took.

    With --serve, say again what the recorded endpoint said, to any client, on this machine.
    """
    recorded = Recording.load(folder)
    work = (
        _serve(recorded, port, speed)
        if serve
        else _replay(
            recorded,
            url=url,
            api_key=api_key,
            model=model or recorded.info.model or DEFAULT_MODEL,
            engine_profile=engine_profile,
            speed=speed,
            record=record,
        )
    )
    try:
        asyncio.run(work)
    except KeyboardInterrupt:
        _console.print("Good bye.")


async def _replay(
    recorded: Recording,
    *,
    url: str | None,
    api_key: str | None,
    model: str,
    engine_profile: str,
    speed: float,
    record: Path | None,
) -> None:
    then, now = Turns(), Turns()
    async with open_endpoint(url, api_key=api_key, model=model, engine_profile=engine_profile) as connect:
        with recording(record, url, model) as recorder:
            await _say_again(recorded, connect, recorder, now, speed)
    for frame in recorded.frames():
        then.feed(frame.t or 0.0, frame.dir, msgspec.json.encode(frame.event))
    _compare(then.turns, now.turns)


async def _say_again(
    recorded: Recording, connect: Connect, recorder: Recorder | None, turns: Turns, speed: float
) -> None:
    loop = asyncio.get_running_loop()
    measured = tapped(connect, lambda direction, data: turns.feed(loop.time(), direction, data))
    async with RealtimeClient(transport=measured, recorder=recorder, reconnect=False) as client:
        with Transcript(_console) as transcript:

            def show(event: StreamEvent) -> None:
                if isinstance(event, ErrorEvent):
                    transcript.note(f"The endpoint says: {event.error.message}")
                item = client.conversation.find(getattr(event, "item_id", ""))
                transcript.show(client.conversation, item, "Replaying. Ctrl-C ends it.")

            client.on("*", show)
            await play_again(recorded.frames(), client, speed=speed, left_out=transcript.note)


def _compare(then: list[TurnTimes], now: list[TurnTimes]) -> None:
    """Print the first sound, or where there is none the first word, of each answer, then and now."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("turn", "question", "then, ms", "now, ms", "difference"):
        table.add_column(name, justify="left" if name == "question" else "right")
    for number in range(max(len(then), len(now))):
        before = then[number] if number < len(then) else None
        after = now[number] if number < len(now) else None
        question = next(turn.question for turn in (before, after) if turn is not None)
        was, is_ = _answered(before), _answered(after)
        table.add_row(
            str(number + 1),
            Text(question if len(question) <= MOST_SHOWN else f"{question[: MOST_SHOWN - 1]}…"),
            "–" if was is None else f"{was:.0f}",
            "–" if is_ is None else f"{is_:.0f}",
            "" if was is None or is_ is None else f"{is_ - was:+.0f}",
        )
    _console.print(table)


def _answered(turn: TurnTimes | None) -> float | None:
    if turn is None:
        return None
    stages = turn.stages
    return stages.first_audio if stages.first_audio is not None else stages.first_text


async def _serve(recorded: Recording, port: int, speed: float) -> None:
    try:
        from vivavoce.testing.recorded import RecordedEndpoint  # noqa: PLC0415 - an extra
        from vivavoce.testing.serving import serve_scripted  # noqa: PLC0415
    except ModuleNotFoundError as missing:
        raise VivaVoceError(
            f"--serve needs the package {missing.name}: pip install 'vivavoce[engine,testing]'."
        ) from missing
    async with serve_scripted(RecordedEndpoint(recorded.frames, speed=speed), port=port) as url:
        _console.print(f"The recording answers at {url}; Ctrl-C stops it.", soft_wrap=True)
        await asyncio.get_running_loop().create_future()
