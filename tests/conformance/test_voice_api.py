"""Programs for the voice API, written as its first documentation showed it, talk with the engine."""

import asyncio
import base64
import json
import re
import sys
from pathlib import Path

import aiohttp
import pytest

from tests.conformance import node, scripts
from tests.conformance.scripts import noise
from tests.engine.fakes import models
from tests.gateway.doubles import gateway
from vivavoce.engine import Engine
from vivavoce.engine.profiles import Loaded

HERE = Path(__file__).parent
VOICE = "/api/v1/streaming/realtime"
ANSWER = "Hi there. How are you?"


@pytest.fixture
async def running():
    """A gateway whose model answers "Hi there. How are you?" and hears "What time is it?"."""

    async def load(_report):
        async def close():
            pass

        return Loaded(scripts.models("Hi there. ", "How are you?"), {}, 2000, close)

    async with gateway(Engine(load=load)) as running:
        yield running


def check(told):
    """Check what a program was told that changed the session and wrote "Hello, how are you?"."""
    events = [json.loads(line) for line in told.decode().splitlines()]
    updated, *answered, done = events
    assert updated["type"] == "session.update"
    assert (updated["session"]["voice"], updated["session"]["language"]) == ("alloy", "en")
    assert updated["session"]["id"].startswith("sess_")
    assert {event["type"] for event in answered} == {"response.delta", "response.audio"}
    words = [e["response"]["delta"]["content"] for e in answered if e["type"] == "response.delta"]
    assert "".join(words) == ANSWER
    audio = [base64.b64decode(e["response"]["audio"]) for e in answered if e["type"] == "response.audio"]
    assert len(b"".join(audio)) == 2 * 1200 * len(ANSWER)
    assert done["response"]["usage"]["input_tokens"] > 0
    assert done["response"]["usage"]["output_tokens"] > 0
    assert all(event["response"]["timestamp"] > 1.7e9 for event in (*answered, done))


async def test_in_python(running):
    uri = f"ws://{running.host}{VOICE}/test_user"
    program = await asyncio.create_subprocess_exec(
        sys.executable, HERE / "voice_api.py", uri, stdout=-1, stderr=-1
    )
    async with asyncio.timeout(30):
        told, complaints = await program.communicate()
    assert program.returncode == 0, complaints.decode()
    check(told)


@pytest.mark.skipif(node.NODE is None, reason="needs node")
async def test_in_javascript(running):
    uri = f"ws://{running.host}{VOICE}/test_user"
    check(await node.run("--experimental-websocket", "--no-warnings", HERE / "voice_api.js", uri))


async def until(ws, kind):
    """Receive until a message of this type; return all, and all audio of binary frames."""
    told, audio = [], b""
    async with asyncio.timeout(10):
        while not told or told[-1]["type"] != kind:
            message = await ws.receive()
            if message.type is aiohttp.WSMsgType.BINARY:
                audio += message.data
            else:
                told.append(json.loads(message.data))
    return told, audio


async def test_by_voice(running):
    async with running.connect(f"{VOICE}/test_user") as ws:
        pcm = noise((0.5, 0.0), (1.0, 0.5), (0.6, 0.0))
        for at in range(0, len(pcm), 4800):
            audio = base64.b64encode(pcm[at : at + 4800]).decode()
            sent = {"type": "input_audio_buffer", "audio": audio}
            await ws.send_json({"type": "conversation.item.input", "conversation_item_input": sent})
        told, _ = await until(ws, "response.done")
        (words,) = [event["item"] for event in told if event["type"] == "conversation.item.transcript"]
        assert words["transcript"] == "What time is it?"


async def test_by_voice_in_binary_frames_and_when_the_client_says_so(running):
    headers = {"Authorization": "Bearer anything"}
    async with running.connect(VOICE, headers=headers) as ws:
        changes = {"audio_frames": "binary", "turn_detection": "none"}
        await ws.send_json({"type": "session.update", "session_update": changes})
        ((updated,), _) = await until(ws, "session.update")
        assert (updated["session"]["audio_frames"], updated["session"]["turn_detection"]) == (
            "binary",
            "none",
        )
        await ws.send_bytes(noise((1.0, 0.5)))
        await ws.send_json({"type": "input_audio_buffer.commit"})
        told, audio = await until(ws, "response.done")
        assert len(audio) == 2 * 1200 * len(ANSWER)
        assert "response.audio" not in {event["type"] for event in told}


async def test_the_last_that_was_written_is_answered():
    async def load(_report):
        async def close():
            pass

        return Loaded(models("Well, ", None, "you know. ", words=""), {}, 2000, close)

    async with gateway(Engine(load=load)) as running, running.connect(f"{VOICE}/test_user") as ws:

        async def write(text):
            sent = {"type": "input_text", "text": text}
            await ws.send_json({"type": "conversation.item.input", "conversation_item_input": sent})

        await write("Tell me everything.")
        await until(ws, "response.delta")
        await write("No, wait.")
        told, _ = await until(ws, "response.done")
        assert told[-1]["response"]["status"] == "cancelled"
        await until(ws, "response.delta")
        await ws.send_json({"type": "response.cancel"})
        told, _ = await until(ws, "response.done")
        assert told[-1]["response"]["status"] == "cancelled"
        assert "error" not in {event["type"] for event in told}


async def test_what_the_documentation_shows(running):
    page = (node.ROOT / "docs" / "how-to" / "use-the-voice-api.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code.replace("127.0.0.1:8000", running.host), stdout=-1, stderr=-1
    )
    async with asyncio.timeout(30):
        told, complaints = await program.communicate()
    assert told.decode() == ANSWER, complaints.decode()
