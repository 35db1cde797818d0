"""No view of the console has anything that axe finds wrong, in light and dark, wide and narrow."""

from pathlib import Path

import pytest

from .test_inspect import WIRE

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
SIZES = {"wide": (1400, 900), "narrow": (390, 780)}

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.skipif(not AXE.exists(), reason="needs `npm install` for axe"),
]


async def violations(page):
    """Return what axe finds, in words."""
    await page.evaluate(AXE.read_text())
    found = await page.evaluate("async () => (await axe.run()).violations")
    return [
        f"{one['id']}: {one['help']}: {node['target']} {node['html'][:200]}"
        for one in found
        for node in one["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("view", ["talk", "inspect", "measure", "shape"])
async def test_a_session(visit, endpoint, view, size, scheme):
    width, height = SIZES[size]
    options = {"viewport": {"width": width, "height": height}, "color_scheme": scheme}
    visitor = await visit(f"{endpoint.url}#{view}", **options)
    if view == "shape":
        await visitor.page.get_by_role("button", name="Add a tool").click()
    await visitor.session("session.write('Good morning')")
    await visitor.until(
        "session.conversation.items.length > 1 && !session.playing && !session.responses.busy"
    )
    if view == "inspect":
        await visitor.page.get_by_role("option", name="response.done").click()
    assert await violations(visitor.page) == []


async def test_before_anything(visit, endpoint):
    visitor = await visit(endpoint.url)
    assert await violations(visitor.page) == []


async def test_a_recording(visit, endpoint):
    visitor = await visit(endpoint.url + "#inspect")
    await visitor.page.get_by_label("Import").set_input_files(WIRE)
    await visitor.page.get_by_text(WIRE.name).wait_for()
    assert await violations(visitor.page) == []
