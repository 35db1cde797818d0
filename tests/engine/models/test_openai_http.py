import asyncio
import json
from contextlib import aclosing

import numpy as np
import pytest

from tests.engine.models.http_double import HttpDouble, call, chunk, in_turn, refuse, stream
from tests.engine.models.samples import FLOATS, SPEECH, TONE, wav
from vivavoce.audio.wav import read_wav
from vivavoce.engine.models import promptness
from vivavoce.engine.models.http_server import HttpServer
from vivavoce.engine.models.openai_http import HttpLanguageModel, HttpRecogniser, HttpSynthesiser
from vivavoce.engine.models.protocols import (
    MODEL_RATE,
    ArgumentsDelta,
    CallStarted,
    Finished,
    Function,
    Message,
    Prompt,
    TextDelta,
    Transcription,
)
from vivavoce.errors import ModelError
from vivavoce.protocol.session import VOICES

KEY = "sk-very-secret"
HELLO = Prompt((Message("user", "Hello."),))


@pytest.fixture
async def double():
    async with HttpDouble().serve() as double:
        yield double


@pytest.fixture
async def made(double):
    """Make a model at the double; it is closed in the end."""
    models = []

    def make(kind, model="qwen3", **how):
        models.append(kind(HttpServer(double.url, model=model, key=KEY), **how))
        return models[-1]

    yield make
    for model in models:
        await model.close()


def events(*data):
    return [f"data: {one}\n\n".encode() for one in data]


GOOD = stream(*events(chunk("stop", content="a")))


async def collect(pieces):
    return [piece async for piece in pieces]


class TestChat:
    async def test_an_answer_comes_as_it_is_written(self, double, made):
        usage = {"prompt_tokens": 7, "completion_tokens": 2}
        double.answer = stream(
            *events(
                chunk(content="Hel"),
                chunk(content="lo."),
                chunk("stop"),
                json.dumps({"usage": usage}),
                "[DONE]",
            )
        )
        model = made(HttpLanguageModel)
        assert await collect(model.generate(HELLO, max_tokens=20, temperature=0.1)) == [
            TextDelta("Hel"),
            TextDelta("lo."),
            Finished("stop", 7, 2),
        ]
        (asked,) = double.asked
        assert (asked.path, asked.key) == ("/v1/chat/completions", f"Bearer {KEY}")
        assert (asked.body["model"], asked.body["max_tokens"], asked.body["temperature"]) == (
            "qwen3",
            20,
            0.1,
        )
        assert model.name == "qwen3"

    async def test_without_a_key_none_is_sent(self, double):
        double.answer = stream(*events(chunk("stop")))
        model = HttpLanguageModel(HttpServer(double.url + "/", model="m"))
        await model.warm_up()
        await model.close()
        assert (double.asked[0].path, double.asked[0].key) == ("/v1/chat/completions", "")

    async def test_a_piece_is_told_before_the_next_is_written(self, double, made):
        go_on = asyncio.Event()
        double.answer = stream(*events(chunk(content="Hel")), then=go_on)
        async with aclosing(made(HttpLanguageModel).generate(HELLO, max_tokens=20)) as pieces:
            async with asyncio.timeout(5):
                assert await anext(pieces) == TextDelta("Hel")
            go_on.set()

    async def test_however_the_stream_is_cut(self, double, made):
        whole = ": ping\r\n\r\n" + "".join(
            f"data: {one}\r\n\r\n" for one in (chunk(content="Grüße 🦜"), chunk("stop"), "[DONE]")
        )
        double.answer = stream(*(bytes([byte]) for byte in whole.encode()))
        assert (await collect(made(HttpLanguageModel).generate(HELLO, max_tokens=20)))[0] == TextDelta(
            "Grüße 🦜"
        )

    async def test_calls(self, double, made):
        double.answer = stream(
            *events(
                chunk(tool_calls=[call('{"on"', name="light", call_id="a")]),
                chunk(tool_calls=[call(":true}")]),
                chunk("tool_calls"),
                "[DONE]",
            )
        )
        prompt = Prompt(HELLO.messages, functions=(Function("light"),), tool_choice="required")
        assert await collect(made(HttpLanguageModel).generate(prompt, max_tokens=20)) == [
            CallStarted("light"),
            ArgumentsDelta('{"on"'),
            ArgumentsDelta(":true}"),
            Finished("stop", 0, 0),
        ]
        assert double.asked[0].body["tool_choice"] == "required"

    async def test_leaving_closes_the_connection(self, double, made):
        double.answer = stream(*events(chunk(content="Once")), then=asyncio.Event())
        pieces = made(HttpLanguageModel).generate(HELLO, max_tokens=2000)
        await anext(pieces)
        await pieces.aclose()
        async with asyncio.timeout(5):
            await double.left.wait()

    async def test_cancelling_before_the_answer_closes_it_too(self, double, made):
        reached = asyncio.Event()

        async def never(*_):
            reached.set()
            await asyncio.Event().wait()

        double.answer = never
        task = asyncio.create_task(collect(made(HttpLanguageModel).generate(HELLO, max_tokens=2000)))
        await reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with asyncio.timeout(5):
            await double.left.wait()

    async def test_nothing_is_asked_ahead(self, double, made):
        await made(HttpLanguageModel).prepare(HELLO)
        assert double.asked == []

    async def test_warming_up_asks_for_one_token(self, double, made):
        double.answer = stream(*events(chunk("length", content="Hi")))
        await made(HttpLanguageModel).warm_up()
        assert double.asked[0].body["max_tokens"] == 1


