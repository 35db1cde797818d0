"""What readers from right to left see, and those who want no motion."""

import pytest

from .test_element import opened, shop, state
from .test_gateway import engine

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

BOXES = """() => {
  const boxes = [];
  const look = (root) => {
    for (const element of root.querySelectorAll('*')) {
      const {left, right, top, width} = element.getBoundingClientRect();
      const name = element.getAttribute('part') ?? element.localName;
      const boxed = element instanceof HTMLElement && getComputedStyle(element).display !== 'inline';
      if (width && boxed) boxes.push([name, left, innerWidth - right, top]);
      if (element.shadowRoot) look(element.shadowRoot);
    }
  };
  look(document.querySelector('realtime-voice').shadowRoot);
  return boxes;
}"""


async def boxes(visit, direction):
    """Return what the element shows in a session: name, pixels from the left and from the right, and from above."""
    async with shop(engine("Good."), 'token-url="/voice-key"', direction=direction) as site:
        visitor = await opened(visit, site, reduced_motion="reduce")
        await visitor.page.get_by_label("Message").fill("Hello?")
        await visitor.page.keyboard.press("Enter")
        await state(visitor, "Speaking")
        await state(visitor, "Ready")
        return await visitor.page.evaluate(BOXES)


async def test_the_element_is_mirrored_from_right_to_left(visit):
    plain, mirrored = [await boxes(visit, direction) for direction in ("ltr", "rtl")]
    assert {"state", "end", "item user", "item assistant", "input"} <= {name for name, *_ in plain}
    turned = [(name, right, left, top) for name, left, right, top in mirrored]
    assert [name for name, *_ in plain] == [name for name, *_ in turned]
    for (name, *there), (_, *here) in zip(plain, turned, strict=True):
        assert there == pytest.approx(here, abs=1), name


LOUD = """async () => {
  const inside = document.querySelector('voice-page').renderRoot;
  const [button, waves] = ['voice-button', 'voice-waves'].map((name) => inside.querySelector(name));
  const canvas = waves.renderRoot.querySelector('canvas');
  let heard = 0;
  const levels = () => { heard++; return {input: 0.1, output: 0.1}; };
  const picture = async (bars) => {
    while (heard < bars) await new Promise(requestAnimationFrame);
    return canvas.toDataURL();
  };
  waves.levels = levels;
  button.levels = () => ({input: 0.1, output: 0.1});
  button.phase = 'thinking';
  waves.running = true;
  const [one, other] = [await picture(5), await picture(10)];
  return {
    turns: button.renderRoot.getAnimations().length > 0,
    breathes: getComputedStyle(button.renderRoot.querySelector('.halo')).transform !== 'none',
    scrolls: one !== other,
    shows: one !== await (waves.levels = () => ({input: heard++ && 0, output: 0}), picture(heard + 20)),
  };
}"""


@pytest.mark.parametrize(("wanted", "moves"), [("no-preference", True), ("reduce", False)])
async def test_nothing_moves_for_whoever_wants_no_motion(visit, endpoint, wanted, moves):
    """The level of the voices is shown all the same."""
    visitor = await visit(endpoint.url, reduced_motion=wanted)
    found = await visitor.page.evaluate(LOUD)
    assert found == {"turns": moves, "breathes": moves, "scrolls": moves, "shows": True}
    assert visitor.complaints == []
