"""A server and its callers on two machines, with 200 ms, jitter and loss between them in each direction.

The machines are network namespaces: this needs root, and is skipped where it may not make any.
"""

import asyncio
import base64
import json
import os
import re
import shutil
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from playwright.async_api import async_playwright

from benchmarks.lossy import BadLine
from benchmarks.machines import Machines, unavailable
from tests.browser.conftest import ARGUMENTS
from tests.browser.test_call import CALL, SESSION, UNTIL
from vivavoce.audio.resample import resample
from vivavoce.audio.wav import read_wav, write_wav
from vivavoce.engine.models.hibari import HibariSynthesiser
from vivavoce.engine.models.moonshine import MoonshineRecogniser
from vivavoce.engine.models.protocols import MODEL_RATE
from vivavoce.engine.weights import ensure

from .caller import QUESTION, RATE

pytestmark = [pytest.mark.models, pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="module")]

PORT = 8000
CUT_SECONDS = 2
ATTEMPTS = 3
ANSWER = "The capital of France is Paris, an old city with many bridges over its river."
MOST, SOME = 0.5, 0.1
"""Shares of its words that must arrive: of an answer, and of one that was cut."""
COMMAND = (sys.executable, "-c", "from vivavoce.cli import main; main()")
CALLER, RECITER = (Path(__file__).with_name(name) for name in ("caller.py", "reciter.py"))
ROOT = Path(__file__).parents[2]
MICROPHONE = """async (speech) => {
  const context = new AudioContext();
  const microphone = context.createMediaStreamDestination();
  const file = Uint8Array.from(atob(speech), (one) => one.charCodeAt(0));
  const buffer = await context.decodeAudioData(file.buffer);
  navigator.mediaDevices.getUserMedia = () => Promise.resolve(microphone.stream);
  window.speak = () => {
    const source = new AudioBufferSourceNode(context, {buffer});
    source.connect(microphone);
    source.start();
  };
}"""
ASK = """(text) => {
  const {channel, events, forget} = window.call;
  events.length = 0;
  forget();
  if (text === null) {
    window.speak();
    return;
  }
  const content = [{type: 'input_text', text}];
  channel.send(JSON.stringify({type: 'conversation.item.create', item: {type: 'message', role: 'user', content}}));
  channel.send(JSON.stringify({type: 'response.create'}));
}"""
TRANSCRIPTS = """(kind) => window.call.events.filter(({type}) => type === kind)
  .map(({transcript}) => transcript).join(' ')"""
CHROMIUM = shutil.which("chromium")


class Apart:
    """Two machines, the line between them, and the server on the far one."""

    def __init__(self, machines, line):
        self.machines, self.line = machines, line
        self.server = f"http://{machines.far.address}:{PORT}"

    async def cut(self):
        """Let nothing through for a while."""
        self.line.cut = True
        await asyncio.sleep(CUT_SECONDS)
        self.line.cut = False


@asynccontextmanager
async def running(*command):
    """Run a program, and end it."""
    pipe = asyncio.subprocess.PIPE
    where = {**os.environ, "PYTHONPATH": str(ROOT)}
    program = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, env=where)
    try:
        yield program
    finally:
        if program.returncode is None:
            program.terminate()
        await program.wait()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def apart():
    """Serve the engine on the far machine, with a language model that says what is then listened for."""
    if (missing := unavailable()) is not None:
        pytest.skip(f"needs {missing}")
    line = BadLine(delay=0.2, jitter=0.03, loss=0.05)
    async with (
        Machines(line) as machines,
        running(*machines.far.command(sys.executable, str(RECITER), ANSWER)) as reciter,
    ):
        model = (await reciter.stdout.readline()).decode().strip() + "#reciter"
        options = ("--host", machines.far.address, "--port", str(PORT), "--engine-profile", "small")
        command = (*COMMAND, "serve", *options, "--language-model", model, "--insecure-open")
        async with running(*machines.far.command(*command)) as server:
            async for said in server.stdout:
                if said.startswith(b"Ready after"):
                    break
            else:
                raise AssertionError("the server ended before it was ready")
            yield Apart(machines, line)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def question(tmp_path_factory):
    """Return a sound file with a question."""
    synthesiser = HibariSynthesiser()
    pieces = [piece async for piece in synthesiser.synthesise(QUESTION, voice="alloy")]
    await synthesiser.close()
    file = tmp_path_factory.mktemp("question") / "question.wav"
    write_wav(file, resample(np.concatenate(pieces), synthesiser.rate, RATE), RATE)
    return file


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def understood():
    """Return a function that returns the words of speech."""
    recogniser = MoonshineRecogniser(await ensure("moonshine-tiny-en"))

    async def understand(samples, rate):
        return words((await recogniser.transcribe(resample(samples, rate, MODEL_RATE))).text)

    yield understand
    await recogniser.close()


