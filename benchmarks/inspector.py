"""What a log of 100,000 events costs the console's Inspect view: frame times and memory, in a headless Chromium.

The page is filled with the events of talk by voice, with all the sound in them, and then looked at: while nothing
happens, while a session goes on at its own rate, while one scrolls through all of it, filters it, and unfolds its
deltas. The same is measured of the page before much is in it, in the same run: what differs is the log. Frame times
are what a user sees, and other load of the machine is in them; the processor time of the page's own thread, for each
frame, has none of it. The log's bound of characters is lifted: so much sound would reach it at some 80,000 events.

    .venv/bin/python benchmarks/inspector.py
    .venv/bin/python benchmarks/inspector.py --events 20000 --seconds 5

Needs `chromium` and the development tools (`make .venv/dev.stamp`).
"""

import argparse
import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from playwright.async_api import CDPSession, Page, async_playwright

from vivavoce import web as assets
from vivavoce.gateway.routes.page import page_headers

FRAME_BUDGET_MS = 50.0
"""From here on a frame counts as a stutter: three of 60 Hz."""

TOOLS = """
const studio = document.querySelector('voice-page').studio;
const sound = btoa('\\u0001\\u0000'.repeat(960));
let clock = Date.now(), turn = 0;
studio.log.mostCharacters = Infinity;
const tell = (dir, event, ms) => {
  clock += ms;
  const entry = studio.log.add(dir, event, clock);
  studio.turns.feed(entry);
  studio.dispatchEvent(new CustomEvent('event', {detail: entry}));
};
function* talk() {
  for (;;) {
    const id = ++turn, item = `item_u${id}`, answer = `item_a${id}`, response_id = `resp_${id}`;
    const of = {response_id, item_id: answer, output_index: 0, content_index: 0};
    yield ['S', {type: 'input_audio_buffer.speech_started', audio_start_ms: 0, item_id: item}];
    for (let at = 0; at < 75; at++) yield ['C', {type: 'input_audio_buffer.append', audio: sound}];
    yield ['S', {type: 'input_audio_buffer.speech_stopped', audio_end_ms: 3000, item_id: item}];
    yield ['S', {type: 'input_audio_buffer.committed', item_id: item}];
    yield ['S', {type: 'response.created', response: {id: response_id, status: 'in_progress', output: []}}];
    const begun = {id: answer, type: 'message', role: 'assistant'};
    yield ['S', {type: 'response.output_item.added', response_id, item: begun}];
    for (let at = 0; at < 125; at++) {
      yield ['S', {type: 'response.output_audio.delta', ...of, delta: sound}];
      yield ['C', {type: 'input_audio_buffer.append', audio: sound}];
      if (at % 6 === 0) yield ['S', {type: 'response.output_audio_transcript.delta', ...of, delta: ` word${at}`}];
    }
    const usage = {total_tokens: 400, input_tokens: 300, output_tokens: 100};
    yield ['S', {type: 'response.done', response: {id: response_id, status: 'completed', output: [], usage}}];
  }
}
const events = talk();
const next = (ms) => tell(...events.next().value, ms);
window.bench = {
  fill: async (count) => {
    while (studio.log.entries.length < count) {
      for (let at = 0; at < 2000 && studio.log.entries.length < count; at++) next(17);
      await new Promise(requestAnimationFrame);
    }
  },
  frames: async (seconds, rate, act) => {
    const times = [];
    const began = performance.now();
    let before = began, told = 0, count = 0;
    while (before - began < seconds * 1000) {
      const now = await new Promise(requestAnimationFrame);
      times.push(now - before);
      before = now;
      for (; told < ((now - began) / 1000) * rate; told++) next(17);
      act?.(count++);
    }
    return times.slice(2);
  },
  find: (selector, root = document) => {
    for (const node of root.querySelectorAll('*')) {
      if (node.matches(selector)) return node;
      const found = node.shadowRoot && window.bench.find(selector, node.shadowRoot);
      if (found) return found;
    }
    return null;
  },
  size: (root = document) => [...root.querySelectorAll('*')].reduce(
    (sum, node) => sum + 1 + (node.shadowRoot ? window.bench.size(node.shadowRoot) : 0), 0),
};
"""
"""What the page gets: talk in events of both directions, some 60 a second, and a watch for its frames."""

