"""``<realtime-voice>`` on a page of another origin: talk, write, greet, reconnect, over both transports."""

import asyncio
import json
from contextlib import asynccontextmanager

import numpy as np
import pytest

from tests.gateway.doubles import gateway

from .npm_modules import ROOT
from .site import Site
from .test_gateway import engine, phrase
from .test_page import RAW_MICROPHONE

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

TRANSPORTS = ["websocket", "webrtc"]
LISTEN = """
window.told = [];
for (const type of ['voice-state', 'voice-transcript', 'voice-problem', 'voice-event', 'voice-quality']) {
  addEventListener(type, ({detail}) => window.told.push([type, structuredClone(detail)]));
}
"""
COUNT_MICROPHONES = """
window.microphones = 0;
const tracks = [];
const give = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (asked) => {
  const stream = await give(asked);
  window.microphones++;
  tracks.push(...stream.getTracks());
  return stream;
};
window.unplug = () => { tracks[0].stop(); tracks[0].dispatchEvent(new Event('ended')); };
window.open_tracks = () => tracks.filter(({readyState}) => readyState === 'live').length;
"""
PATIENCE = 20_000


@asynccontextmanager
async def shop(upstream, attributes="", **site_fields):
    """Run a gateway with this endpoint, and a site of another origin that is let in."""
    async with (
        Site(attributes=attributes, **site_fields) as site,
        gateway(upstream, allowed_origins=[site.origin]) as running,
    ):
        site.server = f"http://localhost:{running.port}"
        site.gateway = running
        yield site


async def opened(visit, site, microphone=None, extra="", **context):
    """Open the site's page, and return who is in front of it."""
    before = LISTEN + RAW_MICROPHONE + COUNT_MICROPHONES + extra
    visitor = await visit(site.origin, microphone=microphone, before=before, **context)
    visitor.page.set_default_timeout(PATIENCE)
    await visitor.page.wait_for_function("() => Boolean(customElements.get('realtime-voice'))")
    return visitor


async def state(visitor, word):
    await visitor.page.get_by_role("status").get_by_text(word, exact=True).wait_for()


async def told(visitor, kind):
    return [detail for name, detail in await visitor.page.evaluate("window.told") if name == kind]


async def wait_told(visitor, condition):
    """Wait until something was told of which a condition in JavaScript holds; `type` and `detail` are its names."""
    await visitor.page.wait_for_function(f"() => window.told.some(([type, detail]) => {condition})")


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_spoken_turn(visit, transport):
    attributes = f'token-url="/voice-key" transport="{transport}"'
    async with shop(engine("I am ", "well."), attributes) as site:
        visitor = await opened(visit, site, phrase(1.0, 0.8, 30))
        await visitor.page.get_by_role("button", name="Start").click()
        await state(visitor, "Speaking")
        await state(visitor, "Listening")
        log = visitor.page.get_by_role("log")
        await log.get_by_text("How are you?").wait_for()
        await log.get_by_text("I am well.").wait_for()
        said = [(one["role"], one["text"].strip()) for one in await told(visitor, "voice-transcript")]
        assert sorted(said) == [("assistant", "I am well."), ("user", "How are you?")]
        states = [one["state"] for one in await told(visitor, "voice-state")]
        assert states[0] == "connecting"
        assert {"listening", "thinking", "speaking"} <= set(states)
        assert len(site.keys) == 1
        await visitor.page.get_by_role("button", name="End", exact=True).click()
        await state(visitor, "Not connected")
        assert visitor.complaints == []


async def hear_out(visitor, seconds):
    """Wait for so much audio to pass, by the sound card's clock."""
    await visitor.page.evaluate(
        """async (seconds) => {
          const context = new AudioContext();
          while (context.currentTime < seconds) await new Promise(requestAnimationFrame);
          await context.close();
        }""",
        seconds,
    )


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_the_space_bar_is_held_to_talk(visit, transport):
    attributes = f'token-url="/voice-key" mode="push-to-talk" transport="{transport}"'
    async with shop(engine("Good."), attributes) as site:
        visitor = await opened(visit, site, phrase(0, 60))
        await visitor.page.get_by_role("button", name="Start").focus()
        await visitor.page.keyboard.press("Enter")
        await state(visitor, "Ready")
        for turn in (1, 2):
            await visitor.page.keyboard.down(" ")
            await state(visitor, "Listening")
            await hear_out(visitor, 0.6)
            await visitor.page.keyboard.up(" ")
            await state(visitor, "Speaking")
            await state(visitor, "Ready")
            said = [one["role"] for one in await told(visitor, "voice-transcript")]
            assert sorted(said) == ["assistant"] * turn + ["user"] * turn
        assert await told(visitor, "voice-problem") == []
        assert visitor.complaints == []


