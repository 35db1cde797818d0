import json

import pytest

from tests.gateway.doubles import gateway
from vivavoce.errors import ProtocolError
from vivavoce.gateway.dialects import BETA_HEADER, BETA_SUBPROTOCOL, dialect, speaks_beta
from vivavoce.gateway.passage import ToClient, Up
from vivavoce.protocol.codec import Frame
from vivavoce.protocol.session_params import RealtimeSessionParams, TranscriptionSessionParams


@pytest.mark.parametrize(
    ("header", "offered", "beta"),
    [
        (None, [], False),
        ("realtime=v1", [], True),
        ("assistants=v2, realtime=v1", [], True),
        ("realtime=v2", [], False),
        (None, ["realtime", "openai-insecure-api-key.null", BETA_SUBPROTOCOL], True),
        (None, ["realtime"], False),
    ],
)
def test_a_client_says_that_it_speaks_the_beta(header, offered, beta):
    assert speaks_beta(header, offered) is beta


def test_each_event_becomes_another_or_nothing():
    beta = dialect(RealtimeSessionParams(), beta=True)
    data = b'{"type":"input_audio_buffer.clear"}'
    assert beta.hear(data, binary=False) == (Up(Frame(data)),)
    assert beta.say(Frame('{"type":"conversation.item.done"}')) == ()
    assert beta.say(Frame('{"type":"response.output_audio.done"}')) == (
        ToClient(b'{"type":"response.audio.done"}'),
    )
    with pytest.raises(ProtocolError, match="binary"):
        beta.hear(b"\0", binary=True)


def test_it_knows_what_the_session_is_for():
    beta = dialect(TranscriptionSessionParams(), beta=True)
    (heard,) = beta.hear(b'{"type":"session.update","session":{}}', binary=False)
    assert json.loads(heard.frame.data)["session"] == {"type": "transcription"}


FLAT = {"type": "session.update", "session": {"type": "realtime", "modalities": ["text"]}}


class TestInASession:
    async def test_a_client_of_the_beta_is_understood(self):
        async with (
            gateway() as running,
            running.connect(headers={BETA_HEADER: "realtime=v1"}) as ws,
        ):
            created = await ws.receive_json()
            assert created["session"] == {"model": "gpt-realtime", "temperature": 0.8}
            await ws.send_json({"type": "session.update", "session": {"voice": "ash"}})
            await ws.send_json({"type": "session.update", "event_id": "e", "session": {"temperature": 9}})
            refused = await ws.receive_json()
            assert (refused["type"], refused["error"]["event_id"]) == ("error", "e")
            await ws.send_json({"type": "input_audio_buffer.clear"})
            (session,) = running.upstream.sessions
            assert [event["type"] for event in await session.hears(2)] == [
                "session.update",
                "input_audio_buffer.clear",
            ]

    async def test_one_that_says_half_of_it_is_understood(self):
        async with gateway() as running, running.connect() as ws:
            await ws.receive_json()
            await ws.send_json({"type": "response.cancel"})
            assert (await ws.receive_json())["event"] == {"type": "response.cancel"}
            await ws.send_json({"type": "session.update", "session": {"type": "realtime", "voice": "ash"}})
            session = (await ws.receive_json())["event"]["session"]
            assert session == {"type": "realtime", "audio": {"output": {"voice": "ash"}}}
