"""A Home Assistant in a folder of its own, as another process: started, onboarded, asked through its API, and stopped.

It boots without the internet: its HTTP settings are put where Home Assistant keeps them, what looks for hardware or for
other services is left out, and all steps of onboarding but the account are done, which would add such services.
"""

import asyncio
import json
import socket
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp

__all__ = ["HomeAssistant", "NotStarted", "free_port"]

COMPONENTS = (
    "assist_pipeline", "config", "conversation", "frontend", "lovelace", "media_source", "stt", "system_health", "tts",
)  # fmt: skip
"""What ``default_config`` has of use here. It has much that needs the internet, a radio or another program, and fails
as a whole where one of them is missing."""

ABOUT = {
    "name": "Home",
    "unit_system": "metric",
    "time_zone": "UTC",
    "latitude": 52.37,
    "longitude": 4.89,
    "elevation": 0,
    "country": "NL",
    "currency": "EUR",
    "language": "en",
}
HTTP = {
    "server_host": ["127.0.0.1"],
    "cors_allowed_origins": [],
    "login_attempts_threshold": -1,
    "ip_ban_enabled": True,
    "ssl_profile": "intermediate_v6",
    "use_x_frame_options": True,
    "created_at": "2026-01-01T00:00:00+00:00",
    "error": None,
    "error_message": None,
}


LOG = "home-assistant.out"
"""What it writes to the terminal, in its folder."""


class NotStarted(Exception):  # noqa: N818 - says what happened
    """Home Assistant ended, or did not answer in time; its log says more."""


