import asyncio
import json

import pytest

from vivavoce.client.tool import APPROVAL_SECONDS
from vivavoce.gateway.passage import Passage, Task, ToClient, ToEndpoint
from vivavoce.gateway.server_tools.stage import MOST_ROUNDS, ServerToolStage
from vivavoce.protocol.tools import FunctionTool

WEATHER = FunctionTool(name="get_weather", description="d", parameters={"type": "object"})


class Session:
    """A client, an endpoint, and a stage between them; tools answer when `settle` lets them."""

    def __init__(self, **rules):
        self.called, self.sent, self.heard, self.tasks = [], [], [], []
        self.now = 0.0
        self.passage = Passage([ServerToolStage([WEATHER], self._run, **rules)])

    async def _run(self, call_id, name, arguments):
        self.called.append((call_id, name, arguments))
        return '{"sky":"blue"}'

    def say(self, **event):
        self._sort(self.passage.hear(json.dumps(event).encode(), self.now))

    def answer(self, kind, **event):
        self._sort(
            self.passage.receive(json.dumps({"type": kind, "event_id": "e", **event}).encode(), self.now)
        )

    def tick(self, seconds):
        self.now += seconds
        self._sort(self.passage.tick(self.now))

    async def settle(self):
        while self.tasks:
            task = self.tasks.pop(0)
            self._sort(self.passage.enter(task.position, await task.work(), self.now))

    def respond(self, *names, response_id="r1", speech=False):
        """Let the endpoint make a response that calls these functions."""
        self.answer("response.created", response={"id": response_id, "conversation_id": "c"})
        items = []
        for number, name in enumerate(names):
            item = {
                "type": "function_call",
                "id": f"{response_id}_{number}",
                "name": name,
                "call_id": f"call_{number}_{response_id}",
            }
            place = {"previous_item_id": "before"}
            self.answer(
                "response.output_item.added",
                response_id=response_id,
                output_index=number,
                item={**item, "arguments": ""},
            )
            self.answer("conversation.item.added", **place, item={**item, "arguments": ""})
            self.answer(
                "response.function_call_arguments.delta",
                response_id=response_id,
                item_id=item["id"],
                output_index=number,
                call_id=item["call_id"],
                delta="{}",
            )
            self.answer(
                "response.function_call_arguments.done",
                response_id=response_id,
                item_id=item["id"],
                output_index=number,
                call_id=item["call_id"],
                name=name,
                arguments="{}",
            )
            item = {**item, "status": "completed", "arguments": "{}"}
            self.answer("conversation.item.done", **place, item=item)
            self.answer("response.output_item.done", response_id=response_id, output_index=number, item=item)
            items.append(item)
        if speech:
            self.answer("input_audio_buffer.speech_started", audio_start_ms=0, item_id="u")
        self.answer(
            "response.done",
            response={"id": response_id, "conversation_id": "c", "status": "completed", "output": items},
        )

    def _sort(self, outputs):
        for output in outputs:
            match output:
                case ToEndpoint(data):
                    self.sent.append(json.loads(data))
                case ToClient(data):
                    self.heard.append(json.loads(data))
                case Task():
                    self.tasks.append(output)

    @property
    def kinds(self):
        return [event["type"] for event in self.heard]

    @property
    def sent_kinds(self):
        return [event["type"] for event in self.sent]


async def test_a_call_is_answered_and_the_client_sees_nothing_of_it():
    session = Session()
    session.respond("get_weather")
    await session.settle()
    assert session.called == [("call_0_r1", "get_weather", "{}")]
    assert session.sent_kinds == ["conversation.item.create", "response.create"]
    output = session.sent[0]["item"]
    assert (output["type"], output["call_id"], output["output"]) == (
        "function_call_output", "call_0_r1", '{"sky":"blue"}',
    )  # fmt: skip
    assert session.kinds == ["response.created", "response.done"]
    assert session.heard[1]["response"]["output"] == []
    assert "get_weather" not in json.dumps(session.heard)
    for kind in ("conversation.item.added", "conversation.item.done"):
        session.answer(kind, previous_item_id="r1_0", item=output)
    assert len(session.heard) == 2


