import numpy as np
import pytest

from vivavoce.engine.models.protocols import Finished, Message, Prompt, TextDelta
from vivavoce.errors import ModelError
from vivavoce.protocol.session import VOICES
from vivavoce.testing.models import CuedPrompt, ScriptedLanguageModel, ToneSynthesiser
from vivavoce.testing.play import Cue
from vivavoce.testing.script import Failure

PIECES = (TextDelta("Hi"), TextDelta(" there."))


async def written(max_tokens=100, **cue):
    prompt = CuedPrompt((Message("user", "How are you?"),), cue=Cue(PIECES, **cue))
    return [piece async for piece in ScriptedLanguageModel().generate(prompt, max_tokens=max_tokens)]


class TestLanguageModel:
    async def test_writes_its_cue_and_counts_words(self):
        assert await written() == [*PIECES, Finished("stop", 3, 2)]

    async def test_stops_at_the_limit(self):
        assert await written(max_tokens=1) == [PIECES[0], Finished("length", 3, 1)]

    async def test_stops_short_where_it_is_told_to(self):
        assert (await written(incomplete="content_filter"))[-1] == Finished("length", 3, 2)

    async def test_fails_after_what_it_writes(self):
        prompt = CuedPrompt((), cue=Cue(PIECES, failure=Failure("out of order")))
        writing = ScriptedLanguageModel().generate(prompt, max_tokens=9)
        assert [await anext(writing) for _ in PIECES] == [*PIECES]
        with pytest.raises(ModelError, match="out of order"):
            await anext(writing)

    async def test_writes_nothing_of_its_own(self):
        with pytest.raises(ModelError, match="expected a CuedPrompt"):
            await anext(ScriptedLanguageModel().generate(Prompt(()), max_tokens=9))


async def spoken(text, voice="alloy", speed=1.0, **how):
    synthesiser = ToneSynthesiser(**how)
    return np.concatenate([audio async for audio in synthesiser.synthesise(text, voice=voice, speed=speed)])


def pitch(audio):
    return np.argmax(np.abs(np.fft.rfft(audio))) / len(audio) * 24_000


class TestSynthesiser:
    @pytest.mark.parametrize(("speed", "seconds"), [(1.0, 2.0), (0.5, 4.0), (1.25, 1.6)])
    async def test_a_text_lasts_as_long_as_it_takes_to_say(self, speed, seconds):
        audio = await spoken("x" * 30, speed=speed)
        assert len(audio) == seconds * 24_000
        assert (audio.dtype, np.abs(audio).max()) == (np.float32, pytest.approx(0.3, abs=0.01))

    async def test_voices_can_be_told_from_each_other(self):
        assert tuple(ToneSynthesiser().voices) == VOICES
        heights = [round(pitch(await spoken("x" * 60, voice))) for voice in VOICES]
        assert len(set(heights)) == len(VOICES)
        assert heights[0] == 220

    async def test_silence_is_as_long_but_not_to_be_heard(self):
        assert not (await spoken("x" * 15, loudness=0.0)).any()
