"""One MCP server: how it is reached, what may be used of it, and a connection that comes back."""

import asyncio
import contextlib
import logging
import random
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import httpx2
from mcp.client import Client
from mcp.client.session import IncomingMessage
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import MCP_SESSION_ID, streamable_http_client
from mcp.client.subscriptions import SubscriptionLost
from mcp.shared.exceptions import MCPError
from mcp_types import (
    CONNECTION_CLOSED,
    INVALID_REQUEST,
    Implementation,
    PaginatedRequestParams,
    ToolListChangedNotification,
)
from mcp_types import Tool as McpTool
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

import vivavoce
from vivavoce.client.tool import RESULT_CHARACTERS, TOOL_SECONDS, Approval, ToolContext
from vivavoce.errors import ToolError
from vivavoce.tools.mcp_language import told_result

__all__ = ["FIRST_WAIT", "MOST_TOOLS", "McpConnection", "McpServer"]

MOST_TOOLS = 128
"""Tools that are taken of one server."""

FIRST_WAIT = 1.0
"""Seconds before a server is tried again, at the most; twice as many before each further time."""

LONGEST_WAIT = 60.0

CONNECT_SECONDS = 30.0
"""For a server to answer; one that is started has to start in this time."""

RETURN_SECONDS = 5.0
"""How long a call waits for a server that is away."""

PING_SECONDS = 20.0
"""Between questions whether a server is still there, where its protocol has them."""

CLOSE_SECONDS = 10.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class McpServer:
    """How a server is reached, at a ``url`` (streamable HTTP) or by a ``command`` (stdio), and what may be used of it.

    Raises `ValueError`, or `TypeError`, for what makes no sense.
    """

    name: str
    """What it is called here."""
    url: str = ""
    token: str | None = field(default=None, repr=False)
    """The bearer token that the server asks for."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    command: Sequence[str] = ()
    """The program and its arguments."""
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Variables for the program, beside the few that any program needs."""
    directory: Path | None = None
    """Where the program runs."""
    allowed_tools: Collection[str] | None = None
    """Names of the tools that may be used; all, if None."""
    denied_tools: Collection[str] = ()
    """Names of tools that may not."""
    background_tools: Collection[str] = ()
    """Names of those during whose calls the conversation goes on."""
    approve: Approval | None = None
    """Who is asked before a call."""
    require_approval: Literal["always", "never"] | Collection[str] | None = None
    """For which tools: by name, or ``always`` or ``never``; always, if None and there is somebody to ask."""
    seconds: float = TOOL_SECONDS
    """How long a call may take."""
    characters: int = RESULT_CHARACTERS
    """How much of a result is told."""

    def __post_init__(self) -> None:
        if not self.name:
            raise ValueError("Expected a name for every MCP server, and got one without.")
        if bool(self.url) == bool(self.command):
            raise ValueError(f"The MCP server {self.name} needs either a url or a command.")
        if isinstance(self.command, str):
            raise TypeError(f"{self.name}: expected the command as a list of the program and its arguments.")
        if self.token and not (self.token.isascii() and self.token.isprintable()):
            raise ValueError(
                f"{self.name}: expected a token that a header can carry, of printable ASCII only."
            )
        if self.require_approval not in (None, "never") and self.approve is None:
            raise ValueError(f"{self.name}: expected somebody to ask (approve) where approval is required.")

    def offers(self, tool: str) -> bool:
        """Whether a tool may be used."""
        allowed = self.allowed_tools is None or tool in self.allowed_tools
        return allowed and tool not in self.denied_tools

    def approval(self, tool: str) -> Approval | None:
        """Return who is asked before a call of a tool."""
        match self.require_approval:
            case "never":
                return None
            case None | "always":
                return self.approve
            case names:
                return self.approve if tool in names else None


