"""Moonshine: words come back as they were spoken, and nothing comes of what is no speech."""

import asyncio
import re

import numpy as np
import pytest

from vivavoce.engine.models.moonshine import MoonshineRecogniser, _Decoded, _invented, _vocabulary
from vivavoce.engine.models.protocols import MODEL_RATE
from vivavoce.errors import ModelError

SENTENCES = [
    "Turn on the lights in the kitchen, please.",
    "I would like a cup of coffee.",
    "What will the weather be like in Berlin tomorrow morning?",
    "Please remind me to call my mother on Sunday afternoon.",
    "Stop.",
]


def words(text):
    return re.sub(r"[^\w ]", "", text.lower()).split()


def noise(seconds, level=0.1, seed=0):
    return np.random.default_rng(seed).normal(0, level, round(seconds * MODEL_RATE)).astype(np.float32)


def silence(seconds):
    return np.zeros(round(seconds * MODEL_RATE), np.float32)


def clicks(seconds):
    sound = silence(seconds)
    sound[::4000] = 0.9
    return sound


def hum(seconds):
    time = np.arange(round(seconds * MODEL_RATE)) / MODEL_RATE
    return (0.1 * np.sin(2 * np.pi * 50 * time)).astype(np.float32)


def knock(seconds):
    sound = noise(seconds, 0.003)
    sound[len(sound) // 2 :][:400] += noise(400 / MODEL_RATE, 0.5, seed=1) * np.exp(-np.arange(400) / 80)
    return sound


def test_tokens_are_read_by_their_lengths():
    long = bytes(range(200))
    assert _vocabulary(b"\x03<s>\x00\x02\xe2\x96" + bytes([128 + 200 % 128, 1]) + long) == [
        b"<s>",
        b"",
        b"\xe2\x96",
        long,
    ]


@pytest.mark.parametrize(
    ("text", "score", "at_limit", "invented"),
    [
        ("Turn it off.", -0.1, False, False),
        ("Turn it off.", -0.1, True, False),
        ("Turn it off.", -0.8, False, False),
        ("Turn it off.", -1.1, False, True),
        ("A café, please.", -0.1, False, False),
        ("You", -0.04, False, True),
        ("You are late.", -0.04, False, False),
        ("Thank you for watching.", -0.4, False, True),
        ("♪ la la ♪", -0.1, False, True),
        ("สวัสดี", -0.1, False, True),
        ("...", -0.1, False, True),
        ("The first is " * 12, -0.05, False, False),
        ("The first is " * 12, -0.05, True, True),
        ("The first is " * 12, -0.4, False, True),
    ],
)
def test_what_is_believed(text, score, at_limit, invented):
    assert _invented(_Decoded(text, 5, at_limit=at_limit, score=score)) is invented


def test_a_folder_without_weights_says_so(tmp_path):
    with pytest.raises(ModelError, match=r"moonshine: .* cannot be loaded"):
        MoonshineRecogniser(tmp_path)


@pytest.mark.models
class TestSpeech:
    @pytest.mark.parametrize("text", SENTENCES)
    async def test_comes_back_as_it_was_said(self, moonshine, say, text):
        heard = await moonshine.transcribe(await say(text))
        assert words(heard.text) == words(text)
        assert heard.text == heard.text.strip()
        assert heard.language == "en"
        assert heard.no_speech == 0
        assert 0 < heard.tokens < 30

    async def test_longer_than_a_piece(self, moonshine, say):
        text = "The quick brown fox jumps over the lazy dog. "
        audio = np.concatenate([await say(text), silence(30), await say(text)])
        assert words((await moonshine.transcribe(audio)).text) == words(text) * 2

    @pytest.mark.parametrize("effort", ["partial", "final"])
    @pytest.mark.parametrize("seconds", [0.05, 0.15, 0.3, 3, 8])
    @pytest.mark.parametrize("sound", [silence, noise, clicks, hum, knock])
    async def test_nothing_is_invented(self, moonshine, sound, seconds, effort):
        heard = await moonshine.transcribe(sound(seconds), effort=effort)
        assert (heard.text, heard.no_speech) == ("", 1)

    async def test_another_language_is_refused(self, moonshine):
        with pytest.raises(
            ModelError, match="expected the language 'en', the only one it knows, but got 'de'"
        ):
            await moonshine.transcribe(noise(1), language="de")

    async def test_two_callers_hear_their_own(self, moonshine, say):
        texts = SENTENCES[0], SENTENCES[2]
        heard = await asyncio.gather(*[moonshine.transcribe(await say(text)) for text in texts])
        assert [words(one.text) for one in heard] == [words(text) for text in texts]

    async def test_cancelled_it_serves_the_next(self, moonshine, say):
        long = asyncio.create_task(moonshine.transcribe(noise(60)))
        await asyncio.sleep(0)
        long.cancel()
        with pytest.raises(asyncio.CancelledError):
            await long
        assert words((await moonshine.transcribe(await say("Stop."))).text) == ["stop"]

    async def test_warms_up(self, moonshine):
        await moonshine.warm_up()
