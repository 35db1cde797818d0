"""A client whose connections end, against endpoints that expect event by event what comes over the next one."""

import asyncio
import base64
import contextlib

import numpy as np
import pytest

from vivavoce.client import RealtimeClient, Reconnect
from vivavoce.client.continuity import Continuity
from vivavoce.client.conversation import Conversation
from vivavoce.client.line import RESTORE_SECONDS, Line, Owner
from vivavoce.client.outbox import Outbox
from vivavoce.client.tasks import Tasks
from vivavoce.errors import ConnectionFailed, ConnectionLost, ProtocolError
from vivavoce.protocol.items import FunctionCallOutput, InputText, MessageItem
from vivavoce.protocol.responses import ResponseCreateParams
from vivavoce.testing import ScriptedEndpoint, close, emit, expect, serve_scripted

PROMPTLY = Reconnect(first_wait=0.0)
AUDIO = base64.b64encode(bytes(1920)).decode()


def created(session_id="sess_1", *, expires_at=0, **heard):
    session = {"id": session_id, "type": "realtime", "expires_at": expires_at, "audio": {"input": heard}}
    return emit("session.created", session=session)


def added(event):
    """Answer the creation of an item."""
    return {"type": "conversation.item.added", "item": {"status": "completed", **event["item"]}}


def updated(event):
    """Answer an update."""
    return {"type": "session.updated", "session": {"id": "sess", **event["session"]}}


def begun(response_id="resp_1"):
    """Answer a request, with the metadata that it came with."""
    return lambda event: {
        "type": "response.created",
        "response": {
            "id": response_id,
            "conversation_id": "conv_1",
            "metadata": event.get("response", {}).get("metadata"),
        },
    }


def done(response_id="resp_1", status="completed"):
    response = {"id": response_id, "status": status, "conversation_id": "conv_1"}
    return emit("response.done", response=response)


def answer(words, response_id="resp_1", item_id="item_a"):
    """Answer in text, but for the end."""
    where = {"response_id": response_id, "item_id": item_id, "output_index": 0, "content_index": 0}
    item = {"id": item_id, "type": "message", "role": "assistant", "status": "in_progress", "content": []}
    return [
        emit(begun(response_id)),
        emit("response.output_item.added", response_id=response_id, output_index=0, item=item),
        emit("conversation.item.added", item=item),
        emit("response.output_text.delta", delta=words, **where),
    ]


def whole(words, response_id="resp_1", item_id="item_a"):
    content = [{"type": "output_text", "text": words}]
    item = {"id": item_id, "type": "message", "role": "assistant", "status": "completed", "content": content}
    return [
        *answer(words, response_id, item_id),
        emit("conversation.item.done", item=item),
        emit("response.output_item.done", response_id=response_id, output_index=0, item=item),
        done(response_id),
    ]


ASK = [expect("conversation.item.create", item={"role": "user"}), emit(added), expect("response.create")]


@contextlib.asynccontextmanager
async def line(*connections, policy=PROMPTLY, connect=True, **options):
    """Give a client that meets these connections, one after the other; each is steps, or an error.

    All that is expected must come, and all that was to be met must be met.
    """
    endpoints = [one if isinstance(one, Exception) else ScriptedEndpoint(one) for one in connections]
    left = list(endpoints)

    def meet(*_):
        one = left.pop(0)
        if isinstance(one, Exception):
            raise one
        return one.connect()

    client = RealtimeClient(transport=meet, reconnect=policy, **options)
    client.told = []
    client.on("*", client.told.append)
    if connect:
        await client.connect()
    try:
        yield client
    finally:
        await client.close()
    assert not left
    for one in endpoints:
        if isinstance(one, ScriptedEndpoint):
            one.check()


async def until(client, kind):
    """Read until an event of a type comes."""
    async for event in client:
        if event.type == kind:
            return event
    raise AssertionError(f"there was no {kind}")


def words(client):
    return [(item.role, item.words) for item in client.conversation.items if item.type == "message"]


