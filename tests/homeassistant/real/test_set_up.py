"""Set up in the browser, as people do it."""

from vivavoce.testing import Turn

DOMAIN = "openai_realtime"


async def test_an_endpoint_is_added_in_the_browser(hass, visit, endpoint):
    url = await endpoint(Turn(expect="Hello there.", say="Good day."))
    page = await visit("/config/integrations/dashboard")
    await page.get_by_role("button", name="Add integration").click()
    await page.locator("dialog-add-integration input").first.fill("Viva Voce")
    await page.locator("dialog-add-integration").get_by_text("Viva Voce: OpenAI Realtime").first.click()
    await page.get_by_text("A Viva Voce server in your network").click()
    await page.locator("step-flow-form input").first.fill(url)
    await page.get_by_role("button", name="Submit").click()
    await page.locator("step-flow-create-entry").wait_for()
    (entry,) = await hass.command("config_entries/get", domain=DOMAIN)
    assert (entry["title"], entry["state"]) == ("Viva Voce", "loaded")
    answer = await hass.action("openai_realtime.send_message", message="Hello there.")
    assert answer["response"] == "Good day."
    await hass.delete(f"/api/config/config_entries/entry/{entry['entry_id']}")
