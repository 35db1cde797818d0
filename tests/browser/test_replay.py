"""A recorded session happens again: its events, its words, its turns and its sound, without a connection."""

import base64
import json
from pathlib import Path

import numpy as np
import pytest
from playwright.async_api import expect

from vivavoce.audio.g711 import encode_pcma, encode_pcmu
from vivavoce.audio.wav import write_wav

from .fake_endpoint import CHUNK, RATE, tone
from .test_page import level_at, sounding

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

WIRE = Path(__file__).parents[1] / "wire" / "test_openai_ws__test_tool_call_round.jsonl"


def recording(sound=None, form="audio/pcm"):
    """Return a recording of a question and an answer in sound, which comes at once after 0.3 s."""
    sound = tone(1.0).tobytes() if sound is None else sound
    of_answer = {"response_id": "r", "item_id": "a", "output_index": 0, "content_index": 0}
    question = {
        "id": "u",
        "type": "message",
        "role": "user",
        "content": [{"type": "input_text", "text": "Well?"}],
    }
    answer = {"id": "a", "type": "message", "role": "assistant", "content": []}
    frames = [
        ("S", 0, {"type": "session.created", "session": {"audio": {"output": {"format": {"type": form}}}}}),
        ("S", 0.1, {"type": "conversation.item.added", "item": question}),
        ("S", 0.2, {"type": "response.created", "response": {"id": "r", "output": []}}),
        ("S", 0.25, {"type": "response.output_item.added", "response_id": "r", "item": answer}),
    ]
    for start in range(0, len(sound), 2 * CHUNK):
        chunk = base64.b64encode(sound[start : start + 2 * CHUNK]).decode()
        frames.append(("S", 0.3, {"type": "response.output_audio.delta", **of_answer, "delta": chunk}))
    said = {"type": "response.output_audio_transcript.done", **of_answer, "transcript": "Yes, it is."}
    done = {"type": "response.done", "response": {"id": "r", "status": "completed", "output": []}}
    frames += [("S", 0.35, said), ("S", 0.4, done)]
    if not sound:
        frames += [
            ("S", t, {"type": f"output_audio_buffer.{kind}", "response_id": "r"})
            for t, kind in ((0.5, "started"), (1.5, "stopped"))
        ]
    return "".join(
        json.dumps({"dir": sender, "event": event, "t": t}) + "\n" for sender, t, event in frames
    ).encode()


def files(*more, events=None):
    """Return the files of a recording, as Playwright gives them to a page."""
    kept = {"name": "kept.jsonl", "mimeType": "application/jsonl", "buffer": events or recording()}
    return [kept, *({"name": name, "mimeType": "audio/wav", "buffer": data} for name, data in more)]


def wav(tmp_path, *parts):
    """Return a WAV file of seconds at a pitch, in turn; 0 Hz is silence."""
    samples = np.concatenate([tone(seconds, pitch) for seconds, pitch in parts]) / 32768
    write_wav(tmp_path / "sound.wav", samples.astype(np.float32), RATE)
    return (tmp_path / "sound.wav").read_bytes()


async def opened(visit, endpoint, chosen=None, **options):
    """Open the page, and a recording in it."""
    visitor = await visit(endpoint.url + "#inspect", **options)
    await visitor.page.get_by_label("Import").set_input_files(chosen or files())
    await visitor.page.get_by_role("toolbar", name="Recording").wait_for()
    return visitor


async def overhear(visitor):
    """Record what the loudspeakers of the recording get from now on."""
    await visitor.page.evaluate(
        """async () => {
          const {replaying} = document.querySelector('voice-page').studio;
          const {open} = replaying;
          const endings = (window.endings = []);
          let asked = 0;
          replaying.open = async () => {
            const place = asked++;
            const voice = await open();
            endings[place] = voice.record();
            return voice;
          };
        }"""
    )


async def overheard(visitor):
    """Return what both loudspeakers have got, the user's first, and the samples of a second."""
    await visitor.page.evaluate("new Promise((done) => setTimeout(done, 300))")
    found = await visitor.page.evaluate(
        """async () => {
          const tapes = await Promise.all(window.endings.map((end) => end()));
          return {rate: tapes[0].sampleRate, tapes: tapes.map(({samples}) => Array.from(samples))};
        }"""
    )
    return [np.array(samples) for samples in found["tapes"]], found["rate"]


async def at(visitor):
    """Return the place in the recording, in seconds."""
    return await visitor.page.evaluate(
        "document.querySelector('voice-page').studio.replaying.replay.at / 1000"
    )


def bar(visitor):
    """Return the controls of the recording."""
    return visitor.page.get_by_role("toolbar", name="Recording")


