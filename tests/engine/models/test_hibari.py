"""hibari: what is said of a text, how it comes, and that nothing it is given breaks it."""

import asyncio
import threading

import hibari.voices
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vivavoce.audio.resample import resample
from vivavoce.engine.models.hibari import LONGEST_PHONEMES, HibariSynthesiser, speakable
from vivavoce.engine.models.hibari_voices import CHARACTERS
from vivavoce.engine.models.protocols import MODEL_RATE
from vivavoce.errors import ModelError
from vivavoce.protocol.session import DEFAULT_VOICE, VOICES

NAMES = [*VOICES, "fable", "onyx", "nova"]


async def parts(synthesiser, text, voice="marin", **how):
    return [part async for part in synthesiser.synthesise(text, voice=voice, **how)]


class TestSpeakable:
    @pytest.mark.parametrize(
        ("text", "spoken"),
        [
            ("**Bold**, _thin_ and `code`", "Bold , thin and code"),
            ("# Title\n- one\n- two", "Title - one - two"),
            ("Read [this](https://example.org/a?b=c).", "Read this ("),
            ("Well done! 🎉👍", "Well done!"),
            ("It costs $5.99 (or 5 €), 20 °C & sunny…", "It costs $5.99 (or 5 €), 20 °C & sunny..."),
            ("İstanbul, ½ or 10², ", "Istanbul, 1/2 or 102,"),
            ("1,000,000", "1,000,000"),
            ("12345678901234567890", "1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0"),
        ],
    )
    def test_keeps_what_can_be_said(self, text, spoken):
        assert speakable(text) == spoken

    @pytest.mark.parametrize("text", ["", "  \n", "...", "😀 🎉", "**", "---", "?!", "\x00\x07", "™®"])
    def test_of_the_rest_nothing(self, text):
        assert speakable(text) == ""


@pytest.mark.models
class TestSpeech:
    async def test_comes_sentence_by_sentence(self, synthesiser):
        spoken = await parts(synthesiser, "Good morning. How are you today? I am fine.")
        assert len(spoken) == 3
        assert synthesiser.rate == 24_000
        for part in spoken:
            assert part.dtype == np.float32
            assert part.ndim == 1
            assert 0.3 < len(part) / synthesiser.rate < 3
            assert 0.05 < np.abs(part).max() <= 1

    async def test_begins_without_delay(self, synthesiser):
        (part,) = await parts(synthesiser, "Hello there.")
        assert np.flatnonzero(np.abs(part) > 0.01)[0] <= 0.05 * synthesiser.rate

    async def test_is_the_same_every_time(self, synthesiser):
        first, second = [await parts(synthesiser, "It is always the same.") for _ in range(2)]
        np.testing.assert_array_equal(np.concatenate(first), np.concatenate(second))

    @pytest.mark.parametrize("voice", ["alloy", "cedar"])
    @pytest.mark.parametrize("speed", [0.25, 0.5, 0.75, 0.9, 1.1, 1.3, 1.4, 1.5])
    async def test_speed(self, synthesiser, speed, voice):
        async def seconds(speed):
            spoken = await parts(
                synthesiser, "The weather is fine today. It will rain tomorrow.", voice=voice, speed=speed
            )
            assert len(spoken) == 2  # still sentence by sentence
            return sum(map(len, spoken)) / synthesiser.rate

        assert await seconds(1.0) / await seconds(speed) == pytest.approx(speed, rel=0.07)

    @pytest.mark.parametrize("text", ["", "🎉", "こんにちは", "مرحبا"])
    async def test_of_what_cannot_be_pronounced_there_is_none(self, synthesiser, text):
        assert await parts(synthesiser, text) == []

    @pytest.mark.parametrize("text", ["word " * 600, "a" * 3000, "9" * 300, "9,9" * 60])
    async def test_long_texts_come_in_parts(self, synthesiser, text):
        spoken = synthesiser.synthesise(text, voice="marin")
        first = await anext(spoken)
        await spoken.aclose()
        assert 0 < len(first) / synthesiser.rate < LONGEST_PHONEMES / 8  # eight a second is slow

    @settings(max_examples=150, deadline=None)
    @given(text=st.text(st.characters(codec=None), max_size=30))
    def test_any_text_has_a_pronunciation_or_none(self, text):
        if spoken := speakable(text):
            assert all(isinstance(part, str) for part in self.heart().phonemize(spoken))

    _heart = None

    @classmethod
    def heart(cls):
        cls._heart = cls._heart or hibari.Hibari("heart", threads=1)
        return cls._heart

    async def test_two_callers_at_once(self, synthesiser):
        texts = "This is the first. It goes on.", "Here is another one. And its end."
        alone = [await parts(synthesiser, text) for text in texts]
        together = await asyncio.gather(*(parts(synthesiser, text) for text in texts))
        for one, other in zip(alone, together, strict=True):
            np.testing.assert_array_equal(np.concatenate(one), np.concatenate(other))

    async def test_cancelled_in_the_middle_it_serves_the_next(self, synthesiser):
        speaking = asyncio.create_task(parts(synthesiser, "One more sentence for you. " * 200))
        await asyncio.sleep(0)
        speaking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await speaking
        assert len(await parts(synthesiser, "Next.")) == 1


