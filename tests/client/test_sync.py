import inspect
import os
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest

from tests.client.doubles import ScriptedTransport
from vivavoce import RealtimeClient, SyncRealtimeClient
from vivavoce.errors import ConnectionFailed, ConnectionLost, ProtocolError, VivaVoceError
from vivavoce.protocol.client_events import InputAudioBufferClear
from vivavoce.protocol.items import InputText, MessageItem
from vivavoce.testing import FunctionCall, Script, ScriptedEngine, Turn


def connected(*turns):
    """Return a client whose endpoint plays turns; it begins and ends where the client does."""
    engine = ScriptedEngine(Script(turns=list(turns)))

    async def connect():
        await engine.start()
        return engine.connect()

    return SyncRealtimeClient(transport=connect)


@pytest.fixture(autouse=True)
def threads():
    """Leave none behind."""
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


def test_a_question_is_answered():
    with connected(Turn(expect="How are you?", say="Splendid!")) as client:
        session = client.update_session(output_modalities=["text"])
        reply = client.send_text("How are you?")
        assert (reply.wait().status, reply.text, reply.done) == ("completed", "Splendid!", True)
        assert reply.response_id == reply.wait().id
        assert [item.words for item in client.conversation.items] == ["How are you?", "Splendid!"]
        assert client.session == session
        assert client.usage.tokens.output > 0
    assert reply.text == "Splendid!"
    assert len(client.conversation.items) == 2


def test_speech_is_a_text_too():
    with connected(Turn(hear="What time is it?", say="Noon.")) as client:
        client.update_session(turn_detection=None)
        client.send_audio(np.full(8000, 0.2, np.float32), 16_000)
        assert client.commit().text == "Noon."


def test_the_conversation_is_read_in_copies():
    changes = []
    with connected(Turn(say="Splendid!"), Turn(say="Fine.")) as client:
        remove = client.conversation.on("item.completed", changes.append)
        client.update_session(output_modalities=["text"])
        client.send_text("How are you?").wait()
        items = client.conversation.items
        assert client.conversation.find(items[-1].id).words == items[-1].words == "Splendid!"
        assert client.conversation.find(items[-1].id) is not items[-1]
        remove()
        client.send_text("And now?").wait()
    assert [change.item.words for change in changes] == ["How are you?", "Splendid!"]


def test_events_are_read_until_the_end():
    transport = ScriptedTransport()
    with SyncRealtimeClient(transport=lambda: transport) as client:
        beside = client.events()
        client._background.call(lambda: transport.say({"type": "input_audio_buffer.cleared"}))
        client._background.call(lambda: transport.lose(1000))
        assert [event.type for event in client] == ["input_audio_buffer.cleared"]
        assert [event.type for event in beside] == ["input_audio_buffer.cleared"]
        assert (beside.missed, beside.next()) == (0, None)


def test_an_event_is_not_waited_for_forever():
    with SyncRealtimeClient(transport=ScriptedTransport) as client, pytest.raises(TimeoutError):
        iter(client).next(0.01)


def test_an_end_that_is_not_regular_is_raised_to_who_reads():
    transport = ScriptedTransport()
    with SyncRealtimeClient(transport=lambda: transport, reconnect=False) as client:
        client._background.call(lambda: transport.lose(1011, "no more"))
        with pytest.raises(ConnectionLost, match="no more"):
            list(client)


def test_handlers_are_told_and_can_be_taken_off():
    heard, told = [], threading.Event()

    def hear(event):
        heard.append(threading.current_thread().name)
        told.set()

    with connected() as client:
        remove = client.on("session.updated", hear)
        client.update_session(instructions="x")
        assert told.wait(10)
        remove()
        client.update_session(instructions="y")
    assert heard == ["realtime client"]


def test_a_handler_that_would_wait_for_its_own_thread_is_told(caplog):
    with connected() as client:
        client.on("session.updated", lambda event: failures.append(_failure(lambda: client.send_text("x"))))
        failures = []
        client.update_session(instructions="x")
        client.update_session(instructions="y")
    assert isinstance(failures[0], VivaVoceError)


def _failure(call):
    try:
        return call()
    except VivaVoceError as error:
        return error


