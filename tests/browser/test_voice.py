"""Talk to the page and listen to it: real models, and what came out of the loudspeaker is recognised."""

import re

import numpy as np
import pytest

from tests.gateway.doubles import gateway
from vivavoce.audio.resample import resample
from vivavoce.engine.engine import Engine

from .test_page import sounding

pytestmark = [pytest.mark.browser, pytest.mark.models, pytest.mark.asyncio(loop_scope="session")]

QUESTION = "What is the capital of France?"


async def spoken(models, text):
    """Return ``text`` as a microphone at 48 kHz hears it, with silence around it."""
    pieces = [piece async for piece in models.synthesiser.synthesise(text, voice="alloy")]
    speech = resample(np.concatenate(pieces), models.synthesiser.rate, 48_000)
    return np.concatenate([np.zeros(48_000), speech, np.zeros(60 * 48_000)])


def words(text):
    """Return the words of a text, in small letters."""
    return re.findall(r"[a-z']+", text.lower())


async def test_a_spoken_question_gets_a_spoken_answer(visit):
    async with gateway(Engine("small")) as running:
        models = running.upstream._loaded.models
        visitor = await visit(running.url("/"), microphone=await spoken(models, QUESTION))
        await visitor.page.get_by_label("Hands-free").check()
        await visitor.start(ready="Listening")
        await visitor.record()
        await visitor.state("Speaking", seconds=30)
        await visitor.state("Listening", seconds=60)
        recording = await visitor.recorded()
        question, answer = await visitor.session(
            "session.conversation.items.map(({parts}) => parts.map(({text}) => text).join(' '))"
        )
        assert "france" in words(question)
        assert visitor.complaints == []
        assert await visitor.page.get_by_role("alert").inner_text() == ""
        heard = await models.recogniser.transcribe(resample(recording.samples, recording.rate, 16_000))
        # A small model may wander into words that no recogniser spells alike, but what is understood must be its own.
        understood = set(words(heard.text))
        common = understood & set(words(answer))
        assert common, f"wrote {answer!r}, said {heard.text!r}"
        assert len(common) >= len(understood) / 2, f"wrote {answer!r}, said {heard.text!r}"
        received = await visitor.session("session.conversation.items.at(-1).receivedMs")
        played = len(sounding(recording.samples)) / recording.rate * 1000
        # A clause ends in some 400 ms of silence, which is not counted as played.
        assert received - 600 < played < 1.05 * received