@pytest.mark.models
class TestVoices:
    async def test_all_of_the_protocol_speak(self, synthesiser):
        assert sorted(synthesiser.voices) == sorted(NAMES)
        for name, voice in synthesiser.voices.items():
            assert voice.name == name
            assert voice.language == "en"
            assert await parts(synthesiser, "Hello.", voice=name)

    async def test_an_unknown_one_is_refused(self, synthesiser):
        with pytest.raises(ModelError, match=r"expected a voice out of alloy, .*, but got 'nobody'"):
            await parts(synthesiser, "Hello.", voice="nobody")

    async def test_the_default_one_comes_first(self, synthesiser):
        assert next(iter(synthesiser.voices)) == DEFAULT_VOICE

    async def test_the_pitch_and_the_pace_are_heard(self, synthesiser):
        text = "Many men on the moon may be lonely, early on a May morning."

        async def spoken(name):
            return np.concatenate(await parts(synthesiser, text, voice=name))

        plain = await spoken("alloy")
        for name, character in CHARACTERS.items():
            audio = await spoken(name)
            pitch = median_f0(audio) / median_f0(plain)
            assert pitch == pytest.approx(character.own.timbre.pitch, rel=0.07), name
            if character.accent == "American":
                pace = len(plain) / len(audio)
                assert pace == pytest.approx(character.own.pace, rel=0.05), name

    async def test_the_accent_is_heard(self, synthesiser, recogniser):
        reader = synthesiser._read("fable", "Half past four.")
        assert reader != synthesiser._read("marin", "Half past four.")
        spoken = np.concatenate(await parts(synthesiser, "Is there any water in the garden?", voice="fable"))
        heard = await recogniser.transcribe(resample(spoken, synthesiser.rate, MODEL_RATE))
        assert heard.text == "Is there any water in the garden?"

    async def test_without_a_cache_all_are_made_of_the_one_in_the_wheel(self, monkeypatch, tmp_path):
        monkeypatch.setenv("HIBARI_HOME", str(tmp_path))
        monkeypatch.setattr("hibari.voices.download", lambda *_: pytest.fail("it may not download"))
        model = HibariSynthesiser()
        told = {name: voice.description for name, voice in model.voices.items()}
        assert told["alloy"] == "American English, female, plain (hibari's heart)"
        assert told["cedar"] == "American English, male, deep (made of hibari's heart)"
        assert told["verse"] == "British English, male, lively (made of hibari's heart)"
        assert all("heart" in description for description in told.values())
        assert await parts(model, "Hello.", voice="cedar")
        await model.close()

    async def test_one_in_the_cache_is_used(self, monkeypatch, tmp_path):
        from hibari.voices import voice_path

        monkeypatch.setenv("HIBARI_HOME", str(tmp_path))
        for name in ("fenrir", "fable"):
            (tmp_path / hibari.voices.VOICES[name]["file"]).symlink_to(voice_path("heart"))
        model = HibariSynthesiser()
        assert model.voices["echo"].description == "American English, male, even (hibari's fenrir)"
        assert model.voices["cedar"].description == "American English, male, deep (made of hibari's fenrir)"
        assert model.voices["verse"].description == "British English, male, lively (hibari's fable)"
        assert model.voices["sage"].description.endswith("(made of hibari's heart)")
        assert await parts(model, "Hello.", voice="cedar")
        assert "ɒ" in model._read("verse", "Not.")[0]  # it knows this sound
        await model.close()


def median_f0(audio, rate=24_000, lowest=60, highest=400):
    """Return the pitch in Hz where it is clear, by autocorrelation."""
    size, found = rate // 15, []
    for start in range(0, len(audio) - size, size // 2):
        frame = audio[start : start + size] * np.hanning(size)
        if np.sqrt(np.mean(frame**2)) < 0.01:
            continue
        alike = np.fft.irfft(np.abs(np.fft.rfft(frame, 2 * size)) ** 2)[:size] / (1 - np.arange(size) / size)
        lags = np.arange(rate // highest, rate // lowest)
        best = lags[alike[lags] > 0.9 * alike[lags].max()][0]
        if alike[best] > 0.5 * alike[0]:
            found.append(rate / best)
    return float(np.median(found))


@pytest.mark.models
async def test_warms_up_and_leaves_no_thread():
    model = HibariSynthesiser()
    await model.warm_up()
    assert "hibari" in {thread.name for thread in threading.enumerate()}
    await model.close()
    with pytest.raises(ModelError, match="closed"):
        await parts(model, "Hello.")


@pytest.mark.models
def test_a_voice_that_cannot_be_loaded_says_so(monkeypatch):
    def fail(*_, **__):
        raise OSError("no such file")

    monkeypatch.setattr("vivavoce.engine.models.hibari.Hibari", fail)
    with pytest.raises(ModelError, match="'heart' cannot be loaded: no such file"):
        HibariSynthesiser()


@pytest.mark.models
def test_a_network_that_tells_something_else_is_refused(monkeypatch):
    monkeypatch.setattr("vivavoce.engine.models.hibari.OUTPUTS", ("lh", "f0"))
    with pytest.raises(ModelError, match=r"expected a network that tells lh, f0, .* but it tells lh, theta"):
        HibariSynthesiser()