async def test_what_comes_behind_hidden_items_stands_behind_what_the_client_sees():
    session = Session()
    session.respond("get_weather")
    await session.settle()
    output = session.sent[0]["item"]
    session.answer("conversation.item.added", previous_item_id="r1_0", item=output)
    message = {"type": "message", "id": "m", "role": "assistant", "content": []}
    session.answer("conversation.item.added", previous_item_id=output["id"], item=message)
    session.answer("input_audio_buffer.committed", previous_item_id="r1_0", item_id="u")
    assert [event["previous_item_id"] for event in session.heard[2:]] == ["before", "before"]


async def test_a_client_may_be_shown_the_calls_but_not_the_tools():
    session = Session(show=True)
    session.answer("session.created", session={"tools": [{"type": "function", "name": "get_weather"}]})
    session.respond("get_weather")
    await session.settle()
    assert session.heard[0]["session"]["tools"] == []
    assert session.kinds.count("response.output_item.done") == 1
    assert session.heard[-1]["response"]["output"] != []


async def test_the_next_response_is_asked_for_when_this_one_is_done():
    session = Session()
    session.answer("response.created", response={"id": "r1", "conversation_id": "c"})
    call = {"type": "function_call", "id": "i", "name": "get_weather", "call_id": "c1", "arguments": "{}"}
    session.answer("conversation.item.added", item=call)
    session.answer("response.output_item.done", response_id="r1", output_index=0, item=call)
    await session.settle()
    assert session.sent_kinds == ["conversation.item.create"]
    session.answer("response.done", response={"id": "r1", "conversation_id": "c", "output": [call]})
    assert session.sent_kinds == ["conversation.item.create", "response.create"]


async def test_who_begins_to_speak_meanwhile_is_answered_by_the_turn():
    session = Session()
    session.respond("get_weather", speech=True)
    await session.settle()
    assert session.sent_kinds == ["conversation.item.create"]


async def test_a_client_with_calls_of_its_own_asks_for_the_next_response_after_our_results():
    session = Session()
    session.respond("get_weather", "open_door")
    assert session.kinds.count("response.output_item.done") == 1
    session.say(type="response.create")
    session.say(type="input_audio_buffer.append", audio="")
    assert session.sent_kinds == ["input_audio_buffer.append"], "a slow tool holds up no audio"
    await session.settle()
    assert session.sent_kinds[1:] == ["conversation.item.create", "response.create"]
    session.say(type="response.create")
    assert session.sent_kinds[-1] == "response.create"


async def test_tools_are_added_to_those_of_the_client():
    session = Session()
    own = {"type": "function", "name": "open_door"}
    session.say(type="session.update", session={"type": "realtime", "tools": [own]})
    session.say(type="response.create", response={"tools": [own]})
    session.say(type="session.update", session={"type": "realtime"})
    session.say(type="response.create")
    names = [
        [tool["name"] for tool in (event.get("session") or event.get("response") or {}).get("tools", [])]
        for event in session.sent
    ]
    assert names == [["open_door", "get_weather"], ["open_door", "get_weather"], [], []]
    session.answer("session.updated", session={"tools": session.sent[0]["session"]["tools"]})
    assert [tool["name"] for tool in session.heard[-1]["session"]["tools"]] == ["open_door"]


async def test_a_tool_of_the_client_gives_way_to_ours_of_the_same_name():
    session = Session()
    theirs = [{"type": "function", "name": name} for name in ("get_weather", "open_door")]
    session.say(type="session.update", session={"type": "realtime", "tools": theirs})
    assert session.sent[0]["session"]["tools"] == [
        {"type": "function", "name": "open_door"},
        {"type": "function", "name": "get_weather", "description": "d", "parameters": {"type": "object"}},
    ]


