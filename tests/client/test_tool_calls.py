import asyncio
import json

import pytest

from vivavoce.client.functions import describe
from vivavoce.client.late_results import STARTED, UNDER_WAY
from vivavoce.client.tasks import Tasks
from vivavoce.client.tool import ToolContext
from vivavoce.client.tool_calls import MOST_CALLS, ToolCalls
from vivavoce.protocol.items import FunctionCall
from vivavoce.protocol.responses import Response
from vivavoce.protocol.server_events import ConversationItemAdded, ResponseDone, ResponseOutputItemDone


class Session:
    """A session in which a model calls tools; ``said`` is what the client has to say to that."""

    def __init__(self, *functions, **options):
        self.said = asyncio.Queue()
        self.free = True
        self.ready = asyncio.Event()
        self.tasks = Tasks()
        self.calls = ToolCalls(
            self.tasks,
            result=self.said.put_nowait,
            go_on=lambda params: self.said.put_nowait(f"go on, {params.tool_choice}" if params else "go on"),
            free=lambda: self.free,
            **options,
        )
        self.calls.toolbox.add(*functions)

    def call(self, name, call_id="call_1", arguments="{}", response_id="resp_1"):
        item = FunctionCall(id=f"item_{call_id}", name=name, call_id=call_id, arguments=arguments)
        self.calls.take(ConversationItemAdded(item=item))
        self.calls.take(ResponseOutputItemDone(response_id=response_id, output_index=0, item=item))

    def end(self, response_id="resp_1"):
        self.calls.take(ResponseDone(response=Response(id=response_id)))

    async def finish(self):
        working = list(self.calls._working)
        self.ready.set()
        await asyncio.gather(*working)

    async def next(self):
        said = await self.said.get()
        return getattr(said, "output", None) or getattr(said, "type", said)


@pytest.fixture
async def session():
    async def slow(context: ToolContext) -> str:
        await session.ready.wait()
        return f"done for {context.user}"

    session = Session(
        describe(slow, name="background", background=True),
        describe(slow),
        context=ToolContext("ada"),
    )
    yield session
    await session.tasks.cancel()


async def test_a_result_is_told_and_the_model_goes_on(session):
    session.call("slow")
    session.end()
    session.ready.set()
    assert [await session.next() for _ in range(2)] == ["done for ada", "go on"]


async def test_in_the_background_it_is_told_later(session):
    session.call("background")
    session.end()
    assert [await session.next() for _ in range(2)] == [STARTED, "go on"]
    session.free = False  # the assistant says so
    await session.finish()
    assert session.said.empty()
    session.free = True
    session.end("resp_2")
    call, output = await session.said.get(), await session.said.get()
    assert (call.name, json.loads(output.output)["result"]) == ("background", "done for ada")
    assert call.call_id == output.call_id != "call_1"
    assert await session.next() == "go on"


async def test_the_same_call_is_not_made_twice_at_once(session):
    session.call("background", "call_1")
    session.call("background", "call_2")
    session.end()
    assert [await session.next() for _ in range(3)] == [STARTED, UNDER_WAY, "go on, none"]
    await session.finish()
    assert await session.next() == "function_call"
    assert "done for ada" in await session.next()
    assert await session.next() == "go on"
    session.call("background", "call_3", response_id="resp_2")
    assert await session.next() == STARTED, "for now it is done"


async def test_a_late_result_does_not_come_between_a_call_and_its_answer(session):
    session.call("background", "call_1")
    session.end()
    assert [await session.next() for _ in range(2)] == [STARTED, "go on"]
    session.calls.toolbox.add(describe(asyncio.Event().wait, name="endless"))
    [background] = session.calls._working
    session.call("endless", "call_2", response_id="resp_2")
    session.ready.set()
    await background
    session.end("resp_2")
    assert session.said.empty(), "the model has yet to hear of the other call"


async def test_arguments_that_do_not_fit_are_no_matter_for_the_background(session):
    session.call("background", arguments='{"colour": "red"}')
    assert "do not fit" in await session.next()


async def test_there_is_a_limit_to_calls_at_once(session):
    for number in range(MOST_CALLS + 1):
        session.call("slow", f"call_{number}")
    assert "at work already" in await session.next()
    session.ready.set()
    assert {await session.next() for _ in range(MOST_CALLS)} == {"done for ada"}


async def test_who_ends_hears_no_more(session):
    ended = asyncio.Event()

    async def forever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    session.calls.toolbox.add(describe(forever))
    session.call("forever")
    await asyncio.sleep(0)
    session.calls.end()
    await ended.wait()
    session.end()
    assert session.said.empty()