class TestWhatServersRefuse:
    @pytest.mark.parametrize(
        ("complaint", "left_out", "instead"),
        [
            (
                "Unsupported parameter: 'max_tokens' is not supported",
                "max_tokens",
                {"max_completion_tokens": 5},
            ),
            ("'temperature' does not support 0.4 with this model.", "temperature", {}),
            ("stream_options: extra fields not permitted", "stream_options", {}),
        ],
    )
    async def test_is_not_sent_again(self, double, made, complaint, left_out, instead):
        refusal = refuse(400, json.dumps({"error": {"message": complaint}}))
        double.answer = in_turn(refusal, GOOD, GOOD)
        model = made(HttpLanguageModel)
        for _ in range(2):
            assert (await collect(model.generate(HELLO, max_tokens=5)))[0] == TextDelta("a")
        first, second, third = (asked.body for asked in double.asked)
        assert second == third == {name: value for name, value in first.items() if name != left_out} | instead

    async def test_more_than_one_thing(self, double, made):
        double.answer = in_turn(
            refuse(400, '{"error": "max_tokens"}'), refuse(422, '{"detail": "temperature"}'), GOOD
        )
        assert len(await collect(made(HttpLanguageModel).generate(HELLO, max_tokens=5))) == 2
        assert not double.asked[-1].body.keys() & {"max_tokens", "temperature"}

    @pytest.mark.parametrize(
        ("status", "said"), [(400, "no such model"), (401, "temperature"), (500, "max_tokens")]
    )
    async def test_anything_else_is_a_failure(self, double, made, status, said):
        double.answer = refuse(status, json.dumps({"error": {"message": said}}))
        with pytest.raises(ModelError, match=rf"answered {status} .*: {said}"):
            await collect(made(HttpLanguageModel).generate(HELLO, max_tokens=5))
        assert len(double.asked) == 1

    async def test_the_same_refusal_again_is_a_failure(self, double, made):
        double.answer = refuse(400, '{"error": "temperature must be 1"}')
        with pytest.raises(ModelError, match="temperature must be 1"):
            await collect(made(HttpLanguageModel).generate(HELLO, max_tokens=5))
        assert len(double.asked) == 2

    async def test_what_made_no_difference_is_sent_again(self, double, made):
        double.answer = in_turn(
            refuse(400, '{"error": "max_tokens is too large"}'), refuse(400, '{"error": "too large"}'), GOOD
        )
        model = made(HttpLanguageModel)
        with pytest.raises(ModelError, match="too large"):
            await collect(model.generate(HELLO, max_tokens=5000))
        await collect(model.generate(HELLO, max_tokens=5))
        assert double.asked[-1].body["max_tokens"] == 5