async def test_errors_of_our_events_are_not_the_clients():
    session = Session()
    session.respond("get_weather")
    await session.settle()
    error = {
        "type": "invalid_request_error",
        "message": "m",
        "code": "conversation_already_has_active_response",
    }
    session.answer("error", error={**error, "event_id": session.sent[1]["event_id"]})
    assert "error" not in session.kinds
    session.answer("response.done", response={"id": "another", "conversation_id": "c"})
    assert session.sent_kinds.count("response.create") == 2, "asked for again when the conversation is free"
    session.answer("error", error={**error, "event_id": "response_create_1"})
    assert session.kinds[-1] == "error"


async def test_only_our_own_note_is_taken_off_a_response():
    session = Session()
    for metadata, seen in (
        ({"vivavoce_request": "gateway_response_1"}, None),
        ({"vivavoce_request": "gateway_response_1", "a": "b"}, {"a": "b"}),
        ({"vivavoce_request": "response_create_1"}, {"vivavoce_request": "response_create_1"}),
    ):
        session.answer("response.created", response={"id": "r", "conversation_id": "c", "metadata": metadata})
        assert session.heard[-1]["response"]["metadata"] == seen


async def test_a_model_that_goes_round_in_circles_is_asked_no_more():
    session = Session()
    for number in range(MOST_ROUNDS + 5):
        session.respond("get_weather", response_id=f"r{number}")
        await session.settle()
        key = {"vivavoce_request": f"gateway_response_{number + 1}"}
        session.answer(
            "response.created", response={"id": f"x{number}", "conversation_id": "c", "metadata": key}
        )
        session.answer("response.done", response={"id": f"x{number}", "conversation_id": "c"})
    assert session.sent_kinds.count("response.create") == MOST_ROUNDS
    session.answer("input_audio_buffer.speech_started", audio_start_ms=0, item_id="u")
    session.respond("get_weather", response_id="after")
    await session.settle()
    assert session.sent_kinds.count("response.create") == MOST_ROUNDS + 1


class TestApproval:
    async def ask(self):
        session = Session(approval=frozenset({"get_weather"}))
        session.respond("get_weather")
        await session.settle()
        assert (session.called, session.sent) == ([], [])
        added, done = [event for event in session.heard if event["type"].startswith("conversation.item.")]
        assert (added["type"], done["type"]) == ("conversation.item.added", "conversation.item.done")
        request = done["item"]
        assert request == {
            "type": "mcp_approval_request", "id": request["id"], "server_label": "gateway",
            "name": "get_weather", "arguments": "{}",
        }  # fmt: skip
        return session, request["id"]

    @pytest.mark.parametrize("approve", [True, False])
    async def test_the_client_is_asked(self, approve):
        session, request = await self.ask()
        answer = {"type": "mcp_approval_response", "approval_request_id": request, "approve": approve}
        session.say(type="conversation.item.create", item=answer)
        await session.settle()
        assert len(session.called) == approve
        assert session.sent_kinds == ["conversation.item.create", "response.create"]
        assert ("did not allow" in session.sent[0]["item"]["output"]) is not approve
        session.say(type="conversation.item.create", item=answer)
        assert len(session.called) == approve, "a yes holds once; a second is the endpoint's to judge"

    async def test_no_answer_is_a_no(self):
        session, _ = await self.ask()
        session.tick(APPROVAL_SECONDS - 1)
        assert session.sent == []
        session.tick(1)
        assert "did not answer" in session.sent[0]["item"]["output"]

    async def test_another_request_is_not_ours(self):
        session, _ = await self.ask()
        answer = {"type": "mcp_approval_response", "approval_request_id": "mcpr_1", "approve": True}
        session.say(type="conversation.item.create", item=answer)
        assert (session.sent[0]["item"], session.called) == (answer, [])


async def test_two_tools_work_at_the_same_time():
    session = Session()
    session.respond("get_weather", "get_weather")
    assert len(session.tasks) == 2
    await asyncio.gather(session.settle())
    assert session.sent_kinds[:2] == ["conversation.item.create"] * 2
