"""Shape: what the session is asked to be, its tools, any event, and all of it as a link."""

import json

import pytest
from playwright.async_api import expect

from tests.gateway.doubles import gateway

from .test_gateway import engine, phrase
from .test_page import RAW_MICROPHONE, hold

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

CLIPBOARD = """Object.defineProperty(navigator, 'clipboard', {value: {
  writeText: async (text) => { window.copied = text; }}});"""


async def say(endpoint, **event):
    """Send an event to the page."""
    for socket in endpoint.sockets:
        await socket.send_json(event)


async def call(endpoint, *calls):
    """Have the model call functions: pairs of a call_id and a name."""
    output = [
        {
            "id": f"item_{call_id}",
            "type": "function_call",
            "status": "completed",
            "call_id": call_id,
            "name": name,
            "arguments": '{"location": "Ghent"}',
        }
        for call_id, name in calls
    ]
    await say(endpoint, type="response.created", response={"id": "resp_call"})
    for item in output:
        await say(endpoint, type="conversation.item.added", item=item)
    done = {"id": "resp_call", "status": "completed", "output": output}
    await say(endpoint, type="response.done", response=done)


async def test_what_is_set_goes_to_the_server_and_is_kept(visit, endpoint):
    visitor = await visit(endpoint.url + "#shape")
    await visitor.page.get_by_label("Instructions").fill("Be brief.")
    await visitor.page.get_by_label("Voice", exact=True).fill("sage")
    await visitor.page.get_by_label("Threshold").fill("0.7")
    await visitor.page.get_by_label("Threshold").press("Tab")
    await visitor.page.reload()
    assert await visitor.page.get_by_label("Instructions").input_value() == "Be brief."
    await visitor.page.get_by_label("Hands-free").check()
    await visitor.start(ready="Listening")
    [update] = endpoint.sent("session.update")
    assert update["session"]["instructions"] == "Be brief."
    assert update["session"]["audio"]["output"]["voice"] == "sage"
    assert update["session"]["audio"]["input"]["turn_detection"]["threshold"] == 0.7
    await visitor.page.get_by_label("Speed").fill("1.2")
    await visitor.page.get_by_label("Speed").press("Tab")
    [_, again] = await endpoint.wait_for("session.update", 2)
    assert again["session"]["audio"]["output"]["speed"] == 1.2
    await visitor.page.get_by_label("Speed").fill("9")
    await visitor.page.get_by_label("Speed").press("Tab")
    await visitor.page.get_by_label("A turn ends").select_option("semantic_vad")
    await visitor.page.get_by_label("Eagerness").wait_for()
    [*_, last] = await endpoint.wait_for("session.update", 3)
    assert last["session"]["audio"]["output"]["speed"] == 1.2, "what is out of bounds is not sent"
    assert last["session"]["audio"]["input"]["turn_detection"]["type"] == "semantic_vad"
    assert "threshold" not in last["session"]["audio"]["input"]["turn_detection"]


async def test_what_is_being_typed_is_left_alone(visit, endpoint):
    """The panel is drawn again while the server talks; the words that somebody is at stay."""
    visitor = await visit(endpoint.url + "#shape")
    await visitor.start()
    instructions = visitor.page.get_by_label("Instructions")
    await instructions.press_sequentially("Be ")
    await say(endpoint, type="response.created", response={"id": "resp_1"})
    await visitor.until("session.responses.busy")
    await visitor.page.evaluate("() => new Promise(requestAnimationFrame)")
    await instructions.press_sequentially("brief.")
    assert await instructions.input_value() == "Be brief."
    await instructions.press("Tab")
    [_, update] = await endpoint.wait_for("session.update", 2)
    assert update["session"]["instructions"] == "Be brief."