async def test_whoever_turns_to_something_else_lets_go_of_the_space_bar(visit):
    async with shop(engine("Good."), 'token-url="/voice-key" mode="push-to-talk"') as site:
        visitor = await opened(visit, site, phrase(60))
        page, keyboard = visitor.page, visitor.page.keyboard
        await page.evaluate("document.querySelector('h1').tabIndex = -1")
        start = page.get_by_role("button", name="Start")
        await start.focus()
        await keyboard.press("Enter")
        free, held = (page.get_by_role("button", name=name) for name in ("Hold to talk", "Release to send"))
        await free.focus()
        await keyboard.down(" ")
        await held.wait_for()
        await page.evaluate("document.querySelector('h1').focus()")
        await free.wait_for()
        await keyboard.up(" ")
        await free.focus()
        await keyboard.down(" ")
        await held.wait_for()
        await page.evaluate("document.activeElement.blur()")
        await keyboard.up(" ")
        await free.wait_for()
        await page.evaluate("document.querySelector('realtime-voice').press()")
        await page.locator("h1").press(" ")
        await held.wait_for()
        assert visitor.complaints == []


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_what_is_written_is_answered_and_survives_a_lost_line(visit, transport):
    attributes = f'token-url="/voice-key" transport="{transport}"'
    async with shop(engine("Good."), attributes) as site:
        visitor = await opened(visit, site, phrase(60))
        await visitor.page.get_by_role("button", name="Start").click()
        await state(visitor, "Listening")
        await visitor.page.get_by_label("Message").fill("And you?")
        await visitor.page.keyboard.press("Enter")
        await state(visitor, "Speaking")
        await state(visitor, "Listening")
        microphones = await visitor.page.evaluate("window.microphones")
        cut(site.gateway)
        await wait_told(
            visitor, "type === 'voice-state' && detail.state === 'connecting' && detail.previous !== 'off'"
        )
        await state(visitor, "Listening")
        events = await told(visitor, "voice-event")
        begun = [at for at, event in enumerate(events) if event["type"] == "session.created"]
        assert len(begun) == 2
        added = [event["item"] for event in events if event["type"] == "conversation.item.added"]
        before, after = (
            [event["item"]["id"] for event in part if event["type"] == "conversation.item.added"]
            for part in (events[: begun[1]], events[begun[1] :])
        )
        assert before == after
        assert [item["content"][0]["text"] for item in added[2:]] == ["And you?", "Good."]
        assert len(await told(visitor, "voice-transcript")) == 2
        assert await visitor.page.evaluate("window.microphones") == microphones == 1
        assert len(site.keys) == 2
        assert await told(visitor, "voice-problem") == []


async def test_who_is_muted_stays_so_over_a_lost_line(visit):
    async with shop(engine("Good."), 'token-url="/voice-key"') as site:
        visitor = await opened(visit, site, phrase(0.4, 60))
        await visitor.page.get_by_role("button", name="Start").click()
        await state(visitor, "Listening")
        await visitor.page.get_by_role("button", name="Mute").click()
        sent = []
        visitor.page.on(
            "websocket", lambda line: line.on("framesent", lambda data: sent.append(json.loads(data)["type"]))
        )
        cut(site.gateway)
        await wait_told(
            visitor, "type === 'voice-state' && detail.state === 'idle' && detail.previous === 'connecting'"
        )
        await visitor.page.get_by_label("Message").fill("And you?")
        await visitor.page.keyboard.press("Enter")
        await state(visitor, "Speaking")
        assert "response.create" in sent
        assert "input_audio_buffer.append" not in sent
        assert await visitor.page.evaluate("document.querySelector('realtime-voice').muted") is True


