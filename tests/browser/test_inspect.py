"""Inspect: every event of the session, found, opened, tied to its cause, kept in a file and read again."""

import json
from pathlib import Path

import pytest

from vivavoce.testing import Cassette

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

WIRE = Path(__file__).parents[1] / "wire" / "test_openai_ws__test_tool_call_round.jsonl"


async def inspect(visit, endpoint, **options):
    """Open the page at Inspect, and ask something in writing."""
    visitor = await visit(endpoint.url + "#inspect", **options)
    await visitor.session("session.write('Good morning')")
    await visitor.page.get_by_role("option", name="response.done").first.wait_for()
    return visitor


async def fill(visitor, count):
    """Put so many events into the log, most of them deltas."""
    await visitor.page.evaluate(
        """(count) => {
          const {studio} = document.querySelector('voice-page');
          studio.session.stop();
          for (let at = 0; at < count; at++) {
            const type = at % 10 ? 'response.output_text.delta' : 'response.done';
            const entry = studio.log.add('S', {type, event_id: `event_x${at}`, item_id: `i${at}`}, at);
            studio.dispatchEvent(new CustomEvent('event', {detail: entry}));
          }
        }""",
        count,
    )


async def test_both_directions_stand_in_the_log(visit, endpoint):
    visitor = await inspect(visit, endpoint)
    sent = visitor.page.get_by_role("option", name="sent conversation.item.create")
    assert "user: Good morning" in await sent.inner_text()
    folded = visitor.page.get_by_role("option", name="response.output_audio.delta")
    assert "25" in await folded.inner_text()
    assert "1.00 s of sound" in await folded.inner_text()
    await visitor.page.get_by_role("button", name="Fold deltas").click()
    await visitor.page.get_by_role("option", name="response.output_audio.delta").nth(2).wait_for()
    assert visitor.complaints == []


async def test_an_event_shows_its_json_and_its_cause(visit, endpoint):
    visitor = await inspect(visit, endpoint)
    await visitor.page.get_by_role("option", name="response.created").click()
    details = visitor.page.get_by_role("region", name="Details of the event")
    await details.get_by_text("A response has begun.").wait_for()
    await details.get_by_text('"in_progress"').wait_for()
    await details.get_by_role("button", name="response.create").click()
    await details.get_by_role("heading", name="response.create", exact=True).wait_for()
    await visitor.page.keyboard.press("Tab")
    await visitor.page.get_by_role("listbox").focus()
    await visitor.page.keyboard.press("Home")
    await details.get_by_role("heading", name="session.created").wait_for()
    await details.get_by_role("button", name="Close the details").click()
    assert await details.count() == 0


async def test_finds_by_words_kind_and_direction(visit, endpoint):
    visitor = await inspect(visit, endpoint)
    options = visitor.page.get_by_role("option").filter(has=visitor.page.locator(".type"))
    await visitor.page.get_by_label("Find in events").fill("good MORNING")
    await visitor.page.get_by_text("in 3 rows").wait_for()
    await visitor.page.get_by_label("Direction").select_option("C")
    await visitor.page.get_by_text("in 1 rows").wait_for()
    assert "conversation.item.create" in await options.inner_text()
    await visitor.page.get_by_label("Find in events").fill("")
    await visitor.page.get_by_label("Kind").select_option("response.")
    await visitor.page.get_by_text("in 1 rows").wait_for()
    await visitor.page.get_by_role("button", name="Errors").click()
    await visitor.page.get_by_text("No event is like that.").wait_for()


async def test_an_error_stands_out_and_names_its_cause(visit, endpoint):
    visitor = await inspect(visit, endpoint)
    await visitor.page.evaluate(
        """() => {
          const {studio} = document.querySelector('voice-page');
          const tell = (dir, event) => studio.dispatchEvent(
            new CustomEvent('event', {detail: studio.log.add(dir, event, Date.now())}));
          tell('C', {type: 'response.cancel', event_id: 'mine'});
          tell('S', {type: 'error', error: {code: 'response_cancel_not_active', message: 'None.', event_id: 'mine'}});
        }"""
    )
    row = visitor.page.get_by_role("option", name="⚠ error")
    await row.click()
    await visitor.page.get_by_role("region").get_by_role("button", name="response.cancel").click()
    await visitor.page.get_by_role("heading", name="response.cancel").wait_for()