async def test_a_preset_is_a_link(visit, endpoint):
    visitor = await visit(endpoint.url + "#shape", before=CLIPBOARD)
    evil = '<img src=x onerror="window.hit=1">'
    await visitor.page.get_by_label("Instructions").fill(evil)
    await visitor.page.get_by_role("button", name="Copy as a link").click()
    await visitor.page.get_by_text("The link is copied").wait_for()
    link = await visitor.page.evaluate("window.copied")
    other = await visit(link)
    assert await other.page.get_by_label("Instructions").input_value() == evil
    assert other.page.url == endpoint.url + "#shape"
    assert await other.page.evaluate("window.hit") is None
    await other.page.get_by_role("button", name="Reset").click()
    assert await other.page.get_by_label("Instructions").input_value() == ""


async def test_what_a_link_took_the_place_of_comes_back(visit, endpoint):
    """Another link, or another visit, does not lose what the user had set."""
    visitor = await visit(endpoint.url + "#shape", before=CLIPBOARD)
    instructions = visitor.page.get_by_label("Instructions")
    links = []
    for words in ("A stranger's.", "Another's.", "Mine."):
        await instructions.fill(words)
        await instructions.press("Tab")
        await visitor.page.get_by_role("button", name="Copy as a link").click()
        await visitor.page.wait_for_function("(links) => window.copied !== links.at(-1)", arg=[None, *links])
        links.append(await visitor.page.evaluate("window.copied"))
    for link, words in zip(links[:2], ("A stranger's.", "Another's."), strict=True):
        await visitor.page.evaluate("(link) => { location.href = link; }", link)
        await expect(instructions).to_have_value(words)
    await visitor.page.reload()
    await visitor.page.get_by_role("button", name="Back to mine").click()
    await expect(instructions).to_have_value("Mine.")
    assert await visitor.page.get_by_role("button", name="Back to mine").count() == 0
    await visitor.page.evaluate("(link) => { location.href = link; }", links[0])
    await visitor.page.get_by_role("button", name="Keep the link").click()
    await visitor.page.reload()
    await expect(instructions).to_have_value("A stranger's.")
    assert await visitor.page.get_by_role("button", name="Back to mine").count() == 0
    assert visitor.complaints == []


async def test_a_tool_answers_with_its_made_up_result(visit, endpoint):
    visitor = await visit(endpoint.url + "#shape")
    await visitor.page.get_by_role("button", name="Add a tool").click()
    await visitor.start()
    [update] = endpoint.sent("session.update")
    [tool] = update["session"]["tools"]
    assert tool["name"] == "get_weather"
    await call(endpoint, ("c1", "get_weather"))
    [result] = await endpoint.wait_for("conversation.item.create")
    assert result["item"]["type"] == "function_call_output"
    assert result["item"]["call_id"] == "c1"
    assert json.loads(result["item"]["output"])["sky"] == "clear"
    await endpoint.wait_for("response.create")
    await visitor.page.get_by_role("log").get_by_text('get_weather({"location": "Ghent"})').wait_for()


async def test_a_result_is_given_by_hand(visit, endpoint):
    visitor = await visit(endpoint.url + "#shape")
    await visitor.page.get_by_role("button", name="Add a tool").click()
    await visitor.page.get_by_label("Result", exact=True).fill("")
    await visitor.page.get_by_label("Result", exact=True).press("Tab")
    await visitor.start()
    await call(endpoint, ("c1", "get_weather"))
    await visitor.page.get_by_label("Result of get_weather").fill("<b>fog</b>")
    await visitor.page.get_by_role("button", name="Give this result").click()
    [result] = await endpoint.wait_for("conversation.item.create")
    assert result["item"]["output"] == "<b>fog</b>"
    await visitor.page.get_by_role("log").get_by_text("→ <b>fog</b>").wait_for()


async def test_a_wrong_tool_says_so_and_is_not_offered(visit, endpoint):
    visitor = await visit(endpoint.url + "#shape")
    await visitor.page.get_by_role("button", name="Add a tool").click()
    await visitor.page.get_by_label("JSON schema").fill("{")
    await visitor.page.get_by_label("JSON schema").press("Tab")
    await visitor.page.get_by_text("The schema is no JSON").wait_for()
    await visitor.start()
    [update] = endpoint.sent("session.update")
    assert not update["session"].get("tools")