async def test_what_is_forgotten_is_forgotten_on_the_other_side_too(visit):
    async with shop(engine("Good."), 'token-url="/voice-key"') as site:
        visitor = await opened(visit, site, phrase(60))
        await visitor.page.get_by_role("button", name="Start").click()
        await state(visitor, "Listening")
        await visitor.page.get_by_label("Message").fill("And you?")
        await visitor.page.keyboard.press("Enter")
        await state(visitor, "Speaking")
        await state(visitor, "Listening")
        await visitor.page.evaluate("document.querySelector('realtime-voice').clear()")
        await visitor.page.wait_for_function(
            "() => window.told.filter(([, {type}]) => type === 'conversation.item.deleted').length === 2"
        )
        assert await visitor.page.evaluate("document.querySelector('realtime-voice').transcript") == []
        begun = [change for change in await told(visitor, "voice-state") if change["previous"] == "off"]
        assert len(begun) == 1
        assert await told(visitor, "voice-problem") == []


def cut(running):
    """Break every line to the gateway, as a network does that fails."""
    for held in running.calls.all:
        held.call.end(1011, "the line broke")
    for connection in running.connections:
        if connection.transport is not None:
            connection.transport.abort()


async def test_it_greets_once_the_session_is_ready(visit):
    attributes = 'token-url="/voice-key" greeting="Good day!" instructions="You sell shoes." voice="marin"'
    async with shop(engine("Good day!"), attributes) as site:
        visitor = await opened(visit, site, phrase(60))
        sent = []
        visitor.page.on(
            "websocket", lambda line: line.on("framesent", lambda data: sent.append(json.loads(data)))
        )
        await visitor.page.get_by_role("button", name="Start").click()
        await visitor.page.get_by_role("log").get_by_text("Good day!").wait_for()
        configured, asked = [event for event in sent if event["type"] != "input_audio_buffer.append"]
        assert configured["session"]["instructions"] == "You sell shoes."
        assert configured["session"]["audio"]["output"]["voice"] == "marin"
        assert asked["type"] == "response.create"
        assert "Good day!" in asked["response"]["instructions"]
        await visitor.page.evaluate(
            "document.querySelector('realtime-voice').instructions = 'You sell hats.'"
        )
        await wait_told(visitor, "detail.session?.instructions === 'You sell hats.'")
        await visitor.page.evaluate("document.querySelector('realtime-voice').instructions = ''")
        begun = next(
            event for event in await told(visitor, "voice-event") if event["type"] == "session.created"
        )
        own = json.dumps(begun["session"]["instructions"])
        await wait_told(
            visitor, f"detail.type === 'session.updated' && detail.session.instructions === {own}"
        )
        assert await told(visitor, "voice-problem") == []


ATTACK = "<img src=x onerror=window.attacked=1><script>window.attacked=1</script>"


async def test_what_is_said_stays_text(visit):
    attributes = f"token-url='/voice-key' label='{ATTACK}'"
    async with shop(engine(ATTACK, words=ATTACK), attributes) as site:
        visitor = await opened(visit, site, phrase(1.0, 0.8, 60))
        await visitor.page.get_by_role("button", name="Start").click()
        log = visitor.page.get_by_role("log")
        await log.get_by_text(ATTACK).nth(1).wait_for()
        await visitor.page.get_by_label("Message").fill(ATTACK)
        await visitor.page.keyboard.press("Enter")
        await log.get_by_text(ATTACK).nth(2).wait_for()
        assert await visitor.page.evaluate("window.attacked") is None
        assert await visitor.page.locator("img").count() == 0