class TestAnswers:
    async def test_an_unanswered_question_is_asked_again(self):
        again = [created("sess_2"), *ASK, *whole("Fine.", "resp_2")]
        async with line([created(), expect("conversation.item.create"), close(1006)], again) as client:
            response = await (await client.send_text("How are you?"))
            assert response.id == "resp_2"
            assert words(client) == [("user", "How are you?"), ("assistant", "Fine.")]

    async def test_a_question_that_arrived_is_restored_and_its_request_repeated(self):
        again = [created("sess_2"), *ASK, *whole("Fine.", "resp_2")]
        async with line([created(), *ASK, emit(begun()), close(1011, "overloaded")], again) as client:
            reply = await client.send_text("How are you?")
            assert (await reply).id == "resp_2"
            restored = await until(client, "state_restored")
            assert restored.why == "connection lost"
            assert (restored.code, restored.reason) == (1011, "overloaded")
            assert restored.attempts == 1
            assert restored.session_id == "sess_2"
            assert restored.restored == [client.conversation.items[0].id]
            assert restored.repeated == ["response.create"]
            assert restored.lost == []

    async def test_every_response_that_began_ends_for_those_who_follow(self):
        again = [created("sess_2"), *ASK, *whole("Fine.", "resp_2")]
        async with line([created(), *ASK, emit(begun()), close(1006)], again) as client:
            await (await client.send_text("How are you?"))
            kinds = [event.type for event in client.told if event.type.startswith(("resp", "conn", "state"))]
            ids = [event.response.id for event in client.told if event.type == "response.done"]
            assert ids == ["resp_1", "resp_2"]
            assert (
                kinds.index("response.done") < kinds.index("connection.lost") < kinds.index("state_restored")
            )

    async def test_half_an_answer_ends_with_the_error_and_is_not_forgotten(self):
        said = expect(
            "conversation.item.create",
            item={"role": "assistant", "content": [{"type": "output_text", "text": "Once upon "}]},
        )
        again = [created("sess_2"), expect("conversation.item.create"), emit(added), said, emit(added)]
        async with line([created(), *ASK, *answer("Once upon "), close(1006)], again) as client:
            with pytest.raises(ConnectionLost):
                await (await client.send_text("Tell me a story"))
            interrupted = await until(client, "connection.lost")
            assert interrupted.ended == ["resp_1"]
            assert len((await until(client, "state_restored")).restored) == 2
            assert words(client)[1] == ("assistant", "Once upon ")

    async def test_requests_that_wait_for_each_other_still_do(self):
        again = [
            created("sess_2"),
            *([expect("conversation.item.create"), emit(added)] * 2),
            expect("response.create"),
            *whole("One.", "resp_2", "item_b"),
            expect("response.create"),
            *whole("Two.", "resp_3", "item_c"),
        ]
        first = [created(), *ASK, expect("conversation.item.create"), emit(added)]
        async with line([*first, close(1006)], again) as client:
            replies = [await client.send_text("One?"), await client.send_text("Two?")]
            assert [(await reply).id for reply in replies] == ["resp_2", "resp_3"]

    async def test_those_out_of_band_are_asked_again(self):
        beside = expect("response.create", response={"conversation": "none"})
        again = [created("sess_2"), beside, emit(lambda event: {**begun("resp_2")(event)}), done("resp_2")]
        async with line([created(), beside, close(1006)], again) as client:
            params = ResponseCreateParams(conversation="none")
            assert (await (await client.create_response(params))).id == "resp_2"


class TestSession:
    async def test_what_was_set_is_set_again_before_all_else(self):
        update = expect("session.update", session={"instructions": "Rhyme."})
        again = [created("sess_2"), update, emit(updated), *ASK, *whole("Fine, like wine.")]
        async with line([created(), update, emit(updated), close(1006)], again) as client:
            await client.update_session(instructions="Rhyme.")
            await (await client.send_text("How are you?"))
            updates = [event for event in client.told if event.type == "session.updated"]
            assert len(updates) == 1  # nobody asked for the second

    async def test_an_update_under_way_arrives(self):
        update = expect("session.update", session={"instructions": "Rhyme."})
        again = [created("sess_2"), update, emit(updated)]
        async with line([created(), update, close(1006)], again) as client:
            assert (await client.update_session(instructions="Rhyme.")).instructions == "Rhyme."

    async def test_what_is_sent_while_there_is_no_line_waits_for_it(self):
        gate = asyncio.Event()
        endpoints = [
            ScriptedEndpoint([created(), close(1006)]),
            ScriptedEndpoint([created("sess_2"), *ASK, *whole("Hi.")]),
        ]

        async def meet():
            if len(endpoints) == 1:
                await gate.wait()
            return endpoints.pop(0).connect()

        async with RealtimeClient(transport=meet, reconnect=PROMPTLY) as client:
            await until(client, "connection.lost")
            reply = await client.send_text("Still there?")
            for _ in range(1000):  # more than any queue has places for
                await client.send_audio(np.zeros(960, np.float32))
            gate.set()
            assert (await reply).status == "completed"


