import asyncio
import io
import re
import signal
import sys

import pytest
from rich.console import Console
from typer.testing import CliRunner

from tests.cli.endpoints import FakeEndpoint
from vivavoce import RealtimeClient
from vivavoce.cli import replay as module
from vivavoce.cli.app import app
from vivavoce.client.latency import Stages
from vivavoce.client.recording import Recorder, Recording
from vivavoce.client.turns import TurnTimes
from vivavoce.errors import RecordingError
from vivavoce.testing import Script, ScriptedEngine, Turn, serve_scripted


@pytest.fixture
async def folder(tmp_path):
    """A recording of one question in writing."""
    with Recorder(tmp_path / "it", model="m") as recorder:
        async with (
            ScriptedEngine(Script(turns=[Turn(say="Splendid!")])) as engine,
            RealtimeClient(transport=engine.connect, recorder=recorder) as client,
        ):
            await (await client.send_text("How are you?"))
    return tmp_path / "it"


async def run(*arguments):
    return await asyncio.to_thread(CliRunner().invoke, app, ["replay", *map(str, arguments)])


async def test_a_question_is_asked_again_and_compared(folder, tmp_path):
    engine = ScriptedEngine(Script(turns=[Turn(expect="How are you?", say="Well.")]))
    async with serve_scripted(engine) as url:
        result = await run(folder, "--url", url, "--speed", 10, "--record", tmp_path / "again")
    assert result.exit_code == 0, result.output
    lines = [line.rstrip() for line in result.output.splitlines()]
    assert lines[:2] == ["You     How are you?", "Answer  Well."]
    assert re.fullmatch(r"turn  question +then, ms  now, ms  difference", lines[2])
    assert re.fullmatch(r" +1  How are you\? +\d+ +\d+ +[+-]\d+", lines[3])
    frames = Recording.load(tmp_path / "again").frames()
    assert "response.done" in {frame.event["type"] for frame in frames}


async def test_the_model_is_that_of_the_recording_unless_another_is_wanted(folder):
    endpoint = FakeEndpoint()
    async with endpoint.serving() as url:
        await run(folder, "--url", url, "--speed", 100)
        await run(folder, "--url", url, "--speed", 100, "--model", "other")
    assert [request.query["model"] for request in endpoint.requests] == ["m", "other"]


async def test_what_the_endpoint_complains_about_is_shown(folder, monkeypatch):
    monkeypatch.setattr("vivavoce.client.replaying.PATIENCE_SECONDS", 0.05)
    engine = ScriptedEngine(
        Script(turns=[Turn(say="Well.")], emit=[{"type": "error", "error": {"message": "No."}}])
    )
    async with serve_scripted(engine) as url:
        result = await run(folder, "--url", url, "--speed", 10)
    assert "The endpoint says: No." in result.output


async def test_a_folder_without_a_recording_is_told(tmp_path):
    result = await run(tmp_path / "nowhere")
    assert isinstance(result.exception, RecordingError)


def test_turns_that_have_no_counterpart_are_shown(monkeypatch):
    screen = io.StringIO()
    monkeypatch.setattr(module, "_console", Console(file=screen, width=100))
    spoken = TurnTimes("One " * 20, "", Stages(first_text=10, first_audio=20), "completed")
    written = TurnTimes("Two", "", Stages(first_text=30), "completed")
    module._compare([spoken, written], [spoken])
    module._compare([], [written])
    rows = [line.split() for line in screen.getvalue().splitlines()]
    assert rows[1][-3:] == ["20", "20", "+0"]
    assert "…" in screen.getvalue()
    assert rows[2] == ["2", "Two", "30", "–"]
    assert rows[4] == ["1", "Two", "–", "30"]


async def test_a_recording_can_be_an_endpoint(folder):
    start = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a shell's background ignores it
        "from vivavoce.cli import main; main()"
    )
    server = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        start,
        "replay",
        str(folder),
        "--serve",
        "--port",
        "0",
        stdout=asyncio.subprocess.PIPE,
    )
    line = (await server.stdout.readline()).decode()
    url = re.search(r"http://127\.0\.0\.1:\d+/v1", line)[0]
    async with RealtimeClient(url, reconnect=False) as client:
        await (await client.send_text("Anything"))
        assert client.conversation.items[-1].words == "Splendid!"
    server.send_signal(signal.SIGINT)
    out, _ = await server.communicate()
    assert (server.returncode, out) == (0, b"Good bye.\n")