class TestProblems:
    async def test_no_key(self, visit):
        async with shop(engine(), 'token-url="/nowhere"') as site:
            visitor = await opened(visit, site)
            await visitor.page.get_by_role("button", name="Start").click()
            alert = visitor.page.get_by_role("alert")
            await alert.get_by_text("There is no key for a session").wait_for()
            await alert.get_by_text("the status 404").wait_for()
            assert [one["code"] for one in await told(visitor, "voice-problem")] == ["key-refused"]

    @pytest.mark.parametrize("transport", TRANSPORTS)
    async def test_a_server_that_does_not_know_the_page(self, visit, transport):
        async with shop(engine()) as site, gateway(engine()) as other:
            site.attributes = f'server="http://localhost:{other.port}" transport="{transport}"'
            visitor = await opened(visit, site)
            await visitor.page.get_by_role("button", name="Start").click()
            await visitor.page.get_by_role("alert").get_by_text("VIVAVOCE_ALLOWED_ORIGINS").wait_for()

    async def test_no_address(self, visit):
        async with shop(engine(), 'server="ftp://nowhere"') as site:
            visitor = await opened(visit, site)
            await visitor.page.get_by_role("button", name="Start").click()
            await visitor.page.get_by_role("alert").get_by_text("ftp://nowhere").wait_for()


async def test_the_sound_check(visit):
    async with shop(engine(), 'token-url="/voice-key"') as site:
        visitor = await opened(visit, site, phrase(0, 60))
        await visitor.page.get_by_role("button", name="Check sound").click()
        await visitor.page.get_by_text("You should have heard two tones.").wait_for()
        await visitor.page.wait_for_function(
            """() => Number(document.querySelector('realtime-voice').renderRoot.querySelector('voice-check')
              .renderRoot.querySelector('.meter').style.getPropertyValue('--level')) > 0.5"""
        )
        await visitor.page.get_by_role("button", name="Done").click()
        await visitor.page.get_by_text("Press the button and talk").wait_for()
        assert await visitor.page.evaluate("window.open_tracks()") == 0


@pytest.mark.parametrize("leave", ["document.querySelector('realtime-voice').remove()", "check()"])
async def test_a_sound_check_leaves_no_microphone_open(visit, leave):
    """Not when the element goes while it opens, nor when it is asked for twice."""
    async with shop(engine(), 'token-url="/voice-key"') as site:
        visitor = await opened(visit, site, phrase(0, 60))
        await visitor.page.evaluate(
            f"""async () => {{
              const element = document.querySelector('realtime-voice');
              const check = () => element.check();
              const begun = check();
              await {leave};
              await begun;
              element.stop();
            }}"""
        )
        assert await visitor.page.evaluate("[window.microphones, window.open_tracks()]") == [1, 0]


async def test_a_session_that_starts_ends_the_sound_check(visit):
    async with shop(engine(), 'token-url="/voice-key"') as site:
        visitor = await opened(visit, site, phrase(60))
        await visitor.page.evaluate(
            """() => {
              const element = document.querySelector('realtime-voice');
              return Promise.all([element.check(), element.start()]);
            }"""
        )
        await state(visitor, "Listening")
        assert await visitor.page.evaluate("window.open_tracks()") == 1
        assert await visitor.page.get_by_text("You should have heard two tones.").count() == 0


async def test_everything_is_released_when_it_leaves_the_page(visit):
    async with shop(engine(), 'token-url="/voice-key"') as site:
        visitor = await opened(visit, site, phrase(60))
        await visitor.page.get_by_role("button", name="Start").click()
        await state(visitor, "Listening")
        await visitor.page.evaluate("document.body.append(document.querySelector('realtime-voice'))")
        await state(visitor, "Listening")
        assert await visitor.page.evaluate("window.open_tracks()") == 1
        await visitor.page.evaluate("document.querySelector('realtime-voice').remove()")
        await visitor.page.wait_for_function("() => window.open_tracks() === 0")
        async with asyncio.timeout(10):
            while len(site.gateway.sessions):  # noqa: ASYNC110 - nothing tells of it
                await asyncio.sleep(0.02)