ACTS = {
    "nothing happens": (0, "null"),
    "a session goes on": (60, "null"),
    "scrolling": (
        0,
        "(at) => bench.find('event-list').scrollBy(0, (Math.floor(at / 120) % 2 ? -1 : 1) * 900)",
    ),
    "scrolling, a session goes on": (
        60,
        "(at) => bench.find('event-list').scrollBy(0, (Math.floor(at / 120) % 2 ? -1 : 1) * 900)",
    ),
    "typing a filter": (
        0,
        """(at) => {
          if (at % 30) return;
          const field = bench.find('input[type=search]');
          field.value = 'word124'.slice(0, Math.floor(at / 30) % 8);
          field.dispatchEvent(new InputEvent('input'));
        }""",
    ),
    "deltas unfolded and folded": (
        0,
        """(at) => {
          if (at % 60 === 30) [...bench.find('event-panel').shadowRoot.querySelectorAll('button')]
            .find((one) => one.textContent === 'Fold deltas').click();
        }""",
    ),
}
"""What is done while frames are watched: events for each second, and a function that is called at each frame."""


@asynccontextmanager
async def serving() -> AsyncIterator[str]:
    """Serve the page, and no session; give its address."""
    app = web.Application()

    async def send(request: web.Request) -> web.StreamResponse:
        name = request.match_info.get("name", "index.html")
        return web.FileResponse(assets.FOLDER / name, headers=page_headers())

    app.router.add_get("/", send)
    app.router.add_get("/web/{name:.+}", send)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "localhost", 0).start()
    try:
        yield f"http://localhost:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


async def busy(cdp: CDPSession) -> float:
    """Return the milliseconds of processor time that the page's thread has had."""
    metrics = await cdp.send("Performance.getMetrics")
    return next(float(one["value"]) for one in metrics["metrics"] if one["name"] == "TaskDuration") * 1000


async def heap(cdp: CDPSession) -> float:
    """Return the megabytes of JavaScript that are in use."""
    await cdp.send("HeapProfiler.collectGarbage")
    metrics = await cdp.send("Performance.getMetrics")
    return next(float(one["value"]) for one in metrics["metrics"] if one["name"] == "JSHeapUsedSize") / 1e6


async def watch(page: Page, cdp: CDPSession, seconds: float, title: str) -> None:
    """Do each of the acts for a while, and print what the frames took."""
    print(f"\n{title:<32}{'p50':>8}{'p95':>8}{'worst':>8}{'over 50 ms':>12}{'processor':>11}")
    for name, (rate, act) in ACTS.items():
        before = await busy(cdp)
        times = sorted(await page.evaluate(f"bench.frames({seconds}, {rate}, {act})"))
        spent = (await busy(cdp) - before) / len(times)
        late = f"{sum(time > FRAME_BUDGET_MS for time in times)} of {len(times)}"
        p50, p95 = (times[int(len(times) * share)] for share in (0.5, 0.95))
        print(f"  {name:<30}{p50:>8.1f}{p95:>8.1f}{times[-1]:>8.1f}{late:>12}{spent:>11.2f}", flush=True)
    nodes = await page.evaluate("bench.size()")
    print(f"  {nodes} elements in the page, {await heap(cdp):.0f} MB of JavaScript")


async def run(events: int, seconds: float) -> None:
    """Measure the page as it is at first, and with a log of so many events."""
    async with serving() as url, async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = await browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(300_000)
        cdp = await page.context.new_cdp_session(page)
        await cdp.send("Performance.enable", {"timeDomain": "threadTicks"})
        await page.goto(url + "#inspect")
        await page.evaluate(TOOLS)
        await page.evaluate("bench.fill(40)")
        await watch(page, cdp, seconds, "the first events, ms a frame")
        await page.evaluate(f"bench.fill({events})")
        await watch(page, cdp, seconds, f"{events:,} events, ms a frame")
        await browser.close()


def main() -> None:
    """Read the options, and measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=8.0, help="of each act")
    options = parser.parse_args()
    asyncio.run(run(options.events, options.seconds))


if __name__ == "__main__":
    main()
