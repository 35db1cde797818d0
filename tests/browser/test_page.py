"""The page in a real browser: talk, hear, interrupt, write, and what it says when something is wrong."""

import numpy as np
import pytest

from vivavoce.audio.resample import resample

from .fake_endpoint import RATE, tone

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

RAW_MICROPHONE = """
const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = ({audio}) => {
  window.asked = audio;
  return ask({audio: {...audio, echoCancellation: false, noiseSuppression: false, autoGainControl: false}});
};
"""

TAPPED_MICROPHONE = """
const TAP = `
  registerProcessor('tap', class extends AudioWorkletProcessor {
    process([[channel]]) {
      if (channel) this.port.postMessage(channel.slice());
      return true;
    }
  });
`;
const parts = [];
let rate = 0;
const {addModule} = AudioWorklet.prototype;
AudioWorklet.prototype.addModule = async function (...asked) {
  if (!this.tapped) await addModule.call(this, URL.createObjectURL(new Blob([TAP], {type: 'text/javascript'})));
  this.tapped = true;
  return addModule.apply(this, asked);
};
const {connect} = AudioNode.prototype;
AudioNode.prototype.connect = function (target, ...rest) {
  if (target instanceof AudioWorkletNode && !target.numberOfOutputs) {
    const tap = new AudioWorkletNode(this.context, 'tap', {numberOfOutputs: 0});
    tap.port.onmessage = ({data}) => parts.push(...data);
    rate = this.context.sampleRate;
    connect.call(this, tap);
  }
  return connect.call(this, target, ...rest);
};
window.given = () => [rate, parts];
"""
"""Keeps what goes into the recorder."""


def sines(seconds, *frequencies, level=0.3, rate=48_000):
    """Return a sum of sines as floats."""
    at = np.arange(int(seconds * rate)) / rate
    return sum(np.sin(2 * np.pi * frequency * at) * level for frequency in frequencies)


def noise(seconds, level=0.1, rate=48_000):
    """Return noise up to 8 kHz, always the same."""
    spectrum = np.fft.rfft(np.random.default_rng(1).standard_normal(seconds * rate))
    spectrum[8000 * seconds :] = 0
    samples = np.fft.irfft(spectrum)
    return samples * level / np.std(samples)


def index_of(part, whole):
    """Return where in ``whole`` it is most like ``part``."""
    size = 1 << int(np.ceil(np.log2(len(part) + len(whole))))
    likeness = np.fft.irfft(np.fft.rfft(whole, size) * np.conj(np.fft.rfft(part, size)), size)
    return int(np.argmax(likeness[: len(whole) - len(part) + 1]))


def place_of(part, whole):
    """Return what of ``whole`` is most like ``part``, and as long."""
    at = index_of(part, whole)
    return whole[at : at + len(part)]


def below(samples, pitch, rate=RATE):
    """Return the part of the samples that is below a pitch."""
    spectrum = np.fft.rfft(samples)
    pitches = np.fft.rfftfreq(len(samples), 1 / rate)
    return np.fft.irfft(spectrum * np.clip((pitch - pitches) / 300 + 1, 0, 1), len(samples))


def jumps(samples, rate, pitch=17_000, floor=1e-3):
    """Tell where samples that have nothing above a pitch are broken off: there they have."""
    beyond = samples - below(np.asarray(samples, float), pitch, rate)
    return np.flatnonzero(np.abs(beyond) > floor)


def level_at(samples, frequency, rate):
    """Return the amplitude of one frequency, through a Hann window."""
    window = np.hanning(len(samples))
    at = np.arange(len(samples)) / rate
    return 2 * abs(np.sum(samples * window * np.exp(-2j * np.pi * frequency * at))) / window.sum()


def sounding(samples, floor=1e-3):
    """Return the part from the first to the last sound."""
    loud = np.flatnonzero(np.abs(samples) > floor)
    assert len(loud), "there is no sound"
    return samples[loud[0] : loud[-1] + 1]


def longest_silence(samples, floor=1e-3):
    """Return the longest run of near silence, in samples."""
    edges = np.flatnonzero(np.concatenate([[True], np.abs(samples) > floor, [True]]))
    return int(np.max(np.diff(edges))) - 1


async def hold(visitor, endpoint, frames=5):
    """Hold the button with the mouse until the server has so many frames more, then let go."""
    before = len(endpoint.sent("input_audio_buffer.append"))
    await visitor.page.mouse.move(*await visitor.talk_button())
    await visitor.page.mouse.down()
    await endpoint.wait_for("input_audio_buffer.append", before + frames)
    await visitor.page.mouse.up()


