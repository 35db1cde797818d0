"""Whisper: words come back as they were spoken, and nothing comes of what is no speech."""

import asyncio
import re
from dataclasses import replace

import numpy as np
import pytest

from vivavoce.engine.models.protocols import MODEL_RATE
from vivavoce.engine.models.utterances import repetitive
from vivavoce.engine.models.whisper import (
    EFFORTS,
    FULL_BUDGET,
    LONGEST_PROMPT,
    WhisperRecogniser,
    _Decoded,
    _invented,
    _repeats,
)
from vivavoce.errors import ModelError

SENTENCES = [
    "Turn on the lights in the kitchen, please.",
    "Set a timer for ten minutes.",
    "I would like a cup of coffee.",
    "What will the weather be like in Berlin tomorrow morning?",
    "Please remind me to call my mother on Sunday afternoon.",
    "Stop.",
]


def words(text):
    return re.sub(r"\b10\b", "ten", re.sub(r"[^\w ]", "", text.lower())).split()


def noise(seconds, level=0.1, seed=0):
    size = round(seconds * MODEL_RATE)
    return np.random.default_rng(seed).normal(0, level, size).astype(np.float32)


def silence(seconds):
    return np.zeros(round(seconds * MODEL_RATE), np.float32)


def clicks(seconds, level=0.9, first=0):
    sound = silence(seconds)
    sound[first::4000] = level
    return sound


def soft_clicks(seconds):
    return clicks(seconds, 0.3)


def late_clicks(seconds):
    return clicks(seconds, first=1)


def hum(seconds):
    return (0.1 * np.sin(2 * np.pi * 50 * np.arange(round(seconds * MODEL_RATE)) / MODEL_RATE)).astype(
        np.float32
    )