async def test_any_event_can_be_sent(visit, endpoint):
    visitor = await visit(endpoint.url + "#shape")
    await visitor.start()
    await visitor.page.get_by_label("Begin with").select_option("conversation.item.retrieve")
    await visitor.page.get_by_text("Ask for an item, audio included.").wait_for()
    await visitor.page.get_by_role("button", name="Dispatch").click()
    [sent] = await endpoint.wait_for("conversation.item.retrieve")
    assert sent["item_id"]
    await visitor.page.get_by_label("The event").fill('{"no": "type"}')
    await visitor.page.get_by_role("button", name="Dispatch").click()
    await visitor.page.get_by_text('Expected a "type"').wait_for()


async def test_items_are_heard_again_retried_and_deleted(visit, endpoint):
    visitor = await visit(endpoint.url)
    await visitor.start()
    await hold(visitor, endpoint)
    log = visitor.page.get_by_role("log")
    await log.get_by_text("It is a fine day today.").wait_for()
    await visitor.state("Ready")
    you, voice = log.get_by_role("listitem").nth(0), log.get_by_role("listitem").nth(1)
    await you.get_by_role("button", name="Play").click()
    await you.get_by_role("button", name="Play").wait_for()
    await voice.get_by_role("button", name="Play").click()
    await voice.get_by_role("button", name="Silence").click()
    await voice.get_by_role("button", name="Again").click()
    await endpoint.wait_for("conversation.item.delete")
    await endpoint.wait_for("response.create", 2)
    await visitor.state("Ready")
    await you.get_by_role("button", name="Delete").click()
    await endpoint.wait_for("conversation.item.delete", 2)
    await you.get_by_role("button", name="Inspect").click()
    await visitor.page.get_by_role("listbox", name="Events").wait_for()
    assert visitor.complaints == []


async def test_a_call_carries_the_talk(visit):
    async with gateway(engine("I am ", "well.")) as running:
        microphone = phrase(0.6, 0.8, 8)
        visitor = await visit(running.url("/#shape"), microphone=microphone, before=RAW_MICROPHONE)
        await visitor.page.get_by_label("Carried by").select_option("webrtc")
        await visitor.page.get_by_label("Hands-free").check()
        await visitor.start(ready="Listening")
        log = visitor.page.get_by_role("log")
        await log.get_by_text("I am well.").wait_for()
        await visitor.page.get_by_role("link", name="Inspect").click()
        await visitor.page.get_by_role("option", name="output_audio_buffer.started").wait_for()
        assert await visitor.page.get_by_role("option", name="response.output_audio.delta").count() == 0
        assert visitor.complaints == []


KEEP_PLAYERS = """
window.players = [];
window.Audio = class extends Audio { constructor() { super(); window.players.push(this); } };
"""


async def test_a_call_plays_at_the_chosen_loudspeaker(visit):
    """It is chosen during a call, stays chosen, and the next call has it from the start."""
    async with gateway(engine("Good.")) as running:
        visitor = await visit(running.url("/#shape"), microphone=phrase(60), before=KEEP_PLAYERS)
        page = visitor.page
        await page.get_by_label("Carried by").select_option("webrtc")
        await page.get_by_label("Hands-free").check()
        await visitor.start(ready="Listening")
        loudspeaker = page.get_by_label("Loudspeaker")
        await loudspeaker.select_option("Fake Audio Output 2")
        chosen = await loudspeaker.input_value()
        assert chosen
        await page.wait_for_function("(id) => window.players.at(-1).sinkId === id", arg=chosen)
        await page.get_by_role("link", name="Talk").click()
        await page.get_by_role("link", name="Shape").click()
        await expect(loudspeaker).to_have_value(chosen)
        await page.get_by_role("button", name="End", exact=True).click()
        for transport in ("websocket", "webrtc"):
            await page.get_by_label("Carried by").select_option(transport)
        await visitor.start(ready="Listening")
        await page.wait_for_function(
            "(id) => window.players.length === 2 && window.players[1].sinkId === id", arg=chosen
        )
        assert visitor.complaints == []
