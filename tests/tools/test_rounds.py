"""Whole rounds: a model that calls tools, in the engine's own sessions, and a client that has them."""

import asyncio
import sys
from pathlib import Path

from vivavoce.client import RealtimeClient
from vivavoce.testing import Expect, FunctionCall, Script, ScriptedEngine, Turn
from vivavoce.tools import Tool, ToolContext
from vivavoce.tools.mcp import McpServer, McpServers
from vivavoce.tools.memory import JsonMemory, memory_tools

ROOT = Path(__file__).parents[2]


class Talk:
    """A session with a script, in writing."""

    def __init__(self, *turns, **options):
        self.engine = ScriptedEngine(Script(turns=list(turns)))
        self.client = RealtimeClient(transport=self.engine.connect, **options)

    async def __aenter__(self):
        await self.engine.__aenter__()
        await self.client.__aenter__()
        await self.client.update_session(output_modalities=["text"])
        return self

    async def __aexit__(self, *error):
        await self.client.__aexit__(*error)
        await self.engine.__aexit__(*error)

    async def until(self, text):
        """Wait until the assistant has said this, and is done."""
        said = ""
        async for event in self.client:
            if event.type == "response.output_text.done":
                said = event.text
            elif event.type == "response.done" and said == text:
                return

    @property
    def course(self):
        """All that was said, called and answered, in order."""
        return [
            (item.type, item.words or item.output or item.name) for item in self.client.conversation.items
        ]


BOOK = FunctionCall(name="book", arguments={"table": 7})


async def test_the_model_speaks_and_is_told_the_result_when_it_is_there():
    booked = asyncio.Event()
    turns = (
        Turn(expect="A table, please.", call=BOOK),
        Turn(expect=Expect(output_matches='"status":"started"'), say="I am asking."),
        Turn(expect="Thank you.", say="You are welcome."),
        Turn(expect=Expect(output_matches='"result":"Table 7 is yours."'), say="It is yours."),
    )
    async with Talk(*turns) as talk:

        @talk.client.tool(background=True)
        async def book(table: int) -> str:
            """Book a table."""
            await booked.wait()
            return f"Table {table} is yours."

        await talk.client.send_text("A table, please.")
        await talk.until("I am asking.")
        await talk.client.send_text("Thank you.")
        await talk.until("You are welcome.")
        booked.set()
        await talk.until("It is yours.")
        kinds = [kind for kind, _ in talk.course]
        assert kinds == ["message", "function_call", "function_call_output", "message"] + ["message"] * 2 + [
            "function_call",
            "function_call_output",
            "message",
        ]
        first, second = (item for item in talk.client.conversation.items if item.type == "function_call")
        assert (second.name, second.arguments) == (first.name, '{"table": 7}')
        assert second.call_id != first.call_id


async def test_a_result_waits_for_who_speaks():
    booked = asyncio.Event()
    turns = (
        Turn(call=BOOK),
        Turn(say="I am asking.", delay_ms=50),
        Turn(expect=Expect(output_matches='"result":"done"'), say="It is done."),
    )
    async with Talk(*turns) as talk:

        @talk.client.tool(background=True)
        async def book(table: int) -> str:
            await booked.wait()
            return "done"

        await talk.client.send_text("Go.")
        async for event in talk.client:
            if event.type == "response.created" and len(talk.course) == 3:
                break
        booked.set()  # while the assistant is about to speak
        await talk.until("It is done.")
        assert [text for kind, text in talk.course if kind == "message"] == [
            "Go.",
            "I am asking.",
            "It is done.",
        ]


async def test_calls_of_one_answer_are_made_together_and_answered_once():
    both = asyncio.Barrier(2)
    turns = (
        Turn(call=[FunctionCall(name="left"), FunctionCall(name="right"), FunctionCall(name="later")]),
        Turn(say="Done."),
        Turn(expect=Expect(output_matches='"result":"late"'), say="And that."),
    )
    async with Talk(*turns) as talk:

        async def meet() -> str:
            await both.wait()
            return "met"

        async def late() -> str:
            return "late"

        talk.client.tool(name="left")(meet)
        talk.client.tool(name="right")(meet)
        talk.client.tool(name="later", background=True)(late)
        await talk.client.send_text("Go.")
        await talk.until("And that.")


async def test_work_in_the_background_ends_with_the_session():
    started, ended = asyncio.Event(), asyncio.Event()
    async with Talk(Turn(call=BOOK), Turn(say="I am asking.")) as talk:

        @talk.client.tool(background=True)
        async def book(table: int) -> None:
            started.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()

        await talk.client.send_text("Go.")
        await talk.until("I am asking.")
        await started.wait()
        await talk.client.close()
        assert ended.is_set()


async def test_progress_and_user_are_those_of_the_session(tmp_path):
    heard = []
    remember = FunctionCall(name="set_memory", arguments={"key": "tea", "value": "black"})
    turns = (
        Turn(call=[remember, FunctionCall(name="climb")]),
        Turn(expect=Expect(output="Remembered."), say="Noted."),
    )
    memory = JsonMemory(tmp_path / "memory.json")
    context = ToolContext("ada", heard.append)

    async def climb(arguments, here):
        here.report("half way", 0.5)
        return "up"

    async with Talk(*turns, tool_context=context) as talk:
        talk.client.add_tools(
            *memory_tools(memory), Tool(name="climb", parameters={"type": "object"}, call=climb)
        )
        await talk.client.send_text("Black tea, please.")
        await talk.until("Noted.")
    assert await memory.known("ada") == {"tea": "black"}
    assert [(one.call.name, one.message, one.share) for one in heard] == [("climb", "half way", 0.5)]


async def test_tools_of_servers_come_into_the_session():
    house = McpServer(
        name="house", command=[sys.executable, "-m", "tests.tools.mcp_servers", "house"], directory=ROOT
    )
    turns = (
        Turn(call=FunctionCall(name="learn")),
        Turn(say="Learnt."),
        Turn(call=FunctionCall(name="sing")),
        Turn(expect=Expect(output="la la la"), say="That was it."),
    )
    async with McpServers() as servers, Talk(*turns) as talk:
        talk.client.add_tools(servers)
        await servers.add(house)
        learnt = asyncio.Event()
        talk.client.on(
            "session.updated",
            lambda event: learnt.set() if "sing" in {tool.name for tool in event.session.tools} else None,
        )
        await talk.client.send_text("Learn.")
        await learnt.wait()
        await talk.until("Learnt.")
        await talk.client.send_text("Sing.")
        await talk.until("That was it.")
        talk.client.remove_tool(servers)
        assert (await talk.client.update_session()).tools == []
        assert servers._watchers == []
