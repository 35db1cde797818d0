import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from tests.tools import mcp_servers
from vivavoce.client.tool import ToolContext
from vivavoce.errors import ToolError
from vivavoce.tools.mcp_connection import McpConnection, McpServer

ROOT = Path(__file__).parents[2]
STDIO = {"command": [sys.executable, "-m", "tests.tools.mcp_servers", "stdio"], "directory": ROOT}
NOBODY = ToolContext()


def ask(call):
    return True


class TestServer:
    @pytest.mark.parametrize(
        ("fields", "words"),
        [
            ({"name": ""}, "without"),
            ({}, "either a url or a command"),
            ({"url": "http://127.0.0.1/", "command": ["x"]}, "either a url or a command"),
            ({"url": "http://127.0.0.1/", "require_approval": "always"}, "somebody to ask"),
            ({"url": "http://127.0.0.1/", "token": "…"}, "a header can carry"),
            ({"url": "http://127.0.0.1/", "token": "a\nb"}, "a header can carry"),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, fields, words):
        with pytest.raises(ValueError, match=words):
            McpServer(**{"name": "house"} | fields)

    def test_a_command_is_a_list(self):
        with pytest.raises(TypeError, match="as a list"):
            McpServer(name="house", command="python house.py")

    @pytest.mark.parametrize(
        ("fields", "offered"),
        [
            ({}, "ab"),
            ({"allowed_tools": ["a"]}, "a"),
            ({"denied_tools": ["a"]}, "b"),
            ({"allowed_tools": ["a"], "denied_tools": ["a"]}, ""),
        ],
    )
    def test_tools_are_filtered(self, fields, offered):
        server = McpServer(name="house", url="http://127.0.0.1/", **fields)
        assert "".join(tool for tool in "ab" if server.offers(tool)) == offered

    @pytest.mark.parametrize(
        ("required", "asked"), [(None, "ab"), ("always", "ab"), ("never", ""), (["b"], "b")]
    )
    def test_approval_is_asked_where_it_is_required(self, required, asked):
        server = McpServer(name="house", url="http://127.0.0.1/", approve=ask, require_approval=required)
        assert "".join(tool for tool in "ab" if server.approval(tool)) == asked

    def test_secrets_are_not_shown(self):
        shown = repr(McpServer(name="house", url="http://127.0.0.1/", token="sesame", env={"KEY": "sesame"}))
        assert "sesame" not in shown


@pytest.fixture
async def connect(monkeypatch):
    """Connect with a server; ``changes`` of the connection counts how often it has told of some."""
    connections = []
    monkeypatch.setattr("vivavoce.tools.mcp_connection.RETURN_SECONDS", 50)  # programs may start slowly here

    async def connect(**fields):
        def changed():
            connection.changes.put_nowait([tool.name for tool in connection.offered])

        connection = McpConnection(McpServer(name="house", **fields), changed, first_wait=0.02)
        connection.changes = asyncio.Queue()
        connections.append(connection)
        await connection.tried()
        return connection

    yield connect
    for connection in connections:
        await connection.close()


@pytest.fixture(params=["http", "stdio"])
async def house(request, connect):
    """A connection with a server that asks for the token, or is a program."""
    if request.param == "stdio":
        yield await connect(**STDIO)
    else:
        async with mcp_servers.serve(token=True) as url:
            yield await connect(url=url, token=mcp_servers.TOKEN)


async def test_tools_are_called(house):
    assert house.connected
    told = await house.call("set_lamp", {"room": "hall", "brightness": 7}, NOBODY)
    assert told == "The lamp in the hall is at 7 %."


async def test_results_of_any_kind_are_told(house):
    assert '"kWh": 7.5' in await house.call("read_meter", {}, NOBODY)
    assert "An image (image/png)" in await house.call("take_picture", {}, NOBODY)


async def test_failures_are_told(house):
    with pytest.raises(ToolError, match="break_down"):
        await house.call("break_down", {}, NOBODY)
    with pytest.raises(ToolError, match="room"):
        await house.call("set_lamp", {"rooom": "hall"}, NOBODY)


async def test_progress_is_told(house):
    heard = []
    call = object()
    assert await house.call("climb", {}, ToolContext(progress=heard.append, call=call)) == "up"
    assert [(one.call, one.message, one.share) for one in heard] == [(call, "first step", 0.25)]


async def test_news_are_learnt(house):
    assert "sing" not in await house.changes.get()
    await house.call("learn", {}, NOBODY)
    assert "sing" in await house.changes.get()
    assert await house.call("sing", {}, NOBODY) == "la la la"


async def test_calls_end_in_time(connect):
    async with mcp_servers.serve() as url:
        house = await connect(url=url, seconds=0.05)
        with pytest.raises(ToolError, match="house: "):
            await house.call("wait_for_rain", {}, NOBODY)
        assert house.connected


async def test_who_has_no_token_is_told_so(connect, caplog):
    async with mcp_servers.serve(token=True) as url:
        house = await connect(url=url, token="wrong")
        assert not house.connected
        assert house.error == "it answered with the status 401"
        assert "house is away: it answered with the status 401" in caplog.text
        assert "wrong" not in caplog.text


async def test_a_program_that_is_not_there_is_known(connect):
    house = await connect(command=["no-such-program-anywhere"])
    assert "FileNotFoundError" in house.error


async def test_a_program_that_dies_in_a_call_is_started_anew(connect):
    house = await connect(**STDIO)
    with pytest.raises(ToolError, match="broke during the call"):
        await house.call("leave", {}, NOBODY)
    assert await house.call("climb", {}, NOBODY) == "up"


async def test_a_call_that_does_no_harm_is_made_again(connect, tmp_path):
    house = await connect(**STDIO)
    told = await house.call("leave_once", {"note": str(tmp_path / "note")}, NOBODY)
    assert told == "I have left already."


@pytest.mark.parametrize("handshake", [False, True], ids=["2026-07-28", "before"])
async def test_a_server_that_goes_and_comes_is_found_again(connect, handshake, monkeypatch):
    if handshake:
        as_before(monkeypatch)
    async with mcp_servers.serve() as url:
        house = await connect(url=url)
        assert "7.5" in await house.call("read_meter", {}, NOBODY)
    async with mcp_servers.serve(port=int(url.split(":")[2].removesuffix("/mcp"))):
        assert "7.5" in await house.call("read_meter", {}, NOBODY)


async def test_a_session_that_was_forgotten_does_nothing_twice(connect, monkeypatch):
    as_before(monkeypatch)
    server = mcp_servers.make()
    async with mcp_servers.serve(server) as url:
        house = await connect(url=url)
        first = house._client
        server.session_manager._server_instances.clear()
        assert await house.call("set_lamp", {"room": "hall"}, NOBODY)
        assert server.calls == [("hall", 100)]
        assert house._client is not first


async def test_news_are_learnt_as_before(connect, monkeypatch):
    as_before(monkeypatch)
    async with mcp_servers.serve() as url:
        house = await connect(url=url)
        assert "sing" not in await house.changes.get()
        await house.call("learn", {}, NOBODY)
        assert "sing" in await house.changes.get()


@pytest.mark.parametrize("handshake", [False, True], ids=["2026-07-28", "before"])
async def test_a_program_that_dies_is_started_anew_before_anyone_calls(connect, handshake, monkeypatch):
    if handshake:
        as_before(monkeypatch)
        monkeypatch.setattr("vivavoce.tools.mcp_connection.PING_SECONDS", 0.05)
    house = await connect(**STDIO)
    born = (await house.changes.get())[-1]
    os.kill(int(born.removeprefix("born_")), signal.SIGKILL)
    assert (await house.changes.get())[-1] != born
    assert await house.call("climb", {}, NOBODY) == "up"


async def test_who_stays_away_is_not_waited_for(connect, monkeypatch):
    monkeypatch.setattr("vivavoce.tools.mcp_connection.RETURN_SECONDS", 0.05)
    async with mcp_servers.serve() as url:
        house = await connect(url=url)
        offered = house.offered
    with pytest.raises(ToolError, match=r"house cannot be reached|broke during the call"):
        await house.call("climb", {}, NOBODY)
    with pytest.raises(ToolError, match="house cannot be reached"):
        await house.call("climb", {}, NOBODY)
    assert house.offered == offered, "until it is back"


def as_before(monkeypatch):
    """Speak the protocol as it was before 2026-07-28, with a handshake and sessions."""
    from vivavoce.tools import mcp_connection

    class Client(mcp_connection.Client):
        def __init__(self, server, **options):
            super().__init__(server, mode="legacy", **options)

    monkeypatch.setattr(mcp_connection, "Client", Client)