class TestTools:
    def test_plain_functions_are_called_in_another_thread(self):
        names = []
        call = FunctionCall(name="get_weather", arguments={"place": "Paris"})
        client = connected(Turn(call=call), Turn(say="It rains."))

        @client.tool
        def get_weather(place: str) -> str:
            """Tell the weather at a place."""
            names.append((place, threading.current_thread().name))
            return "rain"

        with client:
            client.update_session(output_modalities=["text"])
            client.send_text("What is the weather?")
            for event in client:
                if event.type == "response.output_text.done":
                    break
        assert event.text == "It rains."
        assert names[0][0] == "Paris"
        assert names[0][1] not in {"realtime client", threading.current_thread().name}

    def test_they_come_and_go_while_it_lasts(self):
        with connected() as client:

            @client.tool(name="other", seconds=3, description="Do.")
            def one() -> None: ...

            tools = client.update_session(instructions="x").tools
            assert [tool.name for tool in tools] == ["other"]
            client.remove_tool("other")
            assert client.update_session(instructions="y").tools == []
            with pytest.raises(KeyError):
                client.remove_tool("other")


class TestErrors:
    def test_are_raised_where_they_were_caused(self):
        with connected() as client:
            with pytest.raises(TypeError, match="no 'voise'"):
                client.update_session(voise="marin")
            with pytest.raises(ProtocolError):
                client.update_session(voice="nobody")

    def test_an_endpoint_that_cannot_be_reached_leaves_no_thread(self):
        def connect():
            raise ConnectionFailed("no one there")

        with pytest.raises(ConnectionFailed):
            SyncRealtimeClient(transport=connect).connect()

    def test_nothing_can_be_sent_before_it_is_connected(self):
        with pytest.raises(VivaVoceError, match="with statement"):
            connected().send_text("Hi")

    def test_a_reply_that_is_left_ends_with_the_session(self):
        with SyncRealtimeClient(transport=ScriptedTransport) as client:
            reply = client.send_text("Hi")
            with pytest.raises(TimeoutError):
                reply.wait(0.01)
        with pytest.raises(ConnectionLost):
            reply.wait()
        client.close()


def test_responses_are_cancelled_and_answers_interrupted():
    transport = ScriptedTransport()
    with SyncRealtimeClient(transport=lambda: transport) as client:
        client.create_item(MessageItem(role="user", content=[InputText(text="Hi")]))
        first, second = client.create_response(), client.create_response()
        second.cancel()
        with pytest.raises(VivaVoceError, match="cancelled before it began"):
            second.wait()
        created = {"type": "response.created", "response": {"id": "r"}}
        done = {"type": "response.done", "response": {"id": "r", "status": "cancelled"}}
        client._background.call(lambda: transport.say(created))
        assert next(iter(client)).type == "response.created"
        client.interrupt()
        client.send(InputAudioBufferClear())
        client._background.run(transport.until_sent(4))
        assert transport.sent_types()[2:] == ["response.cancel", "input_audio_buffer.clear"]
        client._background.call(lambda: transport.say(done))
        assert first.wait(10).status == "cancelled"


def test_it_can_all_that_the_other_can():
    names = {*dir(RealtimeClient), *vars(connected()._client)}
    assert {name for name in names if not name.startswith("_")} <= {*dir(SyncRealtimeClient), "conversation"}
    same = (
        "__init__",
        "tool",
        "add_tools",
        "remove_tool",
        "create_item",
        "send",
        "send_audio",
        "send_file",
        "send_text",
        "microphone",
        "commit",
    )
    for name in (*same, "create_response", "interrupt"):
        assert parameters(SyncRealtimeClient, name) == parameters(RealtimeClient, name)


def parameters(kind, name):
    """Return what a method can be given; how it tells types apart does not matter."""
    given = inspect.signature(getattr(kind, name)).parameters.values()
    return [(one.name, one.kind, one.default) for one in given]


INTERRUPTED = """
import threading
from tests.client.doubles import ScriptedTransport
from vivavoce import SyncRealtimeClient

try:
    with SyncRealtimeClient(transport=ScriptedTransport) as client:
        print("waiting", flush=True)
        for event in client:
            pass
except KeyboardInterrupt:
    print(threading.active_count())
"""


def test_ctrl_c_leaves_no_thread():
    with subprocess.Popen([sys.executable, "-c", INTERRUPTED], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "waiting\n"
        os.kill(process.pid, signal.SIGINT)
        assert process.communicate()[0] == "1\n"
