"""What was said in a call over WebRTC is heard again: the user as sent, the answer as it was heard."""

import numpy as np
import pytest

from tests.gateway.doubles import gateway
from vivavoce.gateway.history.history import History
from vivavoce.gateway.history.settings import HistorySettings

from .fake_endpoint import RATE
from .test_gateway import engine, phrase
from .test_page import RAW_MICROPHONE, level_at, sounding

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180), pytest.mark.asyncio(loop_scope="session")]

PLAYED = """
const start = AudioBufferSourceNode.prototype.start;
AudioBufferSourceNode.prototype.start = function (...when) {
  window.played = Array.from(this.buffer.getChannelData(0));
  start.apply(this, when);
};
"""


async def calling(visit, running, microphone, *, hands_free):
    """Open the console with a call."""
    visitor = await visit(running.url("/#shape"), microphone=microphone, before=RAW_MICROPHONE + PLAYED)
    visitor.page.set_default_timeout(60_000)
    await visitor.page.get_by_label("Carried by").select_option("webrtc")
    await visitor.page.get_by_role("link", name="Talk").click()
    if hands_free:
        await visitor.page.get_by_label("Hands-free").check()
    await visitor.start(ready="Listening" if hands_free else "Ready")
    return visitor


async def heard_again(visitor, words):
    """Press Play beside these words; return what goes to the loudspeaker, at 24 kHz."""
    line = visitor.page.get_by_role("log").get_by_role("listitem").filter(has_text=words).first
    await visitor.page.evaluate("window.played = null")
    await line.hover()
    await line.get_by_role("button", name="Play").click()
    await visitor.until("window.played")
    return np.array(await visitor.page.evaluate("window.played"))


def level(sound, pitch):
    """Return how loud a pitch is in the most of a sound, of which a busy machine may have lost some."""
    return np.median([level_at(part, pitch, RATE) for part in np.array_split(sound, 20)])


async def test_both_sides_of_a_turn(visit):
    answer = "I am well, thank you, and how are you today?"
    async with gateway(engine(answer)) as running:
        visitor = await calling(visit, running, phrase(4.0, 0.8, 60), hands_free=True)
        await visitor.state("Speaking", seconds=60)
        await visitor.state("Listening", seconds=60)
        voice = sounding(await heard_again(visitor, answer), floor=0.01)
        assert level(voice, 440) > 0.2
        assert 0.9 < len(voice) / RATE / (0.05 * len(answer)) < 1.5, "a busy machine's is drawn out"
        user = sounding(await heard_again(visitor, "How are you?"), floor=0.01)
        assert 0.72 < len(user) / RATE < 1.2
        assert min(level(user, 300), level(user, 700)) > 0.25
        assert visitor.complaints == []


async def test_a_turn_that_was_held(visit):
    async with gateway(engine("Good.")) as running:
        visitor = await calling(visit, running, phrase(0, 60), hands_free=False)
        await visitor.page.keyboard.down(" ")
        before = await visitor.session("session.player.context.currentTime")
        await visitor.hear_out(1.0)
        held = await visitor.session("session.player.context.currentTime") - before
        await visitor.page.keyboard.up(" ")
        await visitor.state("Ready", seconds=60)
        user = await heard_again(visitor, "How are you?")
        assert held - 0.1 < len(user) / RATE < held + 0.6, "a call waits for what is on its way"
        assert level(user, 300) > 0.25


async def test_an_answer_that_was_interrupted_is_what_was_heard_of_it(visit):
    async with gateway(engine("a" * 400, ".")) as running:
        visitor = await calling(visit, running, phrase(60), hands_free=False)
        await visitor.page.get_by_label("Message").fill("Tell me all.")
        await visitor.page.keyboard.press("Enter")
        await visitor.until("session.player.level() > 0.1")
        await visitor.hear_out(1.5)
        await visitor.page.get_by_role("button", name="Stop").click()
        await visitor.page.get_by_text("Interrupted after").wait_for()
        server = await visitor.session("session.conversation.items.at(-1).heardMs") / 1000
        voice = sounding(await heard_again(visitor, "aaa"), floor=0.01)
        assert level(voice, 440) > 0.2
        assert server / 2 < len(voice) / RATE < server + 0.3, "what was on its way is not heard"
        assert len(voice) / RATE > 1


async def test_an_answer_that_somebody_spoke_over_is_what_was_heard_of_it(visit):
    async with gateway(engine("a" * 400, ".")) as running:
        visitor = await calling(visit, running, phrase(4, 0.6, 4, 0.6, 60), hands_free=True)
        await visitor.page.get_by_text("Interrupted after").wait_for()
        heard = "session.conversation.items.find(({heardMs}) => heardMs).heardMs / 1000"
        server = await visitor.session(heard)
        await visitor.page.get_by_role("log").get_by_role("listitem").nth(3).wait_for()
        voice = sounding(await heard_again(visitor, "aaa"), floor=0.01)
        assert level(voice, 440) > 0.2
        assert server / 2 < len(voice) / RATE < server + 0.8, "what was on its way is heard"
        assert len(voice) / RATE > 1


async def test_its_events_and_what_the_gateway_recorded_of_it_are_opened_together(visit, endpoint, tmp_path):
    answer = "I am well, thank you, and how are you today?"
    history = History(HistorySettings(history="audio", history_folder=tmp_path / "history"))
    async with gateway(engine(answer), stages=(history.stage,), keeps=history) as running:
        visitor = await calling(visit, running, phrase(4, 0.8, 60), hands_free=True)
        await visitor.state("Speaking", seconds=60)
        await visitor.state("Listening", seconds=60)
        await visitor.page.get_by_role("link", name="Inspect").click()
        async with visitor.page.expect_download() as download:
            await visitor.page.get_by_role("button", name="Export").click()
        events = tmp_path / "kept.jsonl"
        await (await download.value).save_as(events)
        await visitor.page.close()
    [sound] = (tmp_path / "history").rglob("*.wav")
    visitor = await visit(endpoint.url + "#inspect", before=PLAYED)
    await visitor.page.get_by_label("Import").set_input_files([events, sound])
    await visitor.page.get_by_role("toolbar", name="Recording").wait_for()
    voice = sounding(await heard_again(visitor, answer), floor=0.01)
    assert 0.9 < len(voice) / RATE / (0.05 * len(answer)) < 1.5
    assert level(voice, 440) > 0.2
    user = sounding(await heard_again(visitor, "How are you?"), floor=0.01)
    assert 0.5 < len(user) / RATE < 1.2
    assert level(user, 300) > 0.2
