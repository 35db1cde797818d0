"""Start a real Home Assistant with the integration, beside an engine that answers it: ``make try-homeassistant``.

What it keeps lies in ``.try-homeassistant``: the configuration, the password that was made at the first start, and the
two ports. Ctrl-C stops both. Options of ``vivavoce serve`` are passed on, such as ``ARGS="--engine-profile small"``.
"""

import asyncio
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import aiohttp
from demo import CONFIGURATION, DASHBOARD, furnish
from home_assistant import HomeAssistant, NotStarted, free_port

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".try-homeassistant"
RELEASE = "2026.11"
KEPT = "try-it.json"


@dataclass
class Kept:
    """What is the same at each start."""

    password: str
    server_port: int
    token: str = ""
    user: str = "viva"
    port: int = 8123


def python() -> str:
    """Return the Python that has Home Assistant, made at the first start; exit where it cannot be had."""
    environment = ROOT / "tests" / "homeassistant" / "environment"
    say(f"Looking for Home Assistant {RELEASE}; the first start installs it, which takes about a minute.")
    found = subprocess.run(["bash", environment, RELEASE], stdout=subprocess.PIPE, text=True, check=False)  # noqa: S603, S607
    if found.returncode:
        sys.exit(
            f"A Home Assistant {RELEASE} cannot be run here, for the reason above.\n"
            "Copy the integration into one of your own instead: see docs/home-assistant/set-it-up.md."
        )
    return found.stdout.strip()


def say(text: str) -> None:
    """Tell who is trying it, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def kept() -> Kept:
    """Return what is kept; at the first start, with a password and a port for the server."""
    file = FOLDER / KEPT
    if file.exists():
        return Kept(**json.loads(file.read_text("utf-8")))
    return Kept(password=secrets.token_urlsafe(9), server_port=free_port(8000))


def keep(what: Kept) -> None:
    """Keep it, for the eyes of its owner only."""
    file = FOLDER / KEPT
    file.touch(mode=0o600)
    file.write_text(json.dumps(asdict(what), indent=2), "utf-8")


@asynccontextmanager
async def server(port: int, options: list[str]) -> AsyncIterator[None]:
    """Run the server; it is entered when its engine is loaded."""
    program = Path(sys.executable).with_name("vivavoce")
    running = await asyncio.create_subprocess_exec(
        program,
        *("serve", "--port", str(port), *options),
        env={"VIVAVOCE_HISTORY_FOLDER": str(FOLDER / "history"), **os.environ},
        start_new_session=True,  # Ctrl-C reaches it through us
    )
    try:
        while not await ready(port):
            if running.returncode is not None:
                sys.exit("The engine could not be started.")
            await asyncio.sleep(0.2)
        yield
    finally:
        with suppress(ProcessLookupError):
            running.terminate()
        await running.wait()


async def ready(port: int) -> bool:
    """Whether the server answers, and its engine is loaded."""
    with suppress(aiohttp.ClientError):
        async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{port}/ready") as answer:
            return answer.ok
    return False


def install() -> None:
    """Copy the integration, as it is built now, to where Home Assistant looks for it."""
    built = FOLDER / "built"
    build = [sys.executable, str(ROOT / "custom_components" / "build.py"), str(built)]
    subprocess.run(build, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own words
    shutil.rmtree(FOLDER / "custom_components", ignore_errors=True)
    shutil.copytree(built / "custom_components", FOLDER / "custom_components")


async def main(options: list[str]) -> None:
    """Run both until they are asked to stop."""
    ourselves = asyncio.current_task()
    assert ourselves is not None
    for one in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(one, ourselves.cancel)
    with suppress(asyncio.CancelledError):
        await run(options)


async def run(options: list[str]) -> None:
    """Start both, tell where they are, and stop them when this is cancelled."""
    interpreter = python()
    first = not (FOLDER / KEPT).exists()
    if first:  # what a start left that was broken off
        shutil.rmtree(FOLDER, ignore_errors=True)
    install()
    what = kept()
    port, server_port = free_port(what.port), free_port(what.server_port)
    home = HomeAssistant(interpreter, FOLDER, port)
    home.token = what.token
    home.configure(CONFIGURATION)
    async with server(server_port, options):
        say("Starting Home Assistant.")
        try:
            await home.start()
            endpoint = f"http://127.0.0.1:{server_port}/v1"
            if first:
                what.token = await home.onboard(what.user, what.password)
                await furnish(home, endpoint)
            elif server_port != what.server_port:
                await move(home, endpoint)
            keep(replace(what, port=port, server_port=server_port))
            if not is_elsewhere(options):
                say("The model reads about the house; what it has read, it keeps.")
                await home.action("openai_realtime.send_message", message="Hello.")
            tell(home, what)
            await asyncio.Event().wait()
        except NotStarted as error:
            sys.exit(str(error))
        finally:
            say("Stopping Home Assistant.")
            await home.stop()


def is_elsewhere(options: list[str]) -> bool:
    """Whether it is another endpoint than the engine that answers: its first answer may cost something."""
    return bool(os.environ.get("VIVAVOCE_UPSTREAM")) or any(one.startswith("--upstream") for one in options)


def tell(home: HomeAssistant, what: Kept) -> None:
    """Say where it is."""
    say(
        f"\nHome Assistant:  {home.url}/{DASHBOARD}\n"
        f"User, password:  {what.user}  {what.password}\n"
        "Ask it to turn on the kitchen light, or whether the front door is locked. Ctrl-C stops it.\n"
    )
    if shutil.which("ffmpeg") is None:
        say("FFmpeg is missing: satellites and the Assist dialogue will not be heard, the card will.\n")


async def move(home: HomeAssistant, endpoint: str) -> None:
    """Tell the integration the server's new address: another program had its port."""
    (entry,) = await home.command("config_entries/get", domain="openai_realtime")
    await home.flow("openai_realtime", {"url": endpoint}, entry_id=entry["entry_id"])


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