HEAR_BOTH = """
const Peer = RTCPeerConnection, Sound = Audio, ask2 = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
const players = [];
window.Audio = class extends Sound { constructor() { super(); players.push(this); } };
window.blocks = [];
let context, merger;
function tap(stream, channel) {
  context ??= new AudioContext();
  if (!merger) {
    merger = new ChannelMergerNode(context, {numberOfInputs: 2});
    const tape = context.createScriptProcessor(256, 2, 1);
    tape.onaudioprocess = ({inputBuffer}) => {
      const level = (n) => Math.hypot(...inputBuffer.getChannelData(n)) / 16;
      const muted = players.length > 0 && players.every((player) => player.muted);
      window.blocks.push([level(0), muted ? 0 : level(1)]);
    };
    merger.connect(tape).connect(context.destination);
  }
  context.createMediaStreamSource(stream).connect(merger, 0, channel);
}
window.seconds_of_block = () => 256 / context.sampleRate;
navigator.mediaDevices.getUserMedia = async (asked) => {
  const stream = await ask2(asked);
  tap(stream.clone(), 0);
  return stream;
};
window.RTCPeerConnection = class extends Peer {
  constructor(...given) {
    super(...given);
    this.addEventListener('track', ({track}) => tap(new MediaStream([track]), 1));
  }
};
"""


async def test_speaking_over_a_call_silences_it(visit, record_property):
    attributes = 'token-url="/voice-key" transport="webrtc"'
    async with shop(engine("a" * 200, "."), attributes) as site:
        visitor = await opened(visit, site, phrase(1.0, 0.8, 4.0, 1.0, 30), extra=HEAR_BOTH)
        await visitor.page.get_by_role("button", name="Start").click()
        await state(visitor, "Speaking")
        await visitor.page.get_by_text("Interrupted after").wait_for()
        await state(visitor, "Speaking")
        blocks = np.array(await visitor.page.evaluate("window.blocks"))
        second = 1 / await visitor.page.evaluate("window.seconds_of_block()")
    spoken, heard = blocks[:, 0] > 0.05, blocks[:, 1] > 0.01
    answer = int(np.flatnonzero(heard)[0])
    onset = answer + int(np.flatnonzero(spoken[answer:])[0])
    silent = [not heard[at : at + int(second / 4)].any() for at in range(onset, len(heard) - int(second / 4))]
    silence = onset + silent.index(True)
    assert heard[onset - int(second / 4) : onset].any()
    record_property(
        "milliseconds from the onset of speech to silence at the speaker", (silence - onset) / second * 1000
    )


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_another_microphone_takes_over(visit, transport):
    attributes = f'token-url="/voice-key" transport="{transport}"'
    async with shop(engine("Good."), attributes) as site:
        visitor = await opened(visit, site, phrase(3.0, 0.8, 60))
        await visitor.page.get_by_role("button", name="Start").click()
        await state(visitor, "Listening")
        await visitor.page.evaluate("window.unplug()")
        await visitor.page.wait_for_function("() => window.microphones === 2")
        await visitor.page.get_by_role("log").get_by_text("Good.").wait_for()
        assert await visitor.page.evaluate("window.open_tracks()") == 1
        assert visitor.complaints == []


AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"


@pytest.mark.skipif(not AXE.exists(), reason="needs `npm install` for axe")
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_nobody_is_kept_out(visit, scheme):
    async with shop(
        engine("a" * 60, "."), 'token-url="/voice-key" transport="webrtc" label="Ask us"'
    ) as site:
        visitor = await opened(visit, site, phrase(60), color_scheme=scheme, reduced_motion="reduce")
        await visitor.page.evaluate(AXE.read_text())
        found = [await violations(visitor)]
        await visitor.page.get_by_role("button", name="Start").click()
        await visitor.page.get_by_label("Message").fill("Hello?")
        await visitor.page.keyboard.press("Enter")
        await state(visitor, "Speaking")
        found.append(await violations(visitor))
        await state(visitor, "Listening")
        await visitor.page.get_by_role("button", name="End", exact=True).click()
        await visitor.page.evaluate("document.querySelector('realtime-voice').tokenUrl = '/nowhere'")
        await visitor.page.get_by_role("button", name="Start").click()
        await visitor.page.get_by_role("alert").get_by_text("There is no key").wait_for()
        found.append(await violations(visitor))
        assert found == [[], [], []]


async def violations(visitor):
    """Return what axe finds in the element."""
    return await visitor.page.evaluate(
        """async () => (await axe.run('realtime-voice')).violations
          .map(({id, nodes}) => [id, nodes.map(({html, failureSummary}) => [html, failureSummary])])"""
    )
