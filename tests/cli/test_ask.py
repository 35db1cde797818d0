import asyncio
import json

import numpy as np
import pytest
from typer.testing import CliRunner

from tests.cli.endpoints import ANSWER, FakeEndpoint
from vivavoce.audio.pcm import encode_pcm16, to_pcm16
from vivavoce.audio.wav import read_wav, write_wav
from vivavoce.cli.app import app
from vivavoce.cli.ask import load_question
from vivavoce.client import asking
from vivavoce.client.recording import Recording
from vivavoce.errors import AudioFileError, ConnectionFailed

RATE = 16_000


@pytest.fixture
def question(tmp_path):
    """Return a file with 100 ms of pause, 300 ms of sound, and 100 ms of pause."""
    pause = np.zeros(RATE // 10, np.float32)
    sound = np.random.default_rng(1).uniform(-0.5, 0.5, RATE * 3 // 10).astype(np.float32)
    write_wav(tmp_path / "question.wav", np.concatenate([pause, sound, pause]), RATE)
    return tmp_path / "question.wav"


async def run(endpoint, *arguments):
    """Run ``vivavoce ask`` in a thread of its own, against this endpoint; raise what it raises."""
    async with endpoint.serving() as url:
        invoke = CliRunner().invoke
        result = await asyncio.to_thread(invoke, app, ["ask", *map(str, arguments), "--url", url])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


async def test_a_spoken_question_gets_a_spoken_answer(question, tmp_path):
    endpoint = FakeEndpoint()
    out = tmp_path / "answer.wav"
    result = await run(endpoint, question, "--out", out)
    assert result.exit_code == 0
    lines = [line.rstrip() for line in result.output.splitlines()]
    assert lines[:2] == ["You     How are [you]?", "Answer  I am [fine]."]
    assert lines[2].endswith(" ms after the end of speech")
    stages = {line.rsplit(maxsplit=1)[0]: int(line.rsplit(maxsplit=1)[1]) for line in lines[3:]}
    assert list(stages) == ["turn decided", "transcript final", "first text", "first audio"]
    assert all(150 <= ms < 2000 for ms in stages.values())
    samples, rate = read_wav(out)
    assert rate == 24_000
    assert encode_pcm16(to_pcm16(samples)) == ANSWER


async def test_machines_get_json(question):
    result = await run(FakeEndpoint(), question, "--json")
    facts = json.loads(result.output)
    latency = facts.pop("latency_ms")
    assert facts == {
        "question": "How are [you]?",
        "answer": "I am [fine].",
        "status": "completed",
        "turns": 1,
        "seconds": 0.2,
    }
    assert 150 <= latency["turn_decided"] <= latency["first_audio"]


async def test_a_question_in_writing_needs_no_file():
    endpoint = FakeEndpoint()
    result = await run(
        endpoint, "--text", "How are you?", "--json", "--voice", "marin", "--instructions", "Be kind."
    )
    assert json.loads(result.output)["answer"] == "I am [fine]."
    update, create, respond = endpoint.received
    assert update["session"]["instructions"] == "Be kind."
    assert update["session"]["audio"]["output"]["voice"] == "marin"
    assert create["item"]["content"] == [{"type": "input_text", "text": "How are you?"}]
    assert respond["type"] == "response.create"


async def test_a_question_is_recorded_if_that_is_wanted(question, tmp_path):
    await run(FakeEndpoint(), question, "--record", tmp_path / "it", "--api-key", "sk-secret")
    recording = Recording.load(tmp_path / "it")
    types = [frame.event["type"] for frame in recording.frames()]
    assert types.count("input_audio_buffer.append") >= 12
    assert types.count("response.output_audio.delta") == 1
    assert recording.info.endpoint.startswith("http://127.0.0.1:")
    assert not any(b"sk-secret" in file.read_bytes() for file in recording.folder.iterdir())


async def test_the_key_comes_from_the_environment(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    endpoint = FakeEndpoint()
    result = await run(endpoint, "--text", "Hi", "--model", "m")
    assert endpoint.requests[0].headers["Authorization"] == "Bearer sk-secret"
    assert endpoint.requests[0].query["model"] == "m"
    assert "sk-secret" not in result.output


async def test_a_refusal_is_told(question):
    endpoint = FakeEndpoint()
    endpoint.refusal = "Incorrect API key provided."
    with pytest.raises(ConnectionFailed, match="status 401: Incorrect API key provided"):
        await run(endpoint, question)


async def test_an_endpoint_that_hears_nothing_is_told(question, monkeypatch):
    monkeypatch.setattr(asking, "PATIENCE_SECONDS", 0.1)
    endpoint = FakeEndpoint()
    endpoint.deaf = True
    with pytest.raises(AudioFileError, match="heard no speech"):
        await run(endpoint, question)


@pytest.mark.parametrize("arguments", [[], ["question.wav", "--text", "Hi"]])
async def test_either_a_file_or_text_is_asked(arguments):
    result = await run(FakeEndpoint(), *arguments)
    assert result.exit_code == 2
    assert "either a sound file or --text" in result.output


async def test_a_folder_that_is_not_there_is_told_before_the_question_is_asked(tmp_path):
    endpoint = FakeEndpoint()
    with pytest.raises(AudioFileError, match="there is no folder"):
        await run(endpoint, "--text", "Hi", "--out", tmp_path / "nowhere" / "answer.wav")
    assert endpoint.requests == []


class TestLoading:
    def test_a_question_is_brought_to_the_rate_of_the_wire(self, question):
        samples, end = load_question(question)
        assert len(samples) == 12_000
        assert end == pytest.approx(0.4, abs=0.02)

    @pytest.mark.parametrize("content", [b"", b"What is the capital of France?" * 9])
    def test_what_is_no_sound_is_refused(self, tmp_path, content):
        (tmp_path / "question.wav").write_bytes(content)
        with pytest.raises(AudioFileError, match=r"Expected a sound file .*question\.wav is"):
            load_question(tmp_path / "question.wav")

    def test_silence_is_no_question(self, tmp_path):
        write_wav(tmp_path / "silence.wav", np.zeros(RATE, np.float32), RATE)
        with pytest.raises(AudioFileError, match=r"silence\.wav is silent"):
            load_question(tmp_path / "silence.wav")
