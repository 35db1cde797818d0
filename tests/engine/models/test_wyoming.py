import asyncio
from contextlib import aclosing

import numpy as np
import pytest

from tests.engine.models.samples import FLOATS, SPEECH, TONE
from tests.engine.models.wyoming_double import HEARS, PIPER, Ear, WyomingDouble, mouth, speaks
from vivavoce.audio.resample import resample
from vivavoce.engine.models import promptness
from vivavoce.engine.models.protocols import MODEL_RATE, Transcription
from vivavoce.engine.models.wyoming import WyomingRecogniser, WyomingSynthesiser
from vivavoce.engine.models.wyoming_wire import WyomingServer
from vivavoce.errors import ModelError
from vivavoce.protocol.session import VOICES


def at(double):
    return WyomingServer("127.0.0.1", double.port)


async def speech(model, text="Hello.", voice="ash"):
    parts = [part async for part in model.synthesise(text, voice=voice)]
    return np.concatenate(parts) if parts else np.empty(0)


class TestRecogniser:
    @pytest.mark.parametrize("in_pieces", [False, True])
    async def test_the_utterance_becomes_text(self, in_pieces):
        ear = Ear(" Good morning. ")
        async with WyomingDouble(HEARS, hear=ear, in_pieces=in_pieces).serve() as double:
            model = WyomingRecogniser(at(double))
            await model.warm_up()
            heard = await model.transcribe(SPEECH, language="de", prompt="Ada", effort="partial")
        assert heard == Transcription("Good morning.", language="en")
        ((audio, rate, asked),) = ear.heard
        assert (rate, asked.language) == (MODEL_RATE, "de")
        assert np.allclose(np.frombuffer(audio, "<i2") / 32768, SPEECH, atol=1 / 32768)

    async def test_without_a_language_the_server_has_its_own(self):
        ear = Ear()
        async with WyomingDouble(HEARS, hear=ear).serve() as double:
            await WyomingRecogniser(at(double)).transcribe(SPEECH)
        assert ear.heard[0][2].language is None

    async def test_a_slow_server_is_not_asked_for_partial_transcripts(self, monkeypatch):
        monkeypatch.setattr(promptness, "PROMPT_SECONDS", 0.0)
        async with WyomingDouble(HEARS, hear=Ear("Hi.")).serve() as double:
            model = WyomingRecogniser(at(double))
            heard = [
                await model.transcribe(SPEECH, effort=effort) for effort in ("partial", "partial", "final")
            ]
        assert [one.text for one in heard] == ["Hi.", "", "Hi."]
        assert double.connections == 2

    async def test_silence_is_not_sent(self):
        quiet = WyomingRecogniser(WyomingServer("127.0.0.1", 1))
        assert await quiet.transcribe(np.zeros(MODEL_RATE, np.float32)) == Transcription("", no_speech=1.0)

    async def test_several_at_once(self):
        together = asyncio.Barrier(3)

        async def hear(audio, rate, asked):
            async with asyncio.timeout(5):
                await together.wait()
            return f"{len(audio)} bytes"

        async with WyomingDouble(HEARS, hear=hear).serve() as double:
            model = WyomingRecogniser(at(double))
            lengths = (8000, 12_000, 16_000)
            heard = await asyncio.gather(*(model.transcribe(SPEECH[:length]) for length in lengths))
            await model.close()
        assert [one.text for one in heard] == [f"{2 * length} bytes" for length in lengths]

    async def test_an_error_of_the_server_is_told(self):
        async with WyomingDouble(HEARS, hear=Ear(ValueError("no such language"))).serve() as double:
            with pytest.raises(ModelError, match=rf"^wyoming://127.0.0.1:{double.port}: no such language$"):
                await WyomingRecogniser(at(double)).transcribe(SPEECH)

    async def test_a_server_that_only_speaks_is_refused_at_the_start(self):
        async with WyomingDouble(PIPER).serve() as double:
            with pytest.raises(ModelError, match="expected a server that recognises speech"):
                await WyomingRecogniser(at(double)).warm_up()

    async def test_cancelling_closes_the_connection(self):
        hearing = asyncio.Event()

        async def hear(*_):
            hearing.set()
            await asyncio.sleep(0.01)  # the double only looks at its connection between events
            return "too late"

        async with WyomingDouble(HEARS, hear=hear).serve() as double:
            task = asyncio.create_task(WyomingRecogniser(at(double)).transcribe(SPEECH))
            await hearing.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            async with asyncio.timeout(5):
                await double.left.wait()


