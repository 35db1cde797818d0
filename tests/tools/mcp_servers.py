"""Real MCP servers, made with the official SDK: over HTTP on this machine, or, run as a program, over stdio."""

import asyncio
import contextlib
import os
import socket
import sys
from pathlib import Path

import uvicorn
from mcp.server import MCPServer
from mcp.server.auth.provider import AccessToken
from mcp.server.auth.settings import AuthSettings
from mcp.server.mcpserver import Context, Image
from mcp_types import ToolAnnotations

TOKEN = "open sesame"


class Verifier:
    """Knows one token."""

    async def verify_token(self, token):
        return AccessToken(token=token, client_id="vivavoce", scopes=[]) if token == TOKEN else None


def make(name="house", **options):
    """Make a server with a lamp, and some ways to fail."""
    server = MCPServer(name, log_level="CRITICAL", **options)
    server.calls = []

    @server.tool()
    def set_lamp(room: str, brightness: int = 100) -> str:
        """Set a lamp."""
        server.calls.append((room, brightness))
        return f"The lamp in the {room} is at {brightness} %."

    @server.tool(annotations=ToolAnnotations(read_only_hint=True))
    def read_meter() -> dict[str, float]:
        """Read the meter."""
        return {"kWh": 7.5}

    @server.tool()
    def take_picture() -> Image:
        """Take a picture."""
        return Image(data=b"\x89PNG", format="png")

    @server.tool()
    def break_down() -> str:
        """Break down."""
        raise LookupError("no fuse")

    @server.tool()
    async def climb(context: Context) -> str:
        """Climb the stairs."""
        await context.report_progress(1, 4, "first step")
        return "up"

    @server.tool()
    async def wait_for_rain() -> str:
        """Wait for rain."""
        await asyncio.Event().wait()

    @server.tool()
    async def learn(context: Context) -> str:
        """Learn something new."""
        server.add_tool(lambda: "la la la", name="sing", description="Sing.")
        await context.notify_tools_changed()
        await context.session.send_tool_list_changed()
        return "learnt"

    @server.tool()
    def leave() -> str:
        """Leave, without a word."""
        os._exit(1)

    @server.tool(annotations=ToolAnnotations(idempotent_hint=True))
    def leave_once(note: str) -> str:
        """Leave, unless there is a note that this was done."""
        if Path(note).exists():
            return "I have left already."
        Path(note).touch()
        os._exit(1)

    return server


@contextlib.asynccontextmanager
async def serve(server=None, *, port=0, token=False):
    """Serve a server on this machine, and yield its URL."""
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", port))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/mcp"
        if server is None:
            server = make(**protected(url)) if token else make()
        config = uvicorn.Config(
            server.streamable_http_app(), log_config=None, ws="none", timeout_graceful_shutdown=0
        )
        running = uvicorn.Server(config)
        running.capture_signals = contextlib.nullcontext
        task = asyncio.create_task(running.serve(sockets=[listening]))
        try:
            yield url
        finally:
            running.should_exit = True
            await task


def protected(url):
    """Return options that ask for the token."""
    return {
        "token_verifier": Verifier(),
        "auth": AuthSettings(
            issuer_url="http://127.0.0.1/", resource_server_url=url, validate_token_resource=False
        ),
    }


if __name__ == "__main__":
    program = make(sys.argv[1])
    program.add_tool(lambda: "", name=f"born_{os.getpid()}", description="")
    program.run("stdio")