async def test_a_spoken_turn(visit, endpoint):
    visitor = await visit(endpoint.url)
    await visitor.start()
    await hold(visitor, endpoint)
    await visitor.state("Speaking")
    log = visitor.page.get_by_role("log")
    await log.get_by_text("How is the day?").wait_for()
    await log.get_by_text("It is a fine day today.").wait_for()
    await visitor.state("Ready")
    kinds = [event["type"] for event in endpoint.received if event["type"] != "input_audio_buffer.append"]
    assert kinds == ["session.update", "input_audio_buffer.commit", "response.create"]
    assert visitor.complaints == []


async def test_the_microphone_arrives_intact(visit, endpoint):
    """What the device gives arrives to the sample, whatever it gives: a busy machine's may be late and leave gaps.

    It gives noise, which is like itself nowhere else, and 15 kHz, which must not fold back to 9 kHz.
    """
    spoken = noise(8) + sines(8, 15_000, level=0.1)
    before = RAW_MICROPHONE + TAPPED_MICROPHONE
    visitor = await visit(endpoint.url, microphone=spoken, before=before, bypass_csp=True)
    await visitor.start()
    await hold(visitor, endpoint, frames=40)
    await endpoint.wait_for("input_audio_buffer.commit")
    sizes = {len(event["audio"]) for event in endpoint.sent("input_audio_buffer.append")[:-1]}
    assert sizes == {2560}, "frames of 960 samples"
    heard = endpoint.microphone()
    rate, given = await visitor.page.evaluate("window.given()")
    whole = resample(np.array(given, np.float32), rate, RATE)
    at = index_of(heard, whole)
    apart = np.abs(below(heard - whole[at : at + len(heard)], 9500))
    even = np.ones(len(apart), bool)  # the edges of a gap have pitches beyond, where filters differ
    for edge in (0, len(apart), *(jumps(given, rate) * RATE // rate - at)):
        even[max(edge - RATE // 10, 0) : max(edge + RATE // 10, 0)] = False
    assert np.mean(even) > 0.5, "most of it has no gaps"
    assert np.max(apart[even]) < 2e-4, "rounding is 2e-5, a lost sample 0.2"
    source = resample(spoken.astype(np.float32), 48_000, RATE)
    parts = np.split(heard[:RATE], 10)
    alike = max(np.corrcoef(part, place_of(part, source))[0, 1] for part in parts)
    assert alike > 0.999, "nor is it slower, or another sound"
    asked = await visitor.page.evaluate("window.asked")
    assert {asked[name] for name in ("echoCancellation", "noiseSuppression", "autoGainControl")} == {True}


async def test_holding_with_the_space_bar(visit, endpoint):
    visitor = await visit(endpoint.url)
    await visitor.start()
    await visitor.page.keyboard.down(" ")
    await visitor.state("Listening")
    await endpoint.wait_for("input_audio_buffer.append", 4)
    await visitor.page.keyboard.up(" ")
    await endpoint.wait_for("response.create")
    composer = visitor.page.get_by_label("Message")
    await composer.focus()
    await composer.press("a")
    await composer.press(" ")
    assert await composer.input_value() == "a "
    assert not await visitor.session("session.held")


async def test_holding_with_a_finger(visit, endpoint):
    visitor = await visit(
        endpoint.url, viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True
    )
    await visitor.start()
    x, y = await visitor.talk_button()
    client = await visitor.page.context.new_cdp_session(visitor.page)
    await client.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    await visitor.state("Listening")
    await endpoint.wait_for("input_audio_buffer.append", 4)
    await client.send(
        "Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [{"x": x + 90, "y": y - 90}]}
    )
    await endpoint.wait_for("input_audio_buffer.append", 6)
    await client.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    await endpoint.wait_for("response.create")
    assert await visitor.page.evaluate("document.documentElement.scrollWidth") == 360


async def test_enter_holds_and_releases(visit, endpoint):
    """Whoever cannot hold a key or a pointer presses twice."""
    visitor = await visit(endpoint.url)
    await visitor.start()
    await visitor.page.get_by_role("button", name="Hold to talk").press("Enter")
    await endpoint.wait_for("input_audio_buffer.append", 4)
    await visitor.page.get_by_role("button", name="Release to send").press("Enter")
    await endpoint.wait_for("response.create")


async def test_a_tap_is_no_turn(visit, endpoint):
    visitor = await visit(endpoint.url)
    await visitor.start()
    await visitor.page.mouse.move(*await visitor.talk_button())
    await visitor.page.mouse.down()
    await visitor.page.mouse.up()
    await endpoint.wait_for("input_audio_buffer.clear")
    assert endpoint.sent("input_audio_buffer.commit") == []


async def test_jittery_chunks_play_without_gap_or_click(visit, endpoint):
    endpoint.script.answer = tone(3.0)
    endpoint.script.pace = 0.04
    endpoint.script.lateness = lambda index: (index * 7919 % 101) / 1000
    visitor = await visit(endpoint.url)
    await visitor.start()
    await visitor.record()
    await visitor.page.get_by_label("Message").fill("sing")
    await visitor.page.keyboard.press("Enter")
    await visitor.state("Speaking")
    await visitor.state("Ready")
    recording = await visitor.recorded()
    sound = sounding(recording.samples)
    assert abs(len(sound) / recording.rate - 3.0) < 0.02
    assert longest_silence(sound) < recording.rate / 1000
    inner = sound[recording.rate // 100 : -recording.rate // 100]
    assert np.max(np.abs(np.diff(inner, 2))) < 0.8 * (2 * np.pi * 440 / recording.rate) ** 2
    assert abs(level_at(sound, 440, recording.rate) - 0.5) < 0.01


async def test_interrupting_is_silent_at_once_and_exact(visit, endpoint):
    endpoint.script.answer = tone(20.0)
    visitor = await visit(endpoint.url)
    await visitor.start()
    await visitor.record()
    await visitor.page.get_by_label("Message").fill("sing")
    await visitor.page.keyboard.press("Enter")
    await visitor.until("session.player.level() > 0.1")
    latency = await visitor.page.evaluate(
        """async () => {
          const {session} = document.querySelector('voice-page');
          await session.interrupt();
          return session.player.context.outputLatency || session.player.context.baseLatency;
        }"""
    )
    [truncated] = await endpoint.wait_for("conversation.item.truncate")
    await visitor.page.get_by_text("Interrupted after").wait_for()
    recording = await visitor.recorded()
    played_ms = len(sounding(recording.samples)) / recording.rate * 1000
    heard_ms = truncated["audio_end_ms"] + latency * 1000
    assert 0 <= played_ms - heard_ms < 10, "what was played but for the last fade"
    assert played_ms < 5000


async def test_speaking_over_the_answer_stops_it(visit, endpoint):
    """Hands-free: a first phrase is answered; a second one, spoken into the answer, silences it."""
    endpoint.script.answer = tone(10.0)
    speech = sines(0.6, 300, 700, level=0.4)
    microphone = np.concatenate(
        [np.zeros(48_000), speech, np.zeros(2 * 48_000), speech, np.zeros(3 * 48_000)]
    )
    visitor = await visit(endpoint.url, microphone=microphone, before=RAW_MICROPHONE)
    await visitor.page.get_by_label("Hands-free").check()
    await visitor.start(ready="Listening")
    await visitor.state("Speaking")
    await visitor.record()
    [truncated] = await endpoint.wait_for("conversation.item.truncate")
    await visitor.state("Listening")
    recording = await visitor.recorded()
    assert 500 < truncated["audio_end_ms"] < 3000
    assert truncated["content_index"] == 0
    assert endpoint.sent("response.cancel") == [], "the server cancels by itself"
    sound = sounding(recording.samples)
    assert len(sound) / recording.rate < 3
    assert visitor.complaints == []


async def test_writing_needs_no_microphone(visit, endpoint):
    visitor = await visit(endpoint.url, allow=False)
    await visitor.page.get_by_label("Message").fill("Good morning")
    await visitor.page.get_by_role("button", name="Send").click()
    await endpoint.wait_for("response.create")
    await visitor.page.get_by_role("log").get_by_text("Good morning").wait_for()
    await visitor.page.get_by_role("log").get_by_text("It is a fine day today.").wait_for()
    assert await visitor.page.get_by_role("alert").inner_text() == ""


async def test_words_are_never_markup(visit, endpoint):
    evil = '<img src=x onerror="window.hit=1"><script>window.hit=1</script>'
    endpoint.script.words = endpoint.script.heard = evil
    visitor = await visit(endpoint.url)
    await visitor.start()
    await hold(visitor, endpoint)
    await visitor.page.get_by_role("log").get_by_text(evil).nth(1).wait_for()
    await visitor.page.get_by_label("Message").fill(evil)
    await visitor.page.keyboard.press("Enter")
    await visitor.page.get_by_role("log").get_by_text(evil).nth(2).wait_for()
    assert await visitor.page.locator("voice-page img, voice-page script").count() == 0
    assert await visitor.page.evaluate("window.hit") is None


async def test_a_refused_microphone(visit, endpoint):
    visitor = await visit(endpoint.url, allow=False, permissions=[])
    await visitor.start()
    await visitor.page.get_by_role("alert").get_by_text("The microphone is blocked").wait_for()
    await visitor.page.get_by_text("Allow it for this page").wait_for()
    assert await visitor.page.get_by_role("button", name="Try again").is_visible()


async def test_no_microphone(visit, endpoint):
    gone = """navigator.mediaDevices.getUserMedia =
      async () => { throw new DOMException('Requested device not found', 'NotFoundError'); };"""
    visitor = await visit(endpoint.url, before=gone)
    await visitor.start()
    await visitor.page.get_by_role("alert").get_by_text("No microphone found").wait_for()


async def test_an_unplugged_microphone_can_be_had_again(visit, endpoint):
    visitor = await visit(
        endpoint.url,
        before="""
      const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
      navigator.mediaDevices.getUserMedia = async (wanted) => (window.stream = await ask(wanted));
    """,
    )
    await visitor.start()
    await visitor.page.evaluate("window.stream.getAudioTracks()[0].dispatchEvent(new Event('ended'))")
    await visitor.page.get_by_role("alert").get_by_text("The microphone went away").wait_for()
    await visitor.page.get_by_role("button", name="Try again").click()
    await visitor.page.get_by_role("button", name="Hold to talk").wait_for()
    await hold(visitor, endpoint)
    await endpoint.wait_for("response.create")


async def test_the_server_goes_and_comes_back(visit, endpoint):
    visitor = await visit(endpoint.url)
    await visitor.start()
    await hold(visitor, endpoint)
    await visitor.page.get_by_role("log").get_by_text("How is the day?").wait_for()
    await endpoint.vanish()
    await visitor.page.get_by_role("alert").get_by_text("The connection is lost").wait_for()
    await visitor.page.get_by_role("button", name="Connect again").click()
    await visitor.page.get_by_text("Try 2").wait_for()
    await endpoint.listen()
    await visitor.state("Ready")
    assert await visitor.page.get_by_role("alert").inner_text() == ""
    await visitor.page.get_by_role("log").get_by_text("How is the day?").wait_for()
    await hold(visitor, endpoint)
    await endpoint.wait_for("response.create", 2)


async def test_a_server_that_refuses_is_quoted(visit, endpoint):
    endpoint.script.refuse = 503
    visitor = await visit(endpoint.url)
    await visitor.page.get_by_role("button", name="Start").click()
    await (
        visitor.page.get_by_role("alert")
        .get_by_text("All 100 sessions are taken; try again later.")
        .wait_for()
    )


async def test_a_server_that_loads_is_waited_for(visit, endpoint):
    progress = {"name": "speech.gguf", "done": 30, "total": 90}
    endpoint.script.refuse = 503
    endpoint.script.health = {"status": "loading", "stage": "weights", "progress": progress}
    visitor = await visit(endpoint.url)
    await visitor.page.get_by_role("button", name="Start").click()
    await visitor.page.get_by_text("The server loads: speech.gguf, 33 %").wait_for()
    endpoint.script.refuse = 0
    await visitor.state("Ready")


async def test_an_insecure_origin_says_what_to_do_and_still_writes(visit, endpoint):
    url = endpoint.url.replace("localhost", "voice.test")
    visitor = await visit(url, arguments=("--host-resolver-rules=MAP voice.test 127.0.0.1",))
    await visitor.page.get_by_role("alert").get_by_text("Open this page as http://localhost").wait_for()
    await visitor.page.get_by_label("Message").fill("Good morning")
    await visitor.page.keyboard.press("Enter")
    await visitor.page.get_by_role("log").get_by_text("It is a fine day today.").wait_for()
    [update] = endpoint.sent("session.update")
    assert update["session"]["output_modalities"] == ["text"]


async def test_ending_releases_the_microphone(visit, endpoint):
    visitor = await visit(
        endpoint.url,
        before="""
      const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
      navigator.mediaDevices.getUserMedia = async (wanted) => (window.stream = await ask(wanted));
    """,
    )
    await visitor.start()
    await visitor.page.get_by_role("button", name="End", exact=True).click()
    await visitor.state("Not connected")
    assert await visitor.page.evaluate("window.stream.getTracks().map((track) => track.readyState)") == [
        "ended"
    ]


async def test_every_client_event_is_one_that_the_protocol_knows(visit, endpoint):
    from openai.types.realtime import RealtimeClientEvent
    from pydantic import TypeAdapter

    endpoint.script.answer = tone(20.0)
    visitor = await visit(endpoint.url)
    await visitor.start()
    await hold(visitor, endpoint)
    await visitor.until("session.player.level() > 0.1")
    await visitor.page.keyboard.press("Escape")
    await endpoint.wait_for("conversation.item.truncate")
    await visitor.page.get_by_label("Hands-free").check()
    await endpoint.wait_for("session.update", 2)
    await visitor.page.get_by_label("Message").fill("Good morning")
    await visitor.page.keyboard.press("Enter")
    await endpoint.wait_for("conversation.item.create")
    adapter = TypeAdapter(RealtimeClientEvent)
    for event in endpoint.received:
        adapter.validate_python(event, strict=True)