async def test_a_paused_log_goes_on_in_secret_and_clears(visit, endpoint):
    visitor = await inspect(visit, endpoint)
    await visitor.state("Ready")
    await visitor.page.get_by_role("button", name="Pause").click()
    before = await visitor.page.get_by_role("option", name="response.done").count()
    await visitor.session("session.write('And you?')")
    await endpoint.wait_for("response.create", 2)
    await visitor.state("Speaking")
    await visitor.state("Ready")
    assert await visitor.page.get_by_role("option", name="response.done").count() == before
    await visitor.page.get_by_role("button", name="Pause").click()
    await visitor.page.get_by_role("option", name="response.done").nth(before).wait_for()
    await visitor.page.get_by_role("button", name="Clear").click()
    await visitor.page.get_by_text("Every event of the session will stand here").wait_for()


async def test_an_export_is_a_cassette_and_can_be_imported(visit, endpoint, tmp_path):
    visitor = await inspect(visit, endpoint)
    await visitor.state("Ready")
    async with visitor.page.expect_download() as download:
        await visitor.page.get_by_role("button", name="Export").click()
    path = tmp_path / "kept.jsonl"
    await (await download.value).save_as(path)
    cassette = Cassette.load(path)
    assert [frame.event["type"] for frame in cassette.frames if frame.dir == "C"] == [
        "session.update",
        "conversation.item.create",
        "response.create",
    ]
    await visitor.page.get_by_label("Import").set_input_files(path)
    await visitor.page.get_by_text(f"{len(cassette.frames)} of {len(cassette.frames)} events").wait_for()
    assert await visitor.page.get_by_role("toolbar", name="Recording").get_by_text("kept.jsonl").is_visible()
    await visitor.page.get_by_role("button", name="Back to the session").click()


async def test_a_recording_of_openai_is_shown(visit, endpoint):
    visitor = await visit(endpoint.url + "#inspect")
    await visitor.page.get_by_label("Import").set_input_files(WIRE)
    await visitor.page.get_by_role("option", name="session.created").wait_for()
    await visitor.page.get_by_label("Import").set_input_files(
        {"name": "odd.jsonl", "mimeType": "text/plain", "buffer": b'{"dir": 1}'}
    )
    await visitor.page.get_by_text('odd.jsonl: Line 1: expected "dir"').wait_for()


async def test_a_hundred_thousand_events_scroll(visit, endpoint):
    """Only what is in sight is in the page, wherever one looks."""
    visitor = await inspect(visit, endpoint)
    await fill(visitor, 100_000)
    await visitor.page.get_by_text("100,0").wait_for()
    await visitor.page.get_by_role("button", name="Fold deltas").click()
    assert await visitor.page.get_by_role("option").count() < 120
    await visitor.page.get_by_role("listbox").focus()
    for key, found in (("Home", "session.created"), ("End", "response.output_text.delta")):
        await visitor.page.keyboard.press(key)
        await visitor.page.get_by_role("region").get_by_role("heading", name=found).wait_for()
    assert await visitor.page.get_by_role("option").count() < 120
    await visitor.page.get_by_label("Find in events").fill("event_x77777")
    await visitor.page.get_by_text("in 1 rows").wait_for()


async def test_what_an_event_says_is_never_markup(visit, endpoint):
    evil = '<img src=x onerror="window.hit=1"><script>window.hit=1</script>'
    endpoint.script.words = evil
    visitor = await inspect(visit, endpoint)
    await visitor.page.get_by_role("option", name="response.output_audio_transcript.done").click()
    await visitor.page.get_by_role("region").get_by_text(json.dumps(evil)).wait_for()
    assert await visitor.page.locator("voice-page img, voice-page script").count() == 0
    assert await visitor.page.evaluate("window.hit") is None


async def test_a_narrow_page_shows_one_thing_at_a_time(visit, endpoint):
    visitor = await inspect(visit, endpoint, viewport={"width": 360, "height": 740})
    assert not await visitor.page.get_by_label("Message").is_visible()
    assert await visitor.page.evaluate("document.documentElement.scrollWidth") == 360
    await visitor.page.get_by_role("link", name="Talk").click()
    assert await visitor.page.get_by_label("Message").is_visible()
    await visitor.page.go_back()
    await visitor.page.get_by_role("listbox").wait_for()