def free_port(wanted: int = 0) -> int:
    """Return a port of loopback that nobody listens at: the wanted one if it is free."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", wanted))
        except OSError:
            listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class HomeAssistant:
    """One Home Assistant, whose configuration lies in ``folder``, on loopback."""

    def __init__(self, python: str, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.token = ""
        self._python = python
        self._process: subprocess.Popen[bytes] | None = None

    def configure(self, more: Mapping[str, Any] | None = None) -> None:
        """Write its configuration: what it needs, and ``more`` keys of ``configuration.yaml``."""
        (self.folder / ".storage").mkdir(parents=True, exist_ok=True)
        http = {"stable": HTTP | {"server_port": self.port}, "pending": None, "yaml_migration_done": True}
        self._store("http", 3, http)
        if not (self.folder / ".storage" / "onboarding").exists():
            self._store("onboarding", 4, {"done": ["core_config", "analytics", "integration"]})
        configuration = {"homeassistant": ABOUT, **dict.fromkeys(COMPONENTS), **(more or {})}
        (self.folder / "configuration.yaml").write_text(
            json.dumps(configuration, indent=2)
        )  # YAML knows JSON

    def _store(self, name: str, version: int, data: Mapping[str, Any]) -> None:
        kept = {"version": version, "minor_version": 1, "key": name, "data": data}
        (self.folder / ".storage" / name).write_text(json.dumps(kept))

    async def start(self, *, seconds: float = 300) -> None:
        """Start it, and return when it answers. Raises `NotStarted`."""
        out = (self.folder / LOG).open("wb")
        command = [
            self._python,
            "-m",
            "homeassistant",
            "--config",
            str(self.folder),
            "--skip-pip",
            "--log-no-color",
        ]
        with out:
            self._process = subprocess.Popen(  # noqa: ASYNC220, S603 - it returns at once; our own words
                command,
                cwd=self.folder,  # Python looks for `custom_components` there first
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches it through `stop` alone
            )
        try:
            await self._started(seconds)
        except NotStarted:
            await self.stop()
            raise

    async def _started(self, seconds: float) -> None:
        """Wait until all of its configuration is set up; without an account, until one can be made."""
        log = self.folder / LOG
        try:
            async with asyncio.timeout(seconds):
                while not await self._answers():
                    if self._process is None or self._process.poll() is not None:
                        raise NotStarted(f"Home Assistant ended: see {log}")
                    await asyncio.sleep(0.3)
        except TimeoutError as slow:
            raise NotStarted(f"Home Assistant did not answer in {seconds:g} seconds: see {log}") from slow

    async def _answers(self) -> bool:
        with suppress(aiohttp.ClientError):
            if not self.token:
                return isinstance(await self.get("/api/onboarding"), list)
            return bool((await self.get("/api/config"))["state"] == "RUNNING")
        return False

    async def stop(self) -> None:
        """Let it write down what it knows, and end."""
        if self._process is not None:
            self._process.terminate()
            try:
                await asyncio.to_thread(self._process.wait, 60)
            except subprocess.TimeoutExpired:
                self._process.kill()
            self._process = None

    async def onboard(self, name: str, password: str) -> str:
        """Make the first account; return the long-lived token that it has from now on."""
        client = f"{self.url}/"
        account = {
            "client_id": client,
            "name": name.title(),
            "username": name,
            "password": password,
            "language": "en",
        }
        code = (await self.post("/api/onboarding/users", account))["auth_code"]
        form = {"grant_type": "authorization_code", "code": code, "client_id": client}
        self.token = (await self._request("POST", "/auth/token", data=form))["access_token"]
        self.token = await self.command("auth/long_lived_access_token", client_name=name, lifespan=3650)
        await self._started(300)
        return self.token

    async def get(self, path: str) -> Any:
        """Return what is at a path of its API. Raises `aiohttp.ClientResponseError`."""
        return await self._request("GET", path)

    async def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Post to a path of its API, and return the answer. Raises `aiohttp.ClientResponseError`."""
        return await self._request("POST", path, json=dict(body or {}))

    async def delete(self, path: str) -> Any:
        """Delete what is at a path of its API. Raises `aiohttp.ClientResponseError`."""
        return await self._request("DELETE", path)

    async def _request(self, method: str, path: str, **how: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        async with (
            aiohttp.ClientSession(headers=headers) as http,
            http.request(method, self.url + path, **how) as answer,
        ):
            text = await answer.text()
            if not answer.ok:
                answer.reason = f"{answer.reason}: {text}"
            answer.raise_for_status()
            return json.loads(text) if text else None

    async def state(self, entity_id: str) -> str:
        """Return the state of an entity."""
        return str((await self.get(f"/api/states/{entity_id}"))["state"])

    async def flow(
        self, handler: str | list[str], *answers: Mapping[str, Any], of: str = "", **first: Any
    ) -> Any:
        """Go through a flow, and return its last step.

        It is a config flow, ``of`` an endpoint's ``options/``, or one of its ``subentries/``.
        """
        path = f"/api/config/config_entries/{of}flow"
        step = await self.post(path, {"handler": handler, **first})
        for answer in answers:
            step = await self.post(f"{path}/{step['flow_id']}", answer)
        return step

    async def action(self, action: str, /, *, response: bool = True, **data: Any) -> Any:
        """Perform an action, such as ``light.turn_on``; return its response, if it is to have one."""
        done = await self.post(
            f"/api/services/{action.replace('.', '/')}{'?return_response' if response else ''}", data
        )
        return done["service_response"] if response else None

    async def command(self, kind: str, **fields: Any) -> Any:
        """Send one command over the WebSocket, and return its result. Raises `RuntimeError` with what is wrong."""
        async with self._connected() as line:
            return await self._ask(line, kind, fields)

    @asynccontextmanager
    async def events(
        self, kind: str = "subscribe_events", **fields: Any
    ) -> AsyncIterator[AsyncIterator[Any]]:
        """Subscribe by a command of the WebSocket; yield its events as they come."""
        async with self._connected() as line:
            await self._ask(line, kind, fields)

            async def coming() -> AsyncIterator[Any]:
                async for message in line:
                    yield message.json()["event"]

            yield coming()

    async def until(self, condition: str, *, seconds: float = 30) -> None:
        """Wait until a template is true. Raises `TimeoutError` with what it was last."""
        last = None
        try:
            async with (
                asyncio.timeout(seconds),
                self.events("render_template", template=condition) as rendered,
            ):
                async for event in rendered:
                    last = event.get("result")
                    if last is True:
                        return
        except TimeoutError as error:
            raise TimeoutError(f"{condition} was {last!r} for {seconds:g} seconds") from error

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        async with (
            aiohttp.ClientSession() as http,
            http.ws_connect(f"{self.url}/api/websocket", max_msg_size=0) as line,
        ):
            await line.receive_json()
            await line.send_json({"type": "auth", "access_token": self.token})
            told = await line.receive_json()
            if told["type"] != "auth_ok":
                raise RuntimeError(told["message"])
            yield line

    async def _ask(self, line: aiohttp.ClientWebSocketResponse, kind: str, fields: Mapping[str, Any]) -> Any:
        await line.send_json({"id": 1, "type": kind, **fields})
        result = await line.receive_json()
        if not result["success"]:
            raise RuntimeError(f"{kind} {fields}: {result['error']['message']}")
        return result["result"]