class TestSpeech:
    async def test_what_was_being_said_is_sent_again(self):
        spoken = [expect("input_audio_buffer.append")] * 3
        again = [
            created("sess_2", turn_detection=None),
            *spoken,
            expect("input_audio_buffer.append", audio=AUDIO),
            expect("input_audio_buffer.commit"),
            emit("input_audio_buffer.committed", item_id="item_u"),
            expect("response.create"),
            emit(begun()),
            done(),
        ]
        async with line([created(turn_detection=None), *spoken, close(1006)], again) as client:
            await client.send_audio(np.zeros(960 * 3, np.float32))
            restored = await until(client, "state_restored")
            assert restored.audio_ms == 120
            await client.send_audio(np.zeros(960, np.float32))
            assert (await (await client.commit())).status == "completed"

    async def test_a_commit_under_way_arrives_behind_its_speech(self):
        talk = [
            expect("input_audio_buffer.append"),
            expect("input_audio_buffer.commit"),
            expect("response.create"),
        ]
        committed = emit("input_audio_buffer.committed", item_id="item_u")
        again = [created("sess_2", turn_detection=None), *talk, committed, emit(begun()), done()]
        async with line([created(turn_detection=None), *talk, close(1006)], again) as client:
            await client.send_audio(np.zeros(960, np.float32))
            assert (await (await client.commit())).status == "completed"

    async def test_what_an_endpoint_had_begun_to_hear_it_hears_again_from_the_beginning(self):
        spoken = [expect("input_audio_buffer.append")] * 4
        started = emit("input_audio_buffer.speech_started", audio_start_ms=80, item_id="item_u")
        again = [created("sess_2"), *([expect("input_audio_buffer.append")] * 2), started]
        async with line([created(), *spoken, started, close(1006)], again) as client:
            await client.send_audio(np.zeros(960 * 4, np.float32))
            assert (await until(client, "state_restored")).audio_ms == 80
            deleted = [event.item_id for event in client.told if event.type == "conversation.item.deleted"]
            assert deleted == ["item_u"]  # what had begun to be an item begins anew


class TestTools:
    async def test_what_a_tool_finds_is_told_over_the_next_connection(self):
        call = {
            "id": "item_c",
            "type": "function_call",
            "name": "look",
            "call_id": "call_1",
            "arguments": "{}",
        }
        first = [
            created(),
            expect("session.update"),
            emit(updated),
            *ASK,
            emit(begun()),
            emit("conversation.item.added", item={**call, "status": "in_progress"}),
            emit(
                "response.output_item.done",
                response_id="resp_1",
                output_index=0,
                item={**call, "status": "completed"},
            ),
            close(1006),
        ]
        again = [
            created("sess_2"),
            expect("session.update"),
            emit(updated),
            expect("conversation.item.create", item={"type": "message"}),
            emit(added),
            expect("conversation.item.create", item=call),
            emit(added),
            expect("conversation.item.create", item={"type": "function_call_output", "output": "a cat"}),
            emit(added),
            expect("response.create"),
            *whole("A cat.", "resp_2"),
        ]
        seen = asyncio.Event()
        async with line(first, again, connect=False) as client:

            @client.tool
            async def look() -> str:
                await seen.wait()
                return "a cat"

            await client.connect()
            with pytest.raises(ConnectionLost):
                await (await client.send_text("What do you see?"))
            assert (await until(client, "state_restored")).lost == []
            seen.set()
            await until(client, "response.output_text.delta")
            assert words(client)[-1] == ("assistant", "A cat.")