class McpConnection:
    """Keeps a connection to a server, and tells by ``changed`` when it offers other tools.

    What a server that is away has offered stays on offer: a call waits a little for it to come back, and then says
    that it did not. All of the connection lives in one task, so that nothing that happens in it reaches others.
    """

    def __init__(
        self, server: McpServer, changed: Callable[[], None], *, first_wait: float = FIRST_WAIT
    ) -> None:
        self.server = server
        self.offered: list[McpTool] = []
        """What it offers, of that which may be used."""
        self.error = ""
        """Why there is no connection, or was none the last time."""
        self._changed = changed
        self._first_wait = self._wait = first_wait
        self._client: Client | None = None
        self._forgotten: Client | None = None
        """The client whose session the server has forgotten, as one does that was started anew."""
        self._online = asyncio.Event()
        self._tried = asyncio.Event()
        self._news = asyncio.Event()
        self._closed = self._lost = False
        self._status = 0
        """The last HTTP status of a refusal."""
        self._task = asyncio.create_task(self._keep(), name=f"MCP server {server.name}")

    @property
    def connected(self) -> bool:
        """Whether it can be called."""
        return self._client is not None

    async def tried(self) -> None:
        """Wait until it is connected, or is known not to answer."""
        await self._tried.wait()

    async def close(self) -> None:
        """End the connection; a server that was started for it ends too."""
        self._closed = self._lost = True
        self._task.cancel()
        await asyncio.wait([self._task], timeout=CLOSE_SECONDS)

    async def call(self, name: str, arguments: dict[str, Any], context: ToolContext) -> str:
        """Call a tool by the name that it has there, and return what a model is told. Raises `ToolError`.

        A call during which the connection breaks may have been done. It is made once more only if the server says of
        the tool that this does no harm.
        """
        repeatable = self._repeatable(name)
        while True:
            client = await self._connected()
            try:
                return await self._call(client, name, arguments, context)
            except MCPError as error:
                forgotten = error.code == INVALID_REQUEST and client is self._forgotten
                if not forgotten and error.code != CONNECTION_CLOSED:
                    raise ToolError(f"{self.server.name}: {error.message}") from error
                if client is self._client:
                    self._lose()
                if forgotten:
                    continue  # the server did not know the session, so it did nothing
                if not repeatable:
                    raise ToolError(
                        f"The connection to {self.server.name} broke during the call; it may have been done or not."
                    ) from error
                repeatable = False

    def _repeatable(self, name: str) -> bool:
        hints = next((tool.annotations for tool in self.offered if tool.name == name), None)
        return hints is not None and bool(hints.read_only_hint or hints.idempotent_hint)

    async def _call(self, client: Client, name: str, arguments: dict[str, Any], context: ToolContext) -> str:
        async def report(progress: float, total: float | None, message: str | None) -> None:
            context.report(message or "", progress / total if total else None)

        result = await client.call_tool(
            name, arguments, read_timeout_seconds=self.server.seconds, progress_callback=report
        )
        told = told_result(result)
        if result.is_error:
            raise ToolError(told or f"{name} failed.")
        return told

    async def _connected(self) -> Client:
        try:
            async with asyncio.timeout(RETURN_SECONDS):
                while self._client is None:
                    await self._online.wait()
        except TimeoutError as late:
            raise ToolError(f"{self.server.name} cannot be reached: {self.error or 'no answer'}.") from late
        return self._client

    # All that follows happens in the connection's own task.

    async def _keep(self) -> None:
        while not self._closed:  # a connection that fails just when it is to end may swallow the cancellation
            self._lost, self._status = False, 0
            self._news.clear()
            try:
                async with self._open() as client:
                    await self._attend(client)
            except Exception as error:  # noqa: BLE001 - whatever it is, others are not to suffer from it
                self._note(error)
            self._client = None
            self._online.clear()
            self._tried.set()
            if not self._closed:
                await self._rest()

    @contextlib.asynccontextmanager
    async def _open(self) -> AsyncIterator[Client]:
        server = self.server
        headers = {**server.headers, **({"Authorization": f"Bearer {server.token}"} if server.token else {})}
        async with httpx2.AsyncClient(
            headers=headers,
            timeout=httpx2.Timeout(CONNECT_SECONDS, read=None),  # a stream may be silent for long
            event_hooks={"response": [self._answered]},
        ) as http:
            client = Client(
                self._transport(http),
                message_handler=self._told,
                client_info=Implementation(name="vivavoce", version=vivavoce.__version__),
                cache=None,
            )
            async with asyncio.timeout(CONNECT_SECONDS) as limit, client:
                limit.reschedule(None)
                yield client

    def _transport(self, http: httpx2.AsyncClient) -> contextlib.AbstractAsyncContextManager[Any]:
        server = self.server
        if server.url:
            return streamable_http_client(server.url, http_client=http)
        program, *arguments = server.command
        return stdio_client(
            StdioServerParameters(command=program, args=arguments, env=dict(server.env), cwd=server.directory)
        )

    async def _attend(self, client: Client) -> None:
        """Learn what the server offers, now and whenever it tells of something new, until it is gone."""
        modern = client.protocol_version in MODERN_PROTOCOL_VERSIONS
        tools = client.server_capabilities.tools
        while not self._lost:
            if modern and tools is not None and tools.list_changed:
                await self._listen(client)
            else:
                await self._learn(client)
                await self._next(client, ping=not modern)

    async def _listen(self, client: Client) -> None:
        with contextlib.suppress(SubscriptionLost):
            async with client.listen(tools_list_changed=True) as changes:
                await self._learn(client)
                async for _ in changes:
                    await self._learn(client)
        await self._rest()  # calls need no subscription, and go on without it

    async def _rest(self) -> None:
        await asyncio.sleep(random.uniform(self._wait / 2, self._wait))  # noqa: S311 - so that not all come at once
        self._wait = min(2 * self._wait, LONGEST_WAIT)

    async def _next(self, client: Client, *, ping: bool) -> None:
        while not self._news.is_set():
            try:
                async with asyncio.timeout(PING_SECONDS):
                    await self._news.wait()
            except TimeoutError:
                if ping:
                    async with asyncio.timeout(PING_SECONDS):
                        await client.session.send_ping()
        self._news.clear()

    async def _learn(self, client: Client) -> None:
        offered: list[McpTool] = []
        cursor: str | None = None
        async with asyncio.timeout(CONNECT_SECONDS):
            while True:
                page = await client.session.list_tools(params=PaginatedRequestParams(cursor=cursor))
                offered += [tool for tool in page.tools if self.server.offers(tool.name)]
                cursor = page.next_cursor
                if cursor is None or len(offered) >= MOST_TOOLS:
                    break
        new, self.offered = offered[:MOST_TOOLS] != self.offered, offered[:MOST_TOOLS]
        self._client, self.error, self._wait = client, "", self._first_wait
        self._online.set()
        self._tried.set()
        if new:
            self._changed()

    async def _told(self, message: IncomingMessage) -> None:
        if isinstance(message, ToolListChangedNotification):
            self._news.set()

    async def _answered(self, response: httpx2.Response) -> None:
        if response.is_error:
            self._status = response.status_code
        if response.status_code == httpx2.codes.NOT_FOUND and MCP_SESSION_ID in response.request.headers:
            self._forgotten = self._client or self._forgotten
            if response.request.method == "GET":
                self._lose()  # what was posted is told by its own answer, which is still on its way

    def _lose(self) -> None:
        self._client, self._lost = None, True
        self._online.clear()
        self._news.set()

    def _note(self, error: BaseException) -> None:
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        said = f"{type(error).__name__}: {error}".removesuffix(": ")
        if self._status:
            said = f"it answered with the status {self._status}"
        if said != self.error:
            _log.warning("the MCP server %s is away: %s", self.server.name, said)
        self.error = said
