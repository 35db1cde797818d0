"""The examples in a real browser, as they stand in the repository."""

import asyncio
import importlib.util
import json
import shutil
import socket
import subprocess
from contextlib import asynccontextmanager

import pytest
import uvicorn
from aiohttp import web

from tests.gateway.doubles import gateway
from vivavoce.web import FOLDER

from .npm_modules import PACKAGES, ROOT, as_modules, installed
from .site import Site
from .test_element import state
from .test_gateway import engine, phrase
from .test_page import RAW_MICROPHONE

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

EXAMPLES = ROOT / "examples"
COMPILER = ROOT / "node_modules" / ".bin" / "tsc"
SERVER = "http://localhost:8000"
REACT_PAGE = """<!doctype html><meta charset="utf-8"><title>React</title><link rel="icon" href="data:,">
<script type="importmap">{"imports": %s}</script>
<div id="root"></div><script type="module" src="/main.js"></script>
"""


@asynccontextmanager
async def served(handler):
    """Run an application of one handler, for all paths, on a free port; yield its origin."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://localhost:{runner.addresses[0][1]}"
    await runner.cleanup()


async def look_at(visit, origin, microphone):
    visitor = await visit(origin, microphone=microphone, before=RAW_MICROPHONE)
    visitor.page.set_default_timeout(20_000)
    return visitor


async def test_the_plain_page(visit):
    async def page(_request):
        text = (EXAMPLES / "plain" / "index.html").read_text().replace(SERVER, f"http://localhost:{port}")
        return web.Response(text=text, content_type="text/html")

    async with served(page) as origin, gateway(engine("Good morning!"), allowed_origins=[origin]) as running:
        port = running.port
        visitor = await look_at(visit, origin, phrase(3.0, 0.8, 60))
        await visitor.page.get_by_text("Press the button and ask for bread.").wait_for()
        await visitor.page.get_by_role("button", name="Start").click()
        await visitor.page.get_by_role("log").get_by_text("Good morning!").first.wait_for()
        await visitor.page.locator("#heard").get_by_text("How are you?").wait_for()
        assert visitor.complaints == []


@pytest.mark.skipif(not installed() or not COMPILER.exists(), reason="needs `npm install` for React")
async def test_the_react_application(visit, tmp_path):
    options = [
        "--ignoreConfig",
        "--allowJs",
        "--jsx",
        "react-jsx",
        "--module",
        "esnext",
        "--target",
        "es2022",
    ]
    sources = [str(shutil.copy(EXAMPLES / "react" / name, tmp_path)) for name in ("App.jsx", "main.jsx")]
    shutil.copy(ROOT / "src" / "vivavoce" / "web" / "react.js", tmp_path)
    command = [str(COMPILER), *options, "--noCheck", "--outDir", str(tmp_path / "out"), *sources]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)  # noqa: ASYNC221
    assert done.returncode == 0, done.stdout
    modules, imports = as_modules(), {name: f"/npm/{name}" for name in PACKAGES}

    async def serve(request):
        path = request.match_info["path"]
        if path == "voice-key":
            return await site._key(request)
        if path == "":
            return web.Response(text=REACT_PAGE % json.dumps(imports), content_type="text/html")
        text = modules.get(path.removeprefix("npm/"))
        text = text or (tmp_path / "out" / path.replace(".jsx", ".js")).read_text()
        return web.Response(text=text.replace(SERVER, site.server), content_type="text/javascript")

    site = Site()
    async with served(serve) as origin, gateway(engine("Coming."), allowed_origins=[origin]) as running:
        site.server = f"http://localhost:{running.port}"
        visitor = await look_at(visit, origin, phrase(60))
        await visitor.page.get_by_role("button", name="Start").click()
        await visitor.page.locator("strong").get_by_text("listening").wait_for()
        await visitor.page.get_by_role("button", name="Order as always").click()
        await visitor.page.get_by_role("listitem").get_by_text("user: One green tea, please.").wait_for()
        await visitor.page.get_by_role("listitem").get_by_text("assistant: Coming.").wait_for()
        await state(visitor, "Listening")
        assert len(site.keys) == 1
        assert visitor.complaints == []


REACT_BELOW = """
import {createElement} from 'react';
import {createRoot} from 'react-dom/client';
import {RealtimeVoice} from '/react.js';
const root = createRoot(document.querySelector('#root'));
const onProblem = (problem) => { window.problem = problem; };
window.show = (server) => root.render(createElement(RealtimeVoice, {server, onProblem}));
"""


async def below(request):
    """Serve the element below a path, as a reverse proxy does, and a page of React."""
    path = request.match_info["path"]
    modules, imports = as_modules(), {name: f"/npm/{name}" for name in PACKAGES}
    if path == "":
        return web.Response(text=REACT_PAGE % json.dumps(imports), content_type="text/html")
    if path.startswith("voice/web/"):
        return web.FileResponse(FOLDER / path.removeprefix("voice/web/"))
    served = {"main.js": REACT_BELOW, "react.js": (FOLDER / "react.js").read_text()}
    text = served.get(path) or modules.get(path.removeprefix("npm/"))
    if text is None:
        raise web.HTTPNotFound
    return web.Response(text=text, content_type="text/javascript")


@pytest.mark.skipif(not installed(), reason="needs `npm install` for React")
async def test_a_server_below_a_path(visit):
    """The element comes from there and talks with it; where it does not come, React is told."""
    async with served(below) as origin:
        visitor = await visit(origin)
        await visitor.page.wait_for_function("() => window.show")
        await visitor.page.evaluate("window.show('/nowhere')")
        await visitor.page.wait_for_function("() => window.problem?.code === 'server-unreachable'")
        assert "/nowhere/web/realtime-voice.js" in await visitor.page.evaluate("window.problem.detail")
        await visitor.page.evaluate("window.show('http://')")
        await visitor.page.wait_for_function("() => window.problem.detail.includes('Invalid URL')")
        for server in ("/voice", "/voice/v1/realtime?token=a"):
            await visitor.page.evaluate("(server) => window.show(server)", server)
            await visitor.page.get_by_role("button", name="Start").wait_for()
        default = "document.createElement('realtime-voice').server"
        assert await visitor.page.evaluate(default) == f"{origin}/voice/"
        assert [one for one in visitor.complaints if "404" not in one] == []


async def test_the_fastapi_application(visit, monkeypatch):
    pytest.importorskip("fastapi", reason="needs FastAPI")
    spec = importlib.util.spec_from_file_location("example", EXAMPLES / "fastapi" / "app.py")
    example = importlib.util.module_from_spec(spec)
    with socket.create_server(("127.0.0.1", 0)) as door:
        origin = f"http://localhost:{door.getsockname()[1]}"
        async with gateway(engine("A book."), allowed_origins=[origin]) as running:
            monkeypatch.setenv("VOICE_SERVER", f"http://localhost:{running.port}")
            spec.loader.exec_module(example)
            server = uvicorn.Server(uvicorn.Config(example.app, log_level="error", lifespan="off"))
            serving = asyncio.create_task(server.serve(sockets=[door]))
            visitor = await look_at(visit, origin, phrase(60))
            await visitor.page.get_by_role("button", name="Start").click()
            await visitor.page.get_by_role("log").get_by_text("A book.").wait_for()
            assert visitor.complaints == []
            server.should_exit = True
            await serving