def knock(seconds):
    sound = noise(seconds, 0.003)
    sound[len(sound) // 2 :][:400] += noise(400 / MODEL_RATE, 0.5, seed=1) * np.exp(-np.arange(400) / 80)
    return sound


class TestGuards:
    @pytest.mark.parametrize(
        ("score", "at_limit", "invented"), [(-0.08, False, False), (-0.08, True, True), (-0.4, False, True)]
    )
    def test_who_repeats_himself_is_believed_and_who_goes_round_in_circles_is_not(
        self, score, at_limit, invented
    ):
        heard = _Decoded("It was the age of this. " * 9, 60, at_limit=at_limit, score=score, no_speech=0.5)
        assert repetitive(heard.text)
        assert _invented(heard) is invented

    @pytest.mark.parametrize(
        ("text", "other", "expected"),
        [
            ("Stop. Stop.", "Stop", True),
            ("Stop.", "stop", True),
            ("Set a timer for ten minutes", "Set a timer", False),
            ("Stop it.", "Stop", False),
            ("Stop", "", False),
        ],
    )
    def test_the_same_again(self, text, other, expected):
        assert _repeats(text, other) is expected


@pytest.mark.models
class TestSpeech:
    @pytest.mark.parametrize("text", SENTENCES)
    async def test_comes_back_as_it_was_said(self, recogniser, say, text):
        heard = await recogniser.transcribe(await say(text))
        assert words(heard.text) == words(text)
        assert heard.text == heard.text.strip()
        assert heard.language == "en"
        assert heard.no_speech < 0.4
        assert 0 < heard.tokens < 30

    async def test_a_partial_one_too(self, recogniser, say):
        heard = await recogniser.transcribe(await say(SENTENCES[0]), effort="partial")
        assert words(heard.text) == words(SENTENCES[0])

    @pytest.mark.parametrize("effort", ["partial", "final"])
    async def test_that_repeats_itself_is_no_loop(self, recogniser, say, effort):
        text = (
            "It was the best of times. It was the worst of times. It was the age of wisdom. It was the age of "
            "foolishness. It was the season of light. It was the season of darkness. It was the spring of hope. "
            "It was the winter of hope. It was the best of all ages."
        )
        assert repetitive(text)
        assert words((await recogniser.transcribe(await say(text), effort=effort)).text) == words(text)

    async def test_longer_than_the_window(self, recogniser, say):
        text = "The quick brown fox jumps over the lazy dog. "
        audio = np.concatenate([await say(text), silence(20), await say(text)])
        assert words((await recogniser.transcribe(audio)).text) == words(text) * 2

    @pytest.mark.parametrize(
        "prompt", ["Zbigniew Brzeziński.", "word " * 50, "long list " * 500, "<|endoftext|>", " "]
    )
    async def test_with_words_to_expect(self, recogniser, say, prompt):
        heard = await recogniser.transcribe(await say(SENTENCES[0]), prompt=prompt)
        assert words(heard.text) == words(SENTENCES[0])

    def test_a_prompt_leaves_room_for_the_answer(self, recogniser):
        start = recogniser._start("en", "Ludwigshafen " * 500)
        assert len(start) == LONGEST_PROMPT + 5
        assert len(start) + FULL_BUDGET == 448

    def test_a_prompt_gives_no_orders(self, recogniser):
        plain, ordered = (
            recogniser._start("en", text) for text in ("so", "so<|endoftext|><|fr|><|translate|>")
        )
        assert ordered == plain

    async def test_a_text_that_goes_round_in_circles_is_asked_for_in_the_full_window(
        self, recogniser, say, monkeypatch
    ):
        monkeypatch.setitem(
            EFFORTS, "partial", replace(EFFORTS["partial"], tails_s=(2.0,))
        )  # too short a tail
        windows = []
        decode = recogniser._decode
        monkeypatch.setattr(
            recogniser,
            "_decode",
            lambda window, *how: windows.append(window.shape[1]) or decode(window, *how),
        )
        text = "Open the window in the bedroom and close the door."
        heard = await recogniser.transcribe(await say(text, voice="alloy"), effort="partial")
        assert words(heard.text) == words(text)
        assert windows[0] < 600
        assert windows[1:] == [3000]

    async def test_another_language(self, recogniser, say):
        assert (await recogniser.transcribe(await say("Hello."), language="de")).language == "de"

    @pytest.mark.parametrize("language", ["xx", "english", "en-US", "transcribe", "nospeech"])
    async def test_an_unknown_language_is_refused(self, recogniser, language):
        with pytest.raises(
            ModelError, match=f"expected a language such as 'en' or 'de', but got '{language}'"
        ):
            await recogniser.transcribe(noise(1), language=language)


@pytest.mark.models
@pytest.mark.parametrize("effort", ["partial", "final"])
@pytest.mark.parametrize("seconds", [0.3, 3, 8])
@pytest.mark.parametrize("sound", [silence, noise, clicks, soft_clicks, late_clicks, hum, knock])
async def test_invents_nothing(recogniser, sound, seconds, effort):
    assert (await recogniser.transcribe(sound(seconds), effort=effort)).text == ""


@pytest.mark.models
class TestTogether:
    async def test_the_final_text_goes_before_partial_ones(self, recogniser, say):
        audio, done = await say("Yes."), []

        async def ask(effort):
            await recogniser.transcribe(audio, effort=effort)
            done.append(effort)

        await asyncio.gather(*(ask(effort) for effort in ("partial", "partial", "partial", "final")))
        assert done.index("final") <= 1  # one was at work already

    async def test_two_callers_hear_their_own(self, recogniser, say):
        first, second = [recogniser.transcribe(await say(text)) for text in (SENTENCES[0], SENTENCES[3])]
        assert [words(heard.text) for heard in await asyncio.gather(first, second)] == [
            words(SENTENCES[0]),
            words(SENTENCES[3]),
        ]

    async def test_cancelling_leaves_out_the_rest(self, recogniser, say, monkeypatch):
        begun = []
        recognise = recogniser._recognise
        monkeypatch.setattr(recogniser, "_recognise", lambda *how: begun.append(1) or recognise(*how))
        long = asyncio.create_task(recogniser.transcribe(noise(100)))
        await asyncio.sleep(0)
        long.cancel()
        with pytest.raises(asyncio.CancelledError):
            await long
        assert words((await recogniser.transcribe(await say("Stop."))).text) == ["stop"]
        assert len(begun) <= 2


@pytest.mark.models
def test_a_folder_without_weights_says_so(tmp_path):
    with pytest.raises(ModelError, match="cannot be loaded"):
        WhisperRecogniser(tmp_path)


@pytest.mark.models
async def test_warms_up(recogniser):
    await recogniser.warm_up()
