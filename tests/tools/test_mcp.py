import asyncio
import sys
from pathlib import Path

import msgspec
import pytest

from tests.tools import mcp_servers
from vivavoce.client.toolbox import Toolbox
from vivavoce.tools.mcp import McpServer, McpServers

ROOT = Path(__file__).parents[2]


@pytest.fixture
async def url():
    async with mcp_servers.serve(token=True) as url:
        yield url


def error(result):
    return msgspec.json.decode(result)["error"]


async def test_the_tools_of_all_servers_are_there(url):
    program = McpServer(
        name="cellar", command=[sys.executable, "-m", "tests.tools.mcp_servers", "cellar"], directory=ROOT
    )
    house = McpServer(name="house", url=url, token=mcp_servers.TOKEN, allowed_tools=["set_lamp", "climb"])
    async with McpServers(house, program) as servers:
        toolbox = Toolbox(servers)
        assert [tool.name for tool in toolbox.tools][:3] == [
            "house_set_lamp",
            "house_climb",
            "cellar_set_lamp",
        ]
        assert "read_meter" in toolbox
        lamp = toolbox.definitions[0]
        assert lamp.description == "Set a lamp."
        assert lamp.parameters["required"] == ["room"]
        for name in ("house_set_lamp", "cellar_set_lamp"):
            assert (
                await toolbox.run("call_1", name, '{"room": "hall"}') == "The lamp in the hall is at 100 %."
            )
        await servers.remove("cellar")
        assert [tool.name for tool in servers.tools] == ["set_lamp", "climb"]
    assert servers.tools == []


async def test_one_that_fails_harms_nobody(url):
    good = McpServer(name="good", url=url, token=mcp_servers.TOKEN)
    bad = McpServer(name="bad", url=url, token="wrong")
    none = McpServer(name="none", command=["no-such-program-anywhere"])
    async with McpServers(bad, good, none, first_wait=0.02) as servers:
        assert servers.status["good"].connected
        assert "set_lamp" in servers.status["good"].tools
        assert not servers.status["bad"].connected
        assert "401" in servers.status["bad"].error
        assert await Toolbox(servers).run("call_1", "set_lamp", '{"room": "hall"}')


async def test_calls_are_approved_cut_and_sent_to_the_background(url):
    asked = []

    def approve(call):
        asked.append((call.name, call.arguments))
        return False

    house = McpServer(
        name="house",
        url=url,
        token=mcp_servers.TOKEN,
        approve=approve,
        require_approval=["set_lamp"],
        background_tools=["climb"],
        characters=1,
    )
    async with McpServers(house) as servers:
        toolbox = Toolbox(servers)
        assert (
            error(await toolbox.run("call_1", "set_lamp", '{"room": "hall"}'))
            == "The user did not allow this."
        )
        assert (await toolbox.run("call_2", "climb", "{}")).startswith("u\n[Cut off here")
        assert toolbox.in_background("climb", "{}")
        assert not toolbox.in_background("set_lamp", "{}")
    assert asked == [("set_lamp", {"room": "hall"})]


async def test_servers_come_and_go(url):
    changed = asyncio.Queue()
    async with McpServers() as servers:
        end = servers.watch(lambda: changed.put_nowait(len(servers.tools)))
        house = McpServer(name="house", url=url, token=mcp_servers.TOKEN)
        await servers.add(house)
        count = changed.get_nowait()
        assert count == len(servers.tools) > 5
        with pytest.raises(ValueError, match="a house already"):
            await servers.add(house)
        await Toolbox(servers).run("call_1", "learn", "{}")
        assert await changed.get() == count + 1
        await servers.remove("house")
        assert await changed.get() == 0
        with pytest.raises(KeyError):
            await servers.remove("house")
        end()
        await servers.add(house)
        assert changed.empty()


def test_names_are_different():
    with pytest.raises(ValueError, match="different names"):
        McpServers(*[McpServer(name="house", url="http://127.0.0.1/")] * 2)


async def test_a_tool_with_an_endless_schema_is_left_out(caplog):
    server = mcp_servers.make()
    server.add_tool(lambda: "", name="endless", description="")
    server._tool_manager._tools["endless"].parameters["description"] = "x" * 20_000
    async with mcp_servers.serve(server) as url, McpServers(McpServer(name="house", url=url)) as servers:
        assert "endless" not in Toolbox(servers)
        assert "set_lamp" in Toolbox(servers)
    assert "endless of house is left out" in caplog.text
