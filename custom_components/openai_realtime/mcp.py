"""Tools of MCP servers, over streamable HTTP and Home Assistant's own HTTP session.

It is a client of its own because the official one is pinned by Home Assistant, to another range in each release, and
because a plain bearer token must do.
"""

import asyncio
import json
import re
from typing import Any

import aiohttp
from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.const import CONF_URL
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers import llm
from homeassistant.helpers.aiohttp_client import async_get_clientsession

from .approval import Approvals
from .compat import ToolAnswer, object_schema, parameters_of, tool_answer
from .const import ASK, CONF_ALLOWED, CONF_APPROVAL, CONF_FOR_ALL, CONF_TOKEN, DOMAIN, LOGGER
from .vivavoce import __version__

__all__ = ["McpApi", "McpConnection", "McpFailed", "McpTool"]

VERSION = "2025-06-18"
SECONDS = 30.0
LIST_SECONDS = 600.0
"""How long a list of tools is believed."""
AGAIN_SECONDS = 60.0
"""How long it is believed that there is none to be had."""
FIRST_SECONDS = 1.0
"""How long an agent waits for tools of which nothing is known yet."""
MOST_PAGES = 50
NO_ANSWER = "It gave no answer that MCP knows."
MOST_BYTES = 1024 * 1024
_END_OF_EVENT = re.compile(rb"\r?\n\r?\n")