def words(text):
    """Return the words of a text."""
    return re.findall(r"[a-z']+", text.lower())


def intelligible(heard, share):
    """See to it that at least this share of the answer was heard."""
    said = set(words(ANSWER))
    assert len(said & set(heard)) >= share * len(said), heard


async def test_a_client_is_heard_and_hears_and_outlives_a_cut(apart, question, understood, tmp_path):
    command = apart.machines.near.command(
        sys.executable, str(CALLER), apart.server, str(question), str(tmp_path)
    )
    async with running(*command) as caller:

        async def told(kind):
            async for said in caller.stdout:
                if (event := json.loads(said))["is"] == kind:
                    return event
            raise AssertionError(f"the call ended before it was {kind}")

        async def turn(how):
            caller.stdin.write(f"{how}\n".encode())
            return await told("answered")

        async def is_heard(answer, share):
            intelligible(await understood(*read_wav(answer["heard"])), share)

        async def is_understood():
            """Ask until it is: a machine that has other things to do speaks in pieces."""
            answers = []
            while len(answers) < ATTEMPTS and not (answers and "france" in words(answers[-1]["understood"])):
                answers.append(await turn("ask"))
            assert "france" in words(answers[-1]["understood"]), [one["understood"] for one in answers]
            await is_heard(answers[-1], MOST)

        await told("ready")
        await is_understood()
        written = asyncio.create_task(turn("write"))
        await apart.cut()
        await is_heard(await written, SOME)
        await is_understood()
    assert apart.line.lost > 0


@pytest.mark.browser
async def test_a_browser_is_heard_and_hears_and_outlives_a_cut(apart, question, understood, tmp_path):
    if CHROMIUM is None:
        pytest.skip("needs chromium")
    there = tmp_path / "chromium"
    there.write_text(f'#!/bin/sh\nexec {" ".join(apart.machines.near.command(CHROMIUM))} "$@"\n')
    there.chmod(0o700)
    arguments = [
        *ARGUMENTS,
        f"--unsafely-treat-insecure-origin-as-secure={apart.server}",  # only such may have a microphone
    ]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=there, args=arguments)
        page = await browser.new_page()
        page.set_default_timeout(50_000)

        async def is_answered(share):
            """Hear the answer to its end; return what of the question was understood."""
            await page.evaluate(UNTIL, "output_audio_buffer.stopped")
            heard = await page.evaluate("() => window.call.heard()")
            samples = np.frombuffer(base64.b64decode(heard["base64"]), "<f4")
            intelligible(await understood(samples, int(heard["rate"])), share)
            return await page.evaluate(TRANSCRIPTS, "conversation.item.input_audio_transcription.completed")

        async def is_understood():
            """Ask until it is, as the other caller does."""
            asked = []
            while len(asked) < ATTEMPTS and not (asked and "france" in words(asked[-1])):
                await page.evaluate(ASK, None)
                asked.append(await is_answered(MOST))
            assert "france" in words(asked[-1]), asked

        await page.goto(f"{apart.server}/health")
        await page.evaluate(MICROPHONE, base64.b64encode(question.read_bytes()).decode())
        await page.evaluate(CALL, SESSION)
        await page.evaluate(UNTIL, "session.created")
        await is_understood()
        await page.evaluate(ASK, QUESTION)
        await apart.cut()
        await is_answered(SOME)
        assert await page.evaluate("() => window.call.peer.connectionState") == "connected"
        await browser.close()