class TestAttempts:
    async def test_a_crowded_endpoint_is_asked_again(self):
        crowded = ConnectionFailed("no place", status=503, retry_after=0)
        async with line([created(), close(1012)], crowded, crowded, [created("sess_2")]) as client:
            assert (await until(client, "state_restored")).attempts == 3

    async def test_a_key_that_is_refused_is_not_tried_twice(self):
        refused = ConnectionFailed("Incorrect API key provided.", status=401, code="invalid_api_key")
        async with line([created(), close(1001)], refused) as client:
            with pytest.raises(ConnectionLost, match="Incorrect API key") as lost:
                async for _ in client:
                    pass
            assert lost.value.__cause__ is refused
            with pytest.raises(ConnectionLost):
                await client.send_text("Hello")

    async def test_it_is_given_up_in_the_end(self):
        gone = ConnectionFailed("nobody there")
        policy = Reconnect(attempts=3, first_wait=0)
        async with line([created(), close(1006)], gone, gone, gone, policy=policy) as client:
            reply = await client.send_text("Hello")
            with pytest.raises(ConnectionLost, match="nobody there"):
                await reply

    async def test_connections_that_end_at_once_are_attempts(self):
        brief = [created(), close(1011)]
        policy = Reconnect(attempts=3, first_wait=0)
        async with line(brief, brief, brief, brief, policy=policy) as client:
            with pytest.raises(ConnectionLost, match="again and again"):
                async for _ in client:
                    pass

    @pytest.mark.parametrize(
        ("code", "why"), [("insufficient_quota", "You have no money."), ("beta_api_shape_disabled", "Gone.")]
    )
    async def test_an_error_that_stays_ends_the_session_with_its_reason(self, code, why):
        said = emit("error", error={"type": "invalid_request_error", "code": code, "message": why})
        async with line([created(), said, close(1011)]) as client:
            with pytest.raises(ConnectionLost, match=why):
                async for _ in client:
                    pass

    async def test_what_is_no_event_ends_the_connection_and_the_session_with_it_only_where_there_was_never_one(
        self,
    ):
        broken = ScriptedEndpoint([created()])
        fine = ScriptedEndpoint([created("sess_2")])
        left = [broken, fine]
        async with RealtimeClient(transport=lambda: left.pop(0).connect(), reconnect=PROMPTLY) as client:
            await until(client, "session.created")
            broken._outbox.put_nowait(b'{"type": "response.out')
            assert (await until(client, "state_restored")).code == 1006
        deaf = ScriptedEndpoint([])
        deaf._outbox.put_nowait(b"SSH-2.0")
        async with RealtimeClient(transport=deaf.connect, reconnect=PROMPTLY) as client:
            with pytest.raises(ConnectionLost, match="1002"):
                await until(client, "session.created")

    async def test_a_regular_end_is_the_end(self):
        async with line([created(), close(1000)]) as client:
            assert [event.type async for event in client] == ["session.created"]

    async def test_without_a_policy_the_first_end_is_the_end(self):
        async with line([created(), close(1006)], policy=False) as client:
            with pytest.raises(ConnectionLost, match="1006"):
                async for _ in client:
                    pass

    async def test_closing_ends_the_attempts(self):
        dialling = asyncio.Event()

        async def meet():
            if dialled:
                dialling.set()
                await asyncio.Event().wait()
            dialled.append(True)
            return ScriptedEndpoint([created(), close(1006)]).connect()

        dialled = []
        async with RealtimeClient(transport=meet) as client:
            reply = await client.send_text("Hello")
            await dialling.wait()
        with pytest.raises(ConnectionLost):
            await reply

    async def test_over_a_real_line(self):
        endpoint = ScriptedEndpoint([created(), expect("conversation.item.create"), close(4000)])
        async with serve_scripted(endpoint) as url, RealtimeClient(url, model="gpt-realtime") as client:
            reply = await client.send_text("Hello")
            with pytest.raises(ConnectionLost, match="4000"):
                await reply


