"""The card on a dashboard of a real Home Assistant, in a browser: spoken to, written to, without a microphone."""

from conftest import CARD, QUESTION

from vivavoce.testing import Expect, FunctionCall, Turn


async def write(card, words):
    """Write to the agent, as people do."""
    await card.get_by_label("Message").fill(words)
    await card.get_by_label("Message").press("Enter")


async def test_the_kitchen_light_is_turned_on_by_voice(hass, endpoint, added, card, asking):
    answer = "The kitchen light is on, and so is the kettle."
    url = await endpoint(
        Turn(hear=QUESTION, call=FunctionCall("intent__HassTurnOn", {"name": "Kitchen light"})),
        Turn(expect=Expect(output_matches="action_done"), say=answer),
        after="repeat",
        complete=False,  # the microphone asks until the page is closed
    )
    await added(url)
    await hass.action("light.turn_off", response=False, entity_id="light.kitchen_light")
    shown = await card(microphone=asking, mode="hands-free")
    await shown.get_by_role("button", name="Start").click()
    await hass.until("{{ is_state('light.kitchen_light', 'on') }}", seconds=90)
    for words in (QUESTION, answer):
        await shown.locator("voice-transcript").filter(has_text=words).wait_for()
    element = await shown.element_handle()
    await shown.page.wait_for_function(
        "card => card.levels().output > 0.01", arg=element, polling=50
    )  # is heard


async def test_cards_of_a_page_show_one_session(endpoint, added, dashboard, visit):
    await added(await endpoint(Turn(expect="Hello there.", say="Good day.")))
    page = await visit(await dashboard(CARD, CARD | {"title": "Here too", "show_text_input": False}))
    first, second = (page.locator("openai-realtime-card").nth(at) for at in (0, 1))
    await write(first, "Hello there.")
    for one in (first, second):
        await one.locator("voice-transcript").filter(has_text="Good day.").wait_for()
    assert await second.get_by_label("Message").count() == 0
    await second.get_by_role("button", name="End").click()
    await first.get_by_role("status").filter(has_text="Not connected").wait_for()


async def test_without_a_microphone_it_says_so_and_is_written_to(endpoint, added, card):
    await added(await endpoint(Turn(expect="Hello there.", say="Good day.")))
    shown = await card()
    await shown.page.evaluate(
        """() => {
            const refused = new DOMException('', 'NotAllowedError');
            navigator.mediaDevices.getUserMedia = () => Promise.reject(refused);
        }"""
    )
    await shown.get_by_role("button", name="Start").click()
    await shown.get_by_role("alert").filter(has_text="The microphone is blocked").wait_for()
    await write(shown, "Hello there.")
    await shown.locator("voice-transcript").filter(has_text="Good day.").wait_for()


async def test_it_is_chosen_and_edited_without_yaml(hass, endpoint, added, dashboard, visit):
    await added(await endpoint(Turn(expect="Unheard.", say="Unheard."), after="repeat", complete=False))
    path = await dashboard()
    page = await visit(f"{path}?edit=1")
    await page.get_by_role("button", name="Add card").first.click()
    await page.get_by_text("By card").click()
    await page.get_by_placeholder("Search cards").fill("OpenAI Realtime")
    await page.locator("hui-card-picker .card", has_text="OpenAI Realtime").first.click()
    editor = page.locator("hui-dialog-edit-card")
    await editor.locator("ha-selector-text input").first.fill("The house")
    await editor.locator("ha-selector-boolean", has_text="Show the waveform").locator("ha-switch").click()
    preview = editor.locator("openai-realtime-card")
    await preview.locator("h2", has_text="The house").wait_for()
    await preview.locator("voice-waves").wait_for(state="detached")
    await editor.get_by_text("Save", exact=True).click()
    await editor.wait_for(state="hidden")
    kept = await hass.command("lovelace/config", url_path=path.split("/")[1])
    assert kept["views"][0]["cards"] == [{"type": CARD["type"], "title": "The house", "show_waveform": False}]
