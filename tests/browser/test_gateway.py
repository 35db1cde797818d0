"""The page, the gateway and the engine together, as they are served; the models are scripted."""

import numpy as np
import pytest

from tests.engine import fakes
from tests.gateway.doubles import gateway
from vivavoce.engine.engine import Engine
from vivavoce.engine.profiles import Loaded

from .test_page import RAW_MICROPHONE, level_at, sines, sounding

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


def engine(*pieces, words="How are you?"):
    """Return an engine that hears ``words`` in everything and answers with ``pieces``."""

    async def close():
        pass

    async def load(_report):
        return Loaded(fakes.models(*pieces, words=words), {"recogniser": "scripted"}, 2000, close)

    return Engine(load=load)


def phrase(*parts):
    """Return a microphone's signal: seconds of silence and of speech, in turn."""
    signal = [
        np.zeros(int(seconds * 48_000)) if index % 2 == 0 else sines(seconds, 300, 700, level=0.35)
        for index, seconds in enumerate(parts)
    ]
    return np.concatenate(signal)


async def test_a_hands_free_turn(visit):
    async with gateway(engine("I am ", "well.")) as running:
        visitor = await visit(running.url("/"), microphone=phrase(0.4, 0.8, 6), before=RAW_MICROPHONE)
        await visitor.page.get_by_label("Hands-free").check()
        await visitor.start(ready="Listening")
        await visitor.record()
        await visitor.state("Speaking")
        await visitor.state("Listening")
        recording = await visitor.recorded()
        log = visitor.page.get_by_role("log")
        await log.get_by_text("How are you?").wait_for()
        await log.get_by_text("I am well.").wait_for()
        sound = sounding(recording.samples)
        assert abs(len(sound) / recording.rate - 0.05 * len("I am well.")) < 0.1
        assert level_at(sound, 440, recording.rate) > 0.2
        assert visitor.complaints == []


async def test_a_held_turn_and_a_written_one(visit):
    async with gateway(engine("Good.")) as running:
        visitor = await visit(running.url("/"), microphone=phrase(0, 30), before=RAW_MICROPHONE)
        await visitor.start()
        await visitor.page.keyboard.down(" ")
        await visitor.hear_out(0.4)
        await visitor.page.keyboard.up(" ")
        log = visitor.page.get_by_role("log")
        await log.get_by_text("How are you?").wait_for()
        await log.get_by_text("Good.").wait_for()
        await visitor.state("Ready")
        await visitor.page.get_by_label("Message").fill("And you?")
        await visitor.page.keyboard.press("Enter")
        await log.get_by_text("Good.").nth(1).wait_for()
        await visitor.state("Ready")
        assert visitor.complaints == []
        assert await visitor.page.get_by_role("alert").inner_text() == ""


async def test_speaking_over_a_long_answer(visit):
    async with gateway(engine("a" * 100, ". ", "b" * 100, ".")) as running:
        microphone = phrase(0.4, 0.6, 1.5, 0.6, 4)
        visitor = await visit(running.url("/"), microphone=microphone, before=RAW_MICROPHONE)
        await visitor.page.get_by_label("Hands-free").check()
        await visitor.start(ready="Listening")
        await visitor.state("Speaking")
        await visitor.page.get_by_text("Interrupted after").wait_for()
        await visitor.state("Speaking")
        heard = await visitor.session(
            "session.conversation.items.map(({heardMs}) => heardMs).filter(Boolean)"
        )
        assert len(heard) == 1
        assert 300 < heard[0] < 3000
        assert visitor.complaints == []
        assert await visitor.page.get_by_role("alert").inner_text() == ""


async def test_a_gateway_that_stops_says_so(visit):
    async with gateway(engine()) as running:
        visitor = await visit(running.url("/"))
        await visitor.start()
    await visitor.page.get_by_role("alert").get_by_text("The server stops.").wait_for()
    await visitor.page.get_by_role("button", name="Connect again").wait_for()


async def test_the_page_shows_the_token_of_its_address(visit):
    async with gateway(engine("Good."), local_access="own", token="right") as running:
        visitor = await visit(running.url("/?token=right"))
        await visitor.start()
        assert len(running.sessions) == 1


async def test_without_the_token_it_says_where_to_find_it(visit):
    async with gateway(engine(), local_access="own", token="right") as running:
        visitor = await visit(running.url("/"))
        await visitor.page.get_by_role("button", name="Start").click()
        await visitor.page.get_by_text("Open the address that it printed").wait_for()
        assert len(running.sessions) == 0