async def play_out(visitor):
    """Play from where it is, and wait for the end."""
    await bar(visitor).get_by_role("button", name="Play").click()
    await bar(visitor).get_by_role("button", name="Pause").wait_for()
    await bar(visitor).get_by_role("button", name="Play").wait_for()


async def test_events_words_and_turns_follow(visit, endpoint):
    visitor = await opened(visit, endpoint)
    page = visitor.page
    await page.get_by_role("log").get_by_text("Yes, it is.").wait_for()
    await page.get_by_label("Place in the recording").fill("150")
    assert await page.get_by_role("log").get_by_text("Well?").is_visible()
    assert await page.get_by_text("Yes, it is.").count() == 0
    assert await page.get_by_role("option").filter(has=page.locator(".type")).count() == 2
    await page.get_by_role("button", name="One event on").click()
    await page.get_by_role("option", name="response.created").wait_for()
    await page.get_by_role("link", name="Measure").click()
    turn = page.get_by_role("article")
    assert await turn.locator("dt").all_inner_texts() == ["response begun"]
    await play_out(visitor)
    assert await turn.locator("dt").all_inner_texts() == ["response begun", "first sound"]
    await page.get_by_role("log").get_by_text("Yes, it is.").wait_for()
    assert endpoint.received == []
    assert visitor.complaints == []


@pytest.mark.parametrize("form", ["audio/pcm", "audio/pcmu", "audio/pcma"])
async def test_it_sounds_as_it_did_and_without_a_gap(visit, endpoint, form):
    telephone = (tone(1.0)[::3] / 32768).astype(np.float32)
    encode = {"audio/pcmu": encode_pcmu, "audio/pcma": encode_pcma}.get(form)
    sound = encode(telephone) if encode else tone(1.0).tobytes()
    visitor = await opened(visit, endpoint, files(events=recording(sound, form)))
    await overhear(visitor)
    await play_out(visitor)
    [_, samples], rate = await overheard(visitor)
    loud = np.flatnonzero(np.abs(samples) > 0.05)
    assert (loud[-1] - loud[0]) / rate == pytest.approx(1.0, abs=0.02)
    assert np.max(np.diff(loud)) / rate < 0.001  # a 440 Hz tone is quiet for less, twice a period
    assert level_at(sounding(samples), 440, rate) == pytest.approx(0.5, abs=0.02)
    assert visitor.complaints == []


async def test_a_call_sounds_by_the_files_that_are_opened_with_it(visit, endpoint, tmp_path):
    user = wav(tmp_path, (0.4, 880), (0.6, 0))
    assistant = wav(tmp_path, (0.5, 0), (1.0, 440), (0.3, 0))
    chosen = files(("user.wav", user), ("assistant.wav", assistant), events=recording(b""))
    visitor = await opened(visit, endpoint, chosen)
    assert await bar(visitor).get_by_text("no sound").count() == 0
    await overhear(visitor)
    await play_out(visitor)
    tapes, rate = await overheard(visitor)
    for samples, pitch, seconds in zip(tapes, (880, 440), (0.4, 1.0), strict=True):
        sound = sounding(samples, floor=0.05)
        assert len(sound) / rate == pytest.approx(seconds, abs=0.02)
        assert level_at(sound, pitch, rate) > 0.45
    line = visitor.page.get_by_role("listitem").filter(has_text="Yes, it is.")
    await line.hover()
    await line.get_by_role("button", name="Play").click()
    await line.get_by_role("button", name="Silence").wait_for()
    assert visitor.complaints == []


async def test_files_are_dropped_on_the_page(visit, endpoint, tmp_path):
    visitor = await visit(endpoint.url + "#inspect")
    dropped = [
        [file["name"], base64.b64encode(file["buffer"]).decode()]
        for file in files(("assistant.wav", wav(tmp_path, (0.5, 440))), events=recording(b""))
    ]
    await visitor.page.evaluate(
        """(dropped) => {
          const dataTransfer = new DataTransfer();
          for (const [name, base64] of dropped) {
            const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
            dataTransfer.items.add(new File([bytes], name));
          }
          for (const type of ['dragover', 'drop']) {
            const event = new DragEvent(type, {dataTransfer, bubbles: true, cancelable: true});
            document.querySelector('h1, voice-page').dispatchEvent(event);
            if (!event.defaultPrevented) throw new Error(type + ' is left to the browser');
          }
        }""",
        dropped,
    )
    await bar(visitor).wait_for()
    assert await bar(visitor).get_by_text("no sound").count() == 0
    assert await visitor.page.locator("[dropping]").count() == 0


