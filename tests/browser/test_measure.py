"""Measure: how long each turn took, and what it took in tokens, of the session and of a recording."""

from pathlib import Path

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

WIRE = Path(__file__).parents[1] / "wire" / "test_openai_ws__test_tool_call_round.jsonl"


async def test_a_turn_is_a_waterfall(visit, endpoint):
    visitor = await visit(endpoint.url + "#measure")
    await visitor.page.get_by_text("Each turn will stand here").wait_for()
    await visitor.session("session.write('Good morning')")
    turn = visitor.page.get_by_role("article")
    await turn.get_by_role("heading", name="Good morning").wait_for()
    await turn.get_by_text("heard").wait_for()
    stages = await turn.locator("dt").all_inner_texts()
    assert stages == ["response begun", "first words", "first sound", "heard"]
    assert all(text.endswith((" ms", " s")) for text in await turn.locator(".number").all_inner_texts())
    assert visitor.complaints == []


async def test_a_recording_is_measured(visit, endpoint):
    visitor = await visit(endpoint.url + "#inspect")
    await visitor.page.get_by_label("Import").set_input_files(WIRE)
    await visitor.page.get_by_text(WIRE.name).wait_for()
    await visitor.page.get_by_role("link", name="Measure").click()
    await visitor.page.get_by_role("heading", name=f"The wait for an answer in {WIRE.name}").wait_for()
    table = visitor.page.get_by_role("table", name="Tokens")
    assert await table.get_by_role("row").count() == 3
    assert await visitor.page.get_by_role("article").count() >= 2


async def test_what_it_cost_is_reckoned_with_prices_that_can_be_changed(visit, endpoint):
    visitor = await visit(endpoint.url + "#inspect")
    page = visitor.page
    await page.get_by_label("Import").set_input_files(WIRE)
    await page.get_by_role("link", name="Measure").click()
    cost = page.locator("cost-table")
    together = cost.locator("dd").first
    await cost.get_by_text("Nobody has told what it costs").wait_for()
    assert await together.inner_text() == "–"
    for label in ("text in", "text out", "audio in", "audio out"):
        await cost.get_by_label(label, exact=True).fill("1000")
        await cost.get_by_label(label, exact=True).press("Tab")
    await cost.get_by_text("Your own, kept in this browser.").wait_for()
    assert float((await together.inner_text()).removeprefix("$")) > 0
    assert "$" in await page.get_by_role("article").first.inner_text()
    await page.reload()
    await page.get_by_role("link", name="Inspect").click()
    await page.get_by_label("Import").set_input_files(WIRE)
    await page.get_by_role("link", name="Measure").click()
    await cost.get_by_text("Prices, in US dollars").click()
    await cost.get_by_role("button", name="Forget them").click()
    await cost.get_by_text("Nobody has told what it costs").wait_for()
    assert visitor.complaints == []


async def test_the_built_in_engine_costs_nothing(visit, endpoint):
    endpoint.script.health = {"status": "ready", "engine": {"profile": "small"}}
    endpoint.script.usage = {"total_tokens": 5, "input_tokens": 3, "output_tokens": 2}
    visitor = await visit(endpoint.url + "#measure")
    await visitor.session("session.write('Good morning')")
    await visitor.page.get_by_text("its tokens cost nothing").wait_for()
    assert await visitor.page.locator("cost-table dd").first.inner_text() == "$0.00"
