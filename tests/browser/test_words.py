"""In another language, no English is left in the console: neither read nor read out."""

import re

import pytest

from vivavoce.web import FOLDER

from .test_inspect import WIRE
from .test_ready import arrive, call

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

SAID = re.compile(r"⟦[^⟦⟧]*⟧")
DATA = re.compile(r"[\w-]*[._][\w.-]*|gpt-[\w-]+")
"""Names of the protocol: of events, fields, models."""
NAMES = {"Viva Voce", "WebSocket", "WebRTC"}
OTHERS = ("Fake Default Audio Input", "Fake Default Audio Output")
"""What the browser calls its devices."""

SHOWN = """() => {
  const looked = ':not(style, script, json-view, .call, .words, .answer, .about, .name *)';
  const names = ['alt', 'aria-label', 'aria-valuetext', 'label', 'placeholder', 'title'];
  const found = [];
  const look = (root) => {
    for (const element of root.querySelectorAll(looked)) {
      if (element.checkVisibility()) {
        for (const name of names) if (element.hasAttribute(name)) found.push(element.getAttribute(name));
        for (const node of element.childNodes) if (node.nodeType === Node.TEXT_NODE) found.push(node.data);
      }
      if (element.shadowRoot) look(element.shadowRoot);
    }
  };
  look(document.body);
  return found.map((text) => text.trim()).filter(Boolean);
}"""


def marked():
    """Return the module of words, made to put what it says in brackets."""
    source = (FOLDER / "words.js").read_text()
    for name in ("say", "moment"):
        source = source.replace(f"export function {name}(", f"function {name}Plainly(", 1)
        source += f"\nexport const {name} = (...said) => `⟦${{{name}Plainly(...said)}}⟧`;\n"
    return source


def left_out(texts, *told):
    """Return the texts that nobody has said, without names and what was told in the session."""

    def rest(text):
        while (shorter := SAID.sub("", text)) != text:
            text = shorter
        for known in (*OTHERS, *told):
            text = text.replace(known, "")
        return DATA.sub("", text)

    return sorted({text for text in texts if re.search(r"[^\W\d_]{2}", rest(text)) and text not in NAMES})


async def open_marked(visit, endpoint, *on):
    """Open the console with these ready-made tools on, and its words in brackets."""
    visitor, _ = await arrive(visit, endpoint)
    await visitor.page.route(
        "**/web/words.js", lambda route: route.fulfill(body=marked(), content_type="text/javascript")
    )
    await visitor.page.evaluate("location.hash = 'shape'")
    await visitor.page.reload()
    for name in on:
        await visitor.page.get_by_label(name).check()
    return visitor


async def look(visitor, view):
    """Return what is shown in a view."""
    await visitor.page.evaluate(f"location.hash = '{view}'")
    await visitor.page.evaluate(
        "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )
    return await visitor.page.evaluate(SHOWN)


@pytest.mark.parametrize("view", ["talk", "inspect", "measure", "shape"])
async def test_before_anything(visit, endpoint, view):
    visitor = await open_marked(visit, endpoint)
    assert left_out(await look(visitor, view)) == []


async def test_a_session(visit, endpoint):
    endpoint.script.usage = {"total_tokens": 9, "input_tokens": 4, "output_tokens": 5}
    visitor = await open_marked(visit, endpoint, "Weather", "Memory")
    page = visitor.page
    await page.get_by_role("button", name="Add a tool").click()
    await page.get_by_label("Result").fill("")
    await page.get_by_label("Result").press("Tab")
    await visitor.session("session.write('Good morning')")
    await visitor.until(
        "session.conversation.items.length > 1 && !session.playing && !session.responses.busy"
    )
    await call(endpoint, "tool_1", location="Ghent")
    await call(endpoint, "get_weather", "c2", location="Ghent", days=2)
    await page.locator("weather-card").get_by_text("7.5").wait_for()
    told = [
        "Good morning",
        endpoint.script.words,
        "Ghent, Flanders, Belgium",
        "km/h",
        "OpenStreetMap",
        "Natural Earth",
    ]
    for view in ("talk", "measure", "shape"):
        assert left_out(await look(visitor, view), *told) == []
    await page.get_by_role("button", name="Use a key of your own").click()
    assert left_out(await look(visitor, "shape"), *told) == []


async def test_events_and_a_recording(visit, endpoint):
    visitor = await open_marked(visit, endpoint)
    page = visitor.page
    await page.evaluate("location.hash = 'inspect'")
    await page.get_by_label("Import").set_input_files(WIRE)
    await page.get_by_role("option", name="delta").first.click()
    assert left_out(await look(visitor, "inspect"), WIRE.name) == []
