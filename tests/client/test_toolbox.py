import asyncio
import functools
import threading

import msgspec
import pytest

from vivavoce.client.functions import describe
from vivavoce.client.tool import Tool, ToolCall, ToolContext
from vivavoce.client.toolbox import Toolbox
from vivavoce.errors import ToolError


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

    toolbox.add(describe(slow, seconds=0.01))
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

    toolbox.add(describe(unlock, approve=approve_later if asynchronous else approve))
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


async def test_what_a_tool_cannot_do_is_told_in_its_words(toolbox, caplog):
    def ring(name: str) -> None:
        raise ToolError(f"{name} has no telephone.")

    toolbox.add(describe(ring))
    assert error(await toolbox.run("call_1", "ring", '{"name": "Ada"}')) == "Ada has no telephone."
    assert not caplog.records


async def test_a_time_limit_of_the_tools_own_is_a_failure_like_any_other(toolbox):
    async def impatient() -> None:
        raise TimeoutError("no answer from the lamp")

    toolbox.add(describe(impatient))
    assert error(await toolbox.run("call_1", "impatient", "{}")) == "TimeoutError: no answer from the lamp"


async def test_a_tool_that_gives_up_does_not_take_its_caller_with_it(toolbox):
    async def gives_up() -> None:
        raise asyncio.CancelledError

    toolbox.add(describe(gives_up))
    assert error(await toolbox.run("call_1", "gives_up", "{}")) == "gives_up was given up."


async def test_who_ends_the_caller_ends_the_tool(toolbox):
    started, ended = asyncio.Event(), asyncio.Event()

    async def forever() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    toolbox.add(describe(forever))
    running = asyncio.create_task(toolbox.run("call_1", "forever", "{}"))
    await started.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert ended.is_set()


async def test_no_answer_to_a_question_is_a_no():
    opened = []

    async def never(_):
        await asyncio.Event().wait()

    def broken(_):
        raise LookupError

    def unlock(door: str) -> None:
        opened.append(door)

    for approve, seconds, words in ((never, 0.01, "did not answer"), (broken, 50, "could not be asked")):
        toolbox = Toolbox(describe(unlock, approve=approve), approval_seconds=seconds)
        assert words in error(await toolbox.run("call_1", "unlock", '{"door": "front"}'))
    assert opened == []


async def test_results_are_cut_to_what_is_told(toolbox):
    def read() -> str:
        return "x" * 1000

    toolbox.add(describe(read, characters=10))
    told = await toolbox.run("call_1", "read", "{}")
    assert told == "x" * 10 + "\n[Cut off here: this is the beginning, 10 of 1000 characters.]"


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_progress_is_told_in_the_loop(toolbox, asynchronous):
    heard = []

    def climb(steps: int, context: ToolContext) -> str:
        for step in range(steps):
            context.report(f"step {step}", step / steps)
        return "up"

    async def climb_later(steps: int, context: ToolContext) -> str:
        return climb(steps, context)

    toolbox.add(describe(climb_later if asynchronous else climb, name="climb"))

    def progress(news):
        heard.append((news.message, news.share, news.call.call_id, threading.current_thread()))

    assert await toolbox.run("call_1", "climb", '{"steps": 2}', ToolContext(progress=progress)) == "up"
    await asyncio.sleep(0)
    main = threading.main_thread()
    assert heard == [("step 0", 0.0, "call_1", main), ("step 1", 0.5, "call_1", main)]


async def test_who_does_not_listen_misses_nothing(toolbox):
    def climb(context: ToolContext) -> str:
        context.report("on the way")
        return context.user

    toolbox.add(describe(climb))
    assert await toolbox.run("call_1", "climb", "{}", ToolContext("ada")) == "ada"


def test_what_may_go_on_in_the_background(toolbox):
    def book(table: int) -> None: ...

    toolbox.add(describe(book, background=True), describe(book, name="now"))
    assert toolbox.in_background("book", '{"table": 1}')
    assert not toolbox.in_background("book", '{"table": "one"}'), "the model is told at once"
    assert not toolbox.in_background("now", '{"table": 1}')
    assert not toolbox.in_background("unknown", "{}")


def named(name, description=""):
    async def call(arguments, context):
        return description

    return Tool(name=name, description=description, parameters={"type": "object"}, call=call)


class TestSources:
    def test_come_and_go_with_what_they_have(self, toolbox):
        source, news = Toolbox(named("a", "theirs"), named("b", "theirs")), []
        toolbox.watch(lambda: news.append([tool.description + tool.name for tool in toolbox.definitions]))
        toolbox.add(source)
        toolbox.add(named("a", "ours"))
        source.remove("b")
        toolbox.remove(source)
        source.add(named("c"))
        assert news == [["theirsa", "theirsb"], ["oursa", "theirsb"], ["oursa"], ["oursa"]]

    async def test_are_called_like_others(self, toolbox):
        toolbox.add(Toolbox(named("a", "first")), Toolbox(named("a", "second")))
        assert await toolbox.run("call_1", "a", "{}") == "first"
        assert "a" in toolbox
        assert len(toolbox) == 1

    def test_are_not_kept_by_whom_they_outlive(self, toolbox):
        source = Toolbox(named("a"))
        toolbox.add(source, source)
        toolbox.detach()
        assert source._watchers == []
        assert len(toolbox) == 0

    def test_can_be_watched_for_a_while(self, toolbox):
        news = []
        end = toolbox.watch(lambda: news.append(len(toolbox)))
        toolbox.add(named("a"))
        end()
        toolbox.add(named("b"))
        assert news == [1]