class TestRestoring:
    async def test_what_is_refused_is_named(self):
        refusal = emit(
            lambda event: {
                "type": "error",
                "error": {
                    "type": "invalid_request_error",
                    "message": "too long",
                    "event_id": event["event_id"],
                },
            }
        )
        hello = [expect("conversation.item.create", item={"id": "item_1"}), emit(added)]
        again = [created("sess_2"), expect("conversation.item.create", item={"id": "item_1"}), refusal]
        async with line([created(), *hello, close(1006)], again) as client:
            await client.create_item(MessageItem(id="item_1", role="user", content=[InputText(text="Hello")]))
            restored = await until(client, "state_restored")
            assert restored.restored == []
            assert [(one.item_id, one.what) for one in restored.lost] == [
                ("item_1", "It was refused: too long")
            ]
            assert [event for event in client.told if event.type == "error"] == []

    async def test_an_endpoint_that_does_not_answer_is_not_waited_for(self, monkeypatch):
        assert RESTORE_SECONDS > 1
        monkeypatch.setattr("vivavoce.client.line.RESTORE_SECONDS", 0.01)
        hello = [expect("conversation.item.create", item={"id": "item_1"}), emit(added)]
        again = [created("sess_2"), expect("conversation.item.create")]
        async with line([created(), *hello, close(1006)], again) as client:
            await client.create_item(MessageItem(id="item_1", role="user", content=[InputText(text="Hello")]))
            restored = await until(client, "state_restored")
            assert [one.item_id for one in restored.lost] == ["item_1"]

    async def test_if_that_connection_ends_too_all_is_told_to_the_next(self):
        hello = [expect("conversation.item.create", item={"id": "item_1"})]
        lists = [
            [created(), *hello, emit(added), close(1006)],
            [created("sess_2"), *hello, close(1006)],
            [created("sess_3"), *hello, emit(added)],
        ]
        async with line(*lists) as client:
            await client.create_item(MessageItem(id="item_1", role="user", content=[InputText(text="Hello")]))
            restored = await until(client, "state_restored")
            assert (restored.session_id, restored.restored) == ("sess_3", ["item_1"])


class TestSideband:
    async def test_attaching_again_restores_nothing_and_repeats_nothing(self):
        update = expect("session.update")
        lists = [[update, emit(updated), *ASK, emit(begun()), close(1006)], [update, emit(updated)]]
        async with line(*lists, call_id="rtc_1") as client:
            await client.update_session(instructions="Rhyme.")
            with pytest.raises(ConnectionLost):
                await (await client.send_text("Hello"))
            restored = await until(client, "state_restored")
            assert (restored.restored, restored.repeated, restored.lost) == ([], [], [])
            await client.update_session(instructions="Sing.")


class TestErrors:
    """What is refused is told to who asked for it."""

    def refusal(self, message):
        def refuse(event):
            error = {"type": "invalid_request_error", "message": message, "event_id": event["event_id"]}
            return {"type": "error", "error": error}

        return emit(refuse)

    async def test_a_commit_that_is_refused_ends_its_reply(self):
        steps = [
            created(),
            expect("input_audio_buffer.commit"),
            self.refusal("buffer too small"),
            expect("response.create"),
            emit(begun()),
            expect("response.cancel", response_id="resp_1"),
            done(status="cancelled"),
        ]
        async with line(steps) as client:
            reply = await client.commit()
            with pytest.raises(ProtocolError, match="too small"):
                await reply
            await until(client, "response.done")

    async def test_an_item_that_is_refused_ends_the_next_reply(self):
        steps = [
            created(),
            expect("conversation.item.create"),
            self.refusal("no such thing"),
            expect("response.create"),
            emit(begun()),
            expect("response.cancel"),
            done(status="cancelled"),
            *ASK,
            *whole("Hi.", "resp_2"),
        ]
        async with line(steps) as client:
            await client.create_item(FunctionCallOutput(call_id="call_9", output="1"))
            with pytest.raises(ProtocolError, match="no such thing"):
                await (await client.create_response())
            assert (await (await client.send_text("Hello"))).status == "completed"


async def test_closing_at_once_closes_the_connection():
    endpoint = ScriptedEndpoint([created()])
    tasks = Tasks()
    owner = Owner(*6 * [lambda *_: None])
    connection = Line(
        endpoint.connect, tasks, Outbox(), owner, continuity=Continuity(Conversation()), policy=PROMPTLY
    )
    await connection.open()
    await connection.close()
    await tasks.cancel()
    assert endpoint._lost is not None, "and not only once it is read"


async def test_closing_is_no_loss():
    """What an endpoint makes of being left concerns nobody."""
    endpoint = ScriptedEndpoint([created()])
    async with serve_scripted(endpoint) as url:
        client = RealtimeClient(url)
        told = []
        client.on("*", lambda event: told.append(event.type))
        async with client:
            await until(client, "session.created")
    assert told == ["session.created"]