class TestFailures:
    async def fails(self, made, match):
        with pytest.raises(ModelError, match=match) as failure:
            await collect(made(HttpLanguageModel).generate(HELLO, max_tokens=5))
        assert str(failure.value).startswith("qwen3 at http://127.0.0.1:")
        return str(failure.value)

    async def test_in_the_stream(self, double, made):
        double.answer = stream(*events(chunk(content="He"), '{"error": {"message": "out of memory"}}'))
        await self.fails(made, "out of memory")

    @pytest.mark.parametrize("lose", [False, True])
    async def test_the_stream_breaks_off(self, double, made, lose):
        double.answer = stream(*events(chunk(content="He")), lose=lose)
        await self.fails(made, "lost in the middle" if lose else "broke off before its end")

    async def test_no_stream(self, double, made):
        double.answer = stream(b"<html>", kind="text/html")
        await self.fails(made, "expected an event stream, and got text/html")

    async def test_no_chunks(self, double, made):
        double.answer = stream(*events("<html>"))
        await self.fails(made, "Expected a chunk of an answer")


class TestTranscriptions:
    async def test_the_audio_goes_as_a_wav_file(self, double, made):
        double.answer = refuse(200, '{"text": " Good morning. ", "usage": {"type": "tokens"}}')
        heard = await made(HttpRecogniser, "whisper-1").transcribe(SPEECH, language="de", prompt="Ada, Bob")
        assert heard == Transcription("Good morning.", language="de")
        (asked,) = double.asked
        assert (asked.path, asked.key) == ("/v1/audio/transcriptions", f"Bearer {KEY}")
        samples, rate = read_wav(asked.form.pop("file"))
        assert rate == MODEL_RATE
        assert np.allclose(samples, SPEECH, atol=1 / 32768)
        assert asked.form == {
            "model": "whisper-1",
            "response_format": "json",
            "temperature": "0",
            "language": "de",
            "prompt": "Ada, Bob",
            "filename": "speech.wav",
            "type": "audio/wav",
        }

    async def test_what_is_not_given_is_not_sent(self, double, made):
        double.answer = refuse(200, '{"text": "Hi."}')
        await made(HttpRecogniser).transcribe(SPEECH, effort="partial")
        assert not double.asked[0].form.keys() & {"language", "prompt"}

    async def test_partial_transcripts_are_asked_for_where_they_may_be(self, double, made):
        double.answer = refuse(200, '{"text": "Hi."}')
        assert (await made(HttpRecogniser).transcribe(SPEECH, effort="partial")).text == "Hi."
        assert (await made(HttpRecogniser, partials=False).transcribe(SPEECH, effort="partial")).text == ""
        assert len(double.asked) == 1

    async def test_a_slow_server_is_not_asked_for_them(self, double, made, monkeypatch):
        monkeypatch.setattr(promptness, "PROMPT_SECONDS", 0.0)
        double.answer = refuse(200, '{"text": "Hi."}')
        model = made(HttpRecogniser)
        assert [(await model.transcribe(SPEECH, effort="partial")).text for _ in range(2)] == ["Hi.", ""]
        assert (await model.transcribe(SPEECH)).text == "Hi."

    async def test_silence_is_not_sent(self, double, made):
        quiet = np.zeros(MODEL_RATE, np.float32)
        assert await made(HttpRecogniser).transcribe(quiet) == Transcription("", no_speech=1.0)
        assert double.asked == []

    async def test_warming_up_sends_silence(self, double, made):
        double.answer = refuse(200, '{"text": ""}')
        await made(HttpRecogniser).warm_up()
        assert len(double.asked) == 1

    @pytest.mark.parametrize("body", ["Hello", "{}", '{"text": null}', "[]"])
    async def test_no_transcript(self, double, made, body):
        double.answer = refuse(200, body)
        with pytest.raises(ModelError, match="expected a transcript in JSON"):
            await made(HttpRecogniser).transcribe(SPEECH)

    async def test_a_refusal(self, double, made):
        double.answer = refuse(404, '{"detail": "Model \'x\' is not installed"}')
        with pytest.raises(ModelError, match="answered 404 Not Found: Model 'x' is not installed"):
            await made(HttpRecogniser).transcribe(SPEECH)


