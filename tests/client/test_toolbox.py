import asyncio
import functools
import threading

import msgspec
import pytest

from vivavoce.client.functions import describe
from vivavoce.client.toolbox import Toolbox, ToolCall


@pytest.fixture
def toolbox():
    return Toolbox()


def error(result):
    return msgspec.json.decode(result)["error"]


async def test_asynchronous_functions_run_in_the_loop_and_others_in_a_thread(toolbox):
    async def here(city: str) -> str:
        return f"{city} {threading.current_thread() is threading.main_thread()}"

    def there(city: str) -> str:
        return f"{city} {threading.current_thread() is threading.main_thread()}"

    toolbox.add(describe(here))
    toolbox.add(describe(there))
    assert await toolbox.run("call_1", "here", '{"city": "Rome"}') == "Rome True"
    assert await toolbox.run("call_2", "there", '{"city": "Rome"}') == "Rome False"
    assert [tool.name for tool in toolbox.definitions] == ["here", "there"]


async def test_what_is_wrapped_or_gives_an_awaitable_is_awaited(toolbox):
    async def now(zone: str = "UTC") -> dict:
        return {"zone": zone}

    toolbox.add(describe(functools.partial(now, zone="CET"), name="partial", description="Tell the time."))

    def later() -> dict:
        return now()

    toolbox.add(describe(later))
    assert await toolbox.run("call_1", "partial", "{}") == '{"zone":"CET"}'
    assert await toolbox.run("call_2", "later", "{}") == '{"zone":"UTC"}'


async def test_a_failure_is_a_result(toolbox, caplog):
    def broken(city: str) -> str:
        raise LookupError(f"no such city as {city}")

    toolbox.add(describe(broken))
    assert error(await toolbox.run("call_1", "broken", '{"city": "X"}')) == "LookupError: no such city as X"
    assert "broken" in caplog.text
    assert "do not fit" in error(await toolbox.run("call_1", "broken", "{}"))
    assert error(await toolbox.run("call_1", "unknown", "{}")) == "There is no tool unknown."


async def test_a_tool_that_takes_too_long_is_given_up(toolbox):
    cancelled = asyncio.Event()

    async def slow() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    toolbox.add(describe(slow), seconds=0.01)
    assert "longer than 0.01 s" in error(await toolbox.run("call_1", "slow", "{}"))
    assert cancelled.is_set()


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_approval_is_asked_with_what_will_be_called(toolbox, asynchronous):
    asked, opened = [], []

    def approve(call):
        asked.append(call)
        return call.arguments["door"] == "garden"

    async def approve_later(call):
        return approve(call)

    def unlock(door: str) -> str:
        opened.append(door)
        return "open"

    toolbox.add(describe(unlock), approve=approve_later if asynchronous else approve)
    assert await toolbox.run("call_1", "unlock", '{"door": "garden"}') == "open"
    assert error(await toolbox.run("call_2", "unlock", '{"door": "front"}')) == "The user did not allow this."
    assert opened == ["garden"]
    assert asked[1] == ToolCall("call_2", "unlock", {"door": "front"})


def test_tools_come_and_go(toolbox):
    def f() -> None: ...

    toolbox.add(describe(f))
    assert "f" in toolbox
    assert len(toolbox) == 1
    toolbox.remove("f")
    assert "f" not in toolbox
    with pytest.raises(KeyError):
        toolbox.remove("f")