class TestSynthesiser:
    async def test_speech_comes_at_one_rate(self):
        data = TONE.tobytes()
        say = mouth((data[:2001], 22_050, 2, 1), (data[2001:], 22_050, 2, 1))
        async with WyomingDouble(PIPER, say=say).serve() as double:
            model = WyomingSynthesiser(at(double))
            heard = await speech(model, "**Hello** there.")
        assert np.array_equal(heard, resample(FLOATS, 22_050, 24_000))
        assert model.rate == 24_000
        assert tuple(model.voices) == VOICES
        assert (say.asked[0].text, say.asked[0].voice) == ("Hello there.", None)

    async def test_the_rate_may_change(self):
        say = mouth((TONE.tobytes(), 16_000, 2, 1), (np.repeat(TONE, 2).tobytes(), 24_000, 2, 2))
        async with WyomingDouble(PIPER, say=say).serve() as double:
            heard = await speech(WyomingSynthesiser(at(double)))
        assert np.allclose(heard, np.concatenate([resample(FLOATS, 16_000, 24_000), FLOATS]), atol=1e-6)

    async def test_the_voice_that_was_chosen(self):
        say = mouth((TONE.tobytes(), 24_000, 2, 1))
        async with WyomingDouble(PIPER, say=say).serve() as double:
            model = WyomingSynthesiser(at(double), voice="de_DE-thorsten-medium")
            await model.warm_up()
        assert say.asked[0].voice.name == "de_DE-thorsten-medium"
        assert "de_DE-thorsten-medium of wyoming" in model.voices["marin"].description

    async def test_it_is_heard_before_it_ends(self):
        go_on = asyncio.Event()
        say = mouth((TONE.tobytes(), 24_000, 2, 1), then=go_on)
        async with WyomingDouble(PIPER, say=say).serve() as double:
            async with aclosing(WyomingSynthesiser(at(double)).synthesise("Hello.", voice="ash")) as parts:
                async with asyncio.timeout(5):
                    assert len(await anext(parts)) > 0
            async with asyncio.timeout(5):
                await double.left.wait()  # and who leaves early is gone

    async def test_what_has_no_sound_is_not_asked_for(self):
        assert len(await speech(WyomingSynthesiser(WyomingServer("127.0.0.1", 1)), "🙂")) == 0

    async def test_an_unknown_voice_of_the_protocol(self):
        with pytest.raises(ModelError, match="but got 'hal'"):
            await speech(WyomingSynthesiser(WyomingServer("127.0.0.1", 1)), voice="hal")

    @pytest.mark.parametrize(
        ("info", "voice", "why"),
        [
            (HEARS, None, "expected a server that speaks"),
            (PIPER, "hal", r"out of en_US-lessac-medium, de_DE-thorsten-medium, but got 'hal'"),
            (speaks(*map(str, range(30))), "hal", r"out of 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, …, but got 'hal'"),
            (PIPER, None, "expected speech, and got nothing"),
        ],
    )
    async def test_what_is_wrong_is_told_at_the_start(self, info, voice, why):
        async with WyomingDouble(info, say=mouth()).serve() as double:
            with pytest.raises(ModelError, match=why):
                await WyomingSynthesiser(at(double), voice=voice).warm_up()

    async def test_an_error_in_the_middle(self):
        say = mouth((TONE.tobytes(), 24_000, 2, 1), fail="out of memory")
        async with WyomingDouble(PIPER, say=say).serve() as double:
            with pytest.raises(ModelError, match="out of memory"):
                await speech(WyomingSynthesiser(at(double)))

    async def test_sound_of_another_width(self):
        async with WyomingDouble(PIPER, say=mouth((bytes(8), 24_000, 4, 1))).serve() as double:
            with pytest.raises(ModelError, match=r"expected 16-bit sound .* got .*\(24000, 4, 1\)"):
                await speech(WyomingSynthesiser(at(double)))