class McpFailed(HomeAssistantError):  # noqa: N818 - says what happened
    """A server cannot be reached, or refuses; ``status`` is that of HTTP, where there was an answer."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class McpConnection:
    """A session with a server."""

    def __init__(self, http: aiohttp.ClientSession, url: str, token: str | None) -> None:
        self._http = http
        self._url = url
        self._token = token
        self._session_id: str | None = None
        self._version = VERSION
        self._begun = False
        self._number = 0
        self._lock = asyncio.Lock()
        self.odd: list[str] = []
        """What the last list had that is no tool, or another of the same name."""

    async def tools(self) -> list[dict[str, Any]]:
        """Return the tools that the server offers, each as `_tool` has it. Raises `McpFailed`."""
        found: dict[str, dict[str, Any]] = {}
        odd: list[str] = []
        cursor: str | None = None
        for _ in range(MOST_PAGES):
            page = await self._ask("tools/list", {"cursor": cursor} if cursor else {})
            tools = page.get("tools")
            if not isinstance(tools, list):
                raise McpFailed(NO_ANSWER)
            for described in tools:
                if (tool := _tool(described)) is not None and tool["name"] not in found:
                    found[tool["name"]] = tool
                else:
                    odd.append(str(described.get("name") if isinstance(described, dict) else described)[:64])
            if not (cursor := page.get("nextCursor")):
                break
        self.odd = odd
        return list(found.values())

    async def call(self, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Call a tool, and return its result. Raises `McpFailed`."""
        return await self._ask("tools/call", {"name": name, "arguments": arguments})

    async def _ask(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        await self._begin()
        try:
            return await self._send(method, params)
        except McpFailed as failed:
            if failed.status != 404 or self._session_id is None:
                raise
            self._begun, self._session_id = False, None  # the server has forgotten us, and done nothing
            await self._begin()
            return await self._send(method, params)

    async def _begin(self) -> None:
        async with self._lock:
            if self._begun:
                return
            self._version = VERSION
            welcome = await self._send(
                "initialize",
                {
                    "protocolVersion": VERSION,
                    "capabilities": {},
                    "clientInfo": {"name": "vivavoce", "version": __version__},
                },
            )
            self._version = str(welcome.get("protocolVersion") or VERSION)
            await self._send("notifications/initialized", None)
            self._begun = True

    async def _send(self, method: str, params: dict[str, Any] | None) -> dict[str, Any]:
        """Send a request, or a notification where there are no params, and return its result."""
        message: dict[str, Any] = {"jsonrpc": "2.0", "method": method}
        if params is not None:
            self._number += 1
            message |= {"id": self._number, "params": params}
        headers = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": self._version}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        if self._session_id:
            headers["Mcp-Session-Id"] = self._session_id
        try:
            async with (
                asyncio.timeout(SECONDS),
                self._http.post(self._url, json=message, headers=headers) as response,
            ):
                if response.status >= 400:
                    raise McpFailed(f"It refused with status {response.status}.", response.status)
                self._session_id = response.headers.get("Mcp-Session-Id", self._session_id)
                if params is None:
                    return {}
                answer = await _answer(response, self._number)
        except TimeoutError as error:
            raise McpFailed(f"It did not answer in {SECONDS:g} s.") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:  # the last for what no address can be
            raise McpFailed(f"It cannot be reached: {error}") from error
        if "error" in answer:
            wrong = answer["error"]
            raise McpFailed(str((isinstance(wrong, dict) and wrong.get("message")) or "It gave no reason."))
        result = answer.get("result")
        return result if isinstance(result, dict) else {}


def _tool(described: Any) -> dict[str, Any] | None:
    """Return a tool with all that is known of it, as models and Home Assistant can have it; None for what is none."""
    if not isinstance(described, dict):
        return None
    name, schema = described.get("name"), described.get("inputSchema") or {}
    if not (isinstance(name, str) and name and isinstance(schema, dict)):
        return None
    properties, required = schema.get("properties", {}), schema.get("required", [])
    if not (
        isinstance(properties, dict) and all(isinstance(one, dict | bool) for one in properties.values())
    ):
        return None
    if not (isinstance(required, list) and all(isinstance(one, str) for one in required)):
        return None
    words = {key: text for key in ("title", "description") if isinstance(text := described.get(key), str)}
    return {"name": name, "inputSchema": object_schema(schema), **words}


async def _answer(response: aiohttp.ClientResponse, number: int) -> dict[str, Any]:
    """Return the answer to a request: the whole body, or one event of a stream of them."""
    streams = response.content_type == "text/event-stream"
    body, size = b"", 0
    async for part in response.content.iter_any():
        body += part
        size += len(part)
        if size > MOST_BYTES:
            raise McpFailed(f"Its answer has more than {MOST_BYTES} bytes.")
        if not streams:
            continue
        *events, body = _END_OF_EVENT.split(body)
        for event in events:
            data = [line[5:].strip() for line in event.splitlines() if line.startswith(b"data:")]
            if data and (message := _read(b"\n".join(data))).get("id") == number:
                return message
    if streams:
        raise McpFailed(NO_ANSWER)
    return _read(body)


def _read(body: bytes) -> dict[str, Any]:
    try:
        message = json.loads(body)
    except ValueError as error:
        raise McpFailed("Its answer is no JSON.") from error
    if not isinstance(message, dict):
        raise McpFailed(NO_ANSWER)
    return message


class McpTool(llm.Tool):
    """A tool of a server."""

    integration = DOMAIN

    def __init__(self, server: McpApi, described: dict[str, Any]) -> None:
        self.name = described["name"]
        self.title = described.get("title")
        self.description = described.get("description")
        self.json_schema: dict[str, Any] = described["inputSchema"]
        """As the server has it, which is what models are told."""
        self.parameters = parameters_of(self.json_schema)
        self._server = server

    async def async_call(
        self,
        hass: HomeAssistant,  # noqa: ARG002 - the interface
        tool_input: llm.ToolInput,
        llm_context: llm.LLMContext,  # noqa: ARG002
    ) -> ToolAnswer:
        """Call it, if it may be called."""
        return await self._server.call(self.name, tool_input.tool_args)


class McpApi(llm.API):
    """The tools of one server, as an API that agents may be given."""

    def __init__(
        self, hass: HomeAssistant, entry: ConfigEntry, subentry: ConfigSubentry, approvals: Approvals
    ) -> None:
        super().__init__(hass=hass, id=f"{DOMAIN}-{subentry.subentry_id}", name=f"MCP: {subentry.title}")
        self._entry = entry
        self.subentry = subentry
        self.for_all = bool(subentry.data.get(CONF_FOR_ALL, True))
        """Whether every agent of the endpoint has its tools."""
        self._approvals = approvals
        self._connection = McpConnection(
            async_get_clientsession(hass), subentry.data[CONF_URL], subentry.data.get(CONF_TOKEN)
        )
        self._tools: list[McpTool] | None = None
        self._asking: asyncio.Task[None] | None = None
        self._asked_at = 0.0
        self._ask_at = 0.0
        self._odd: list[str] = []
        self.failure: str | None = None
        """Why they could not be listed, if so, the last time."""

    async def async_get_api_instance(self, llm_context: llm.LLMContext) -> llm.APIInstance:
        """Return the tools that are known: the home can be talked with also where the server is away, or slow."""
        # Home Assistant's own server offers all APIs, this one too: asked through it, a server might ask itself.
        ours = llm_context.platform != "mcp_server"
        if ours:
            self.refresh()
            if self._asking is not None and self._tools is None:
                left = self._asked_at + FIRST_SECONDS - self.hass.loop.time()
                await asyncio.wait([self._asking], timeout=max(left, 0.0))
        return llm.APIInstance(
            api=self,
            api_prompt=f"Tools of {self.subentry.title} are at your service." if ours else "",
            llm_context=llm_context,
            tools=list(self._tools or ()) if ours else [],
            custom_serializer=llm.selector_serializer,
        )

    @property
    def tools(self) -> list[str]:
        """The names of the tools."""
        return [tool.name for tool in self._tools or ()]

    @callback
    def refresh(self, *_: Any) -> None:
        """Ask the server what it offers, in the background, if that is not known or long ago."""
        now = self.hass.loop.time()
        if self._asking is None and now >= self._ask_at:
            self._asked_at = now
            self._asking = self._entry.async_create_background_task(
                self.hass, self._ask(), "openai_realtime: list the tools"
            )
            self._asking.add_done_callback(self._asked)

    @callback
    def _asked(self, _: asyncio.Task[None]) -> None:
        self._asking = None
        self._ask_at = self.hass.loop.time() + (LIST_SECONDS if self.failure is None else AGAIN_SECONDS)

    async def _ask(self) -> None:
        issue = f"mcp_{self.subentry.subentry_id}"
        allowed = self.subentry.data.get(CONF_ALLOWED) or None
        try:
            described = await self._connection.tools()
        except McpFailed as failed:
            if self.failure is None:
                LOGGER.warning("The MCP server %s cannot be used: %s", self.subentry.title, failed)
            self.failure = str(failed)
            ir.async_create_issue(
                self.hass,
                DOMAIN,
                issue,
                is_fixable=False,
                severity=ir.IssueSeverity.WARNING,
                translation_key="mcp_failed",
                translation_placeholders={"name": self.subentry.title, "error": str(failed)},
            )
            return
        if self.failure is not None:
            LOGGER.info("The MCP server %s is back", self.subentry.title)
        self.failure = None
        ir.async_delete_issue(self.hass, DOMAIN, issue)
        if (odd := self._connection.odd) and odd != self._odd:
            told = "%s goes without what is not as tools are described: %s"
            LOGGER.warning(told, self.subentry.title, ", ".join(odd))
        self._odd = odd
        self._tools = [McpTool(self, one) for one in described if allowed is None or one["name"] in allowed]

    async def call(self, name: str, arguments: dict[str, Any]) -> ToolAnswer:
        """Call a tool. Raises `McpFailed`, which the model is told."""
        if self.subentry.data.get(CONF_APPROVAL) == ASK and (
            told := self._approvals.check(f"{self.subentry.title} {name}", arguments)
        ):
            return told
        result = await self._connection.call(name, arguments)
        parts = result.get("content") or []
        if not (isinstance(parts, list) and all(isinstance(part, dict) for part in parts)):
            raise McpFailed(NO_ANSWER)
        texts = [
            str(part.get("text")) if part.get("type") == "text" else f"[{part.get('type')}]" for part in parts
        ]
        failed = bool(result.get("isError"))
        structured = result.get("structuredContent")
        if not (isinstance(structured, dict) and structured):
            structured = {"error" if failed else "result": "\n".join(texts)}
        return tool_answer(structured, error=failed)