async def test_the_folder_of_a_recording_is_dropped(visit, endpoint, tmp_path):
    folder = tmp_path / "monday"
    folder.mkdir()
    (folder / "session.json").write_text("{}")
    (folder / "events.jsonl").write_bytes(recording(b""))
    (folder / "assistant.wav").write_bytes(wav(tmp_path, (0.5, 440)))
    visitor = await visit(endpoint.url + "#inspect")
    client = await visitor.page.context.new_cdp_session(visitor.page)
    data = {"items": [], "files": [str(folder)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        await client.send("Input.dispatchDragEvent", {"type": kind, "x": 300, "y": 300, "data": data})
    await bar(visitor).get_by_text("events.jsonl").wait_for()
    assert await bar(visitor).get_by_text("no sound").count() == 0


async def test_files_that_do_not_belong_together_say_so(visit, endpoint, tmp_path):
    visitor = await visit(endpoint.url + "#inspect")
    chosen = files(("user.wav", wav(tmp_path, (0.1, 440))))[1:]
    await visitor.page.get_by_label("Import").set_input_files(chosen)
    await visitor.page.get_by_text("Expected the events of one recording (.jsonl)").wait_for()
    assert await bar(visitor).count() == 0


async def test_pause_speed_and_place(visit, endpoint):
    visitor = await opened(visit, endpoint)
    page = visitor.page
    await page.get_by_label("Speed").select_option("0.5")
    await page.get_by_text("Sound is heard at").wait_for()
    await bar(visitor).get_by_role("button", name="Play").click()
    await page.get_by_role("option", name="conversation.item.added").wait_for()
    await bar(visitor).get_by_role("button", name="Pause").click()
    stopped = await at(visitor)
    await page.evaluate("new Promise((done) => setTimeout(done, 150))")
    assert await at(visitor) == stopped
    await page.get_by_role("button", name="One event back").click()
    assert await at(visitor) <= stopped


async def test_an_item_of_it_is_heard_again_and_the_session_comes_back(visit, endpoint):
    visitor = await opened(visit, endpoint)
    line = visitor.page.get_by_role("listitem").filter(has_text="Yes, it is.")
    await line.hover()
    assert await line.get_by_role("button", name="Delete").count() == 0
    await line.get_by_role("button", name="Play").click()
    await line.get_by_role("button", name="Silence").wait_for()
    await line.get_by_role("button", name="Play").wait_for()
    await visitor.page.get_by_role("button", name="Back to the session").click()
    await visitor.page.get_by_text("Say something.").wait_for()
    assert await visitor.page.get_by_role("toolbar", name="Recording").count() == 0
    await visitor.page.get_by_text("Every event of the session will stand here").wait_for()


async def test_a_session_goes_on_behind_a_recording(visit, endpoint):
    visitor = await opened(visit, endpoint)
    await visitor.session("session.write('Good morning')")
    await endpoint.wait_for("response.create")
    await visitor.until("session.conversation.items.length === 2")
    assert await visitor.page.get_by_text("Good morning").count() == 0
    await visitor.page.get_by_role("button", name="Back to the session").click()
    await visitor.page.get_by_role("log").get_by_text("Good morning").wait_for()
    await visitor.page.get_by_role("option", name="response.create").first.wait_for()


async def test_what_has_no_times_is_stepped_through(visit, endpoint):
    visitor = await visit(endpoint.url + "#inspect")
    await visitor.page.get_by_label("Import").set_input_files(WIRE)
    await bar(visitor).get_by_text("It does not say when its events happened").wait_for()
    assert await bar(visitor).get_by_role("button", name="Play").is_disabled()
    assert await visitor.page.get_by_role("button", name="Clock").count() == 0
    await bar(visitor).get_by_role("button", name="One event back").click()
    await visitor.page.get_by_text("49 of 50 events").wait_for()


async def test_is_played_on_a_phone(visit, endpoint):
    visitor = await opened(visit, endpoint, viewport={"width": 360, "height": 740})
    await visitor.page.get_by_label("Speed").select_option("2")
    await visitor.page.get_by_role("link", name="Talk").click()
    await play_out(visitor)
    assert await visitor.page.get_by_role("log").get_by_role("listitem").count() >= 2
    assert await visitor.page.evaluate("document.documentElement.scrollWidth") == 360


async def test_a_phone_has_room_for_the_words_beside_the_controls(visit, endpoint):
    visitor = await opened(visit, endpoint, viewport={"width": 360, "height": 640})
    await visitor.page.get_by_role("link", name="Talk").click()
    await expect(bar(visitor)).to_be_in_viewport(ratio=1)
    await expect(visitor.page.get_by_text("Yes, it is.")).to_be_in_viewport(ratio=1)
    await visitor.page.get_by_label("Message").scroll_into_view_if_needed()
    await visitor.page.get_by_role("link", name="Inspect").click()
    await visitor.page.get_by_role("listbox", name="Events").wait_for()