class TestSpeech:
    async def say(self, model, text="Hello.", voice="ash", **how):
        parts = await collect(model.synthesise(text, voice=voice, **how))
        return np.concatenate(parts) if parts else np.empty(0)

    @pytest.mark.parametrize("kind", ["audio/pcm", "application/octet-stream", "audio/wav"])
    async def test_comes_raw_or_as_a_file(self, double, made, kind):
        body = wav() if kind == "audio/wav" else TONE.tobytes()
        double.answer = stream(body[:3], body[3:2001], body[2001:], kind=kind)
        model = made(HttpSynthesiser, "tts-1")
        assert np.array_equal(await self.say(model), FLOATS)
        assert model.rate == 24_000
        (asked,) = double.asked
        assert (asked.path, asked.key) == ("/v1/audio/speech", f"Bearer {KEY}")
        assert asked.body == {"model": "tts-1", "input": "Hello.", "voice": "ash", "response_format": "pcm"}

    async def test_is_heard_before_it_ends(self, double, made):
        go_on = asyncio.Event()
        double.answer = stream(TONE.tobytes(), kind="audio/pcm", then=go_on)
        async with aclosing(made(HttpSynthesiser).synthesise("Hello.", voice="ash")) as speech:
            async with asyncio.timeout(5):
                assert len(await anext(speech)) > 0
            go_on.set()

    async def test_one_voice_for_all(self, double, made):
        double.answer = stream(TONE.tobytes(), kind="audio/pcm")
        model = made(HttpSynthesiser, "kokoro", voice="af_heart")
        await self.say(model, voice="marin", speed=1.2)
        assert (double.asked[0].body["voice"], double.asked[0].body["speed"]) == ("af_heart", 1.2)
        assert tuple(model.voices) == VOICES
        assert model.voices["marin"].description == "af_heart of kokoro"

    async def test_an_unknown_voice(self, made):
        with pytest.raises(ModelError, match=r"expected a voice out of alloy, .*, but got 'hal'"):
            await self.say(made(HttpSynthesiser), voice="hal")

    async def test_what_has_no_sound_is_not_asked_for(self, double, made):
        assert len(await self.say(made(HttpSynthesiser), "🙂")) == 0
        assert double.asked == []

    async def test_leaving_closes_the_connection(self, double, made):
        double.answer = stream(TONE.tobytes(), kind="audio/pcm", then=asyncio.Event())
        speech = made(HttpSynthesiser).synthesise("Hello.", voice="ash")
        await anext(speech)
        await speech.aclose()
        async with asyncio.timeout(5):
            await double.left.wait()

    @pytest.mark.parametrize("kind", ["audio/mpeg", "application/json", "text/html"])
    async def test_of_another_kind_is_a_failure(self, double, made, kind):
        double.answer = stream(b"ID3....", kind=kind)
        with pytest.raises(ModelError, match=f"expected raw speech or a WAV file, and got {kind}"):
            await self.say(made(HttpSynthesiser))

    async def test_a_bad_file(self, double, made):
        double.answer = stream(wav(width=4), kind="audio/wav")
        with pytest.raises(ModelError, match=r"qwen3 at .*16-bit PCM"):
            await self.say(made(HttpSynthesiser))

    async def test_broken_off(self, double, made):
        double.answer = stream(TONE.tobytes(), kind="audio/pcm", lose=True)
        with pytest.raises(ModelError, match="lost in the middle"):
            await self.say(made(HttpSynthesiser))

    async def test_warming_up_says_a_word(self, double, made):
        double.answer = in_turn(stream(TONE.tobytes(), kind="audio/pcm"), stream(kind="audio/pcm"))
        model = made(HttpSynthesiser)
        await model.warm_up()
        with pytest.raises(ModelError, match="expected speech, and got nothing"):
            await model.warm_up()
