import json
from pathlib import Path

import pytest

from vivavoce.errors import ScriptError, ScriptFailed
from vivavoce.testing import Cassette, Script, ScriptedEngine, Turn
from vivavoce.testing.cassette import REDACTED, Frame
from vivavoce.testing.endpoint import ScriptedEndpoint

WIRE = sorted((Path(__file__).parents[1] / "wire").glob("*.jsonl"))


async def replay(transport, frames, change=lambda event: event):
    """Be the client of a cassette; return what the server said."""
    received = []
    for frame in frames:
        if frame.dir == "C":
            await transport.send(json.dumps(change(frame.event)))
        else:
            received.append(json.loads(await transport.receive()))
    return received


@pytest.mark.parametrize("path", WIRE, ids=lambda path: path.stem.split("__")[1])
async def test_a_recorded_session_is_replayed_as_it_was(path, tmp_path):
    cassette = Cassette.load(path)
    async with cassette.endpoint() as transport:
        received = await replay(transport, cassette.frames)
    assert received == [frame.event for frame in cassette.frames if frame.dir == "S"]
    cassette.save(tmp_path / "copy.jsonl")
    assert Cassette.load(tmp_path / "copy.jsonl") == cassette


def session(*frames):
    return Cassette([Frame(direction, event) for direction, event in frames])


CREATED = session(
    ("S", {"type": "session.created", "event_id": "event_1", "session": {"id": "sess_1"}}),
    (
        "C",
        {
            "type": "conversation.item.create",
            "event_id": "mine",
            "item": {"id": "item_mine", "type": "message"},
        },
    ),
    ("S", {"type": "conversation.item.added", "event_id": "event_2", "item": {"id": "item_mine"}}),
    ("S", {"type": "error", "event_id": "event_3", "error": {"event_id": "mine"}}),
    ("C", {"type": "conversation.item.delete", "event_id": "other", "item_id": "item_mine"}),
)


class TestIdentifiers:
    async def test_those_of_the_client_may_be_others(self):
        def renamed(event):
            return json.loads(json.dumps(event).replace("item_mine", "item_9").replace('"mine"', '"evt_9"'))

        async with CREATED.endpoint() as transport:
            received = await replay(transport, CREATED.frames, renamed)
        assert received[1]["item"]["id"] == "item_9"
        assert received[2]["error"]["event_id"] == "evt_9"

    async def test_but_always_the_same(self):
        async def talk():
            async with CREATED.endpoint() as transport:
                await replay(transport, CREATED.frames[:-1])
                await transport.send('{"type": "conversation.item.delete", "item_id": "item_other"}')

        with pytest.raises(ScriptFailed, match='item_id: expected "item_mine", got "item_other"'):
            await talk()

    async def test_those_of_the_server_are_as_they_were(self):
        cassette = session(
            ("S", {"type": "response.created", "response": {"id": "resp_1"}}),
            ("C", {"type": "response.cancel", "response_id": "resp_1"}),
        )
        async with cassette.endpoint() as transport:
            await replay(transport, cassette.frames)
        with pytest.raises(ScriptFailed, match='response_id: expected "resp_1", got "resp_2"'):
            await cassette.endpoint().send('{"type": "response.cancel", "response_id": "resp_2"}')


class TestAudio:
    def append(self, audio):
        return "C", {"type": "input_audio_buffer.append", "audio": audio}

    async def test_may_be_any_cut_in_any_way(self):
        cassette = session(
            self.append("AAAA"), self.append("BBBB"), ("S", {"type": "x"}), self.append("CCCC")
        )
        async with cassette.endpoint() as transport:
            for _ in range(3):
                await transport.send('{"type": "input_audio_buffer.append", "audio": "AA=="}')
            assert json.loads(await transport.receive())["type"] == "x"

    async def test_but_there_must_be_some(self):
        with pytest.raises(ScriptFailed, match=r"expected input_audio_buffer\.append, got"):
            await session(self.append("AAAA")).endpoint().send('{"type": "input_audio_buffer.commit"}')


class TestRecording:
    async def test_what_passes_is_on_the_tape_and_can_be_replayed(self):
        cassette = Cassette()
        async with ScriptedEngine(Script(turns=[Turn(say="Hi.")])) as engine:
            transport = cassette.record(engine.connect())
            await transport.send('{"type": "response.create", "event_id": "mine"}')
            while cassette.frames[-1].event["type"] != "response.done":
                await transport.receive()
            await transport.close()
        assert [frame.dir for frame in cassette.frames[:2]] == ["C", "S"]
        async with cassette.endpoint() as again:
            received = await replay(again, cassette.frames)
        assert received == [frame.event for frame in cassette.frames[1:]]

    async def test_keys_are_not(self):
        secret = "sk-proj-abcdefgh1234"
        cassette = Cassette()
        tool = {
            "type": "mcp",
            "authorization": "abc",
            "headers": {"X-Key": "abc"},
            "server_url": f"http://x/?k={secret}",
        }
        event = {
            "type": "session.update",
            "session": {"tools": [tool], "instructions": f"Bearer abc, {secret}"},
        }
        async with ScriptedEndpoint([], ignore=("session.update",)) as endpoint:
            await cassette.record(endpoint).send(json.dumps(event))
        assert cassette.frames[0].event["session"] == {
            "tools": [
                {
                    "type": "mcp",
                    "authorization": REDACTED,
                    "headers": {"X-Key": REDACTED},
                    "server_url": f"http://x/?k={REDACTED}",
                }
            ],
            "instructions": f"{REDACTED} {REDACTED}",
        }


class TestReading:
    @pytest.mark.parametrize(
        ("text", "said"),
        [
            (
                '{"dir": "C", "event": {}}\n{"dir": "X", "event": {}}',
                r"^t\.jsonl, line 2: expected a frame: .*'X'",
            ),
            ("nonsense", r"^t\.jsonl, line 1: expected a frame: "),
        ],
    )
    def test_what_is_no_cassette_is_named(self, tmp_path, text, said):
        (tmp_path / "t.jsonl").write_text(text)
        with pytest.raises(ScriptError, match=said):
            Cassette.load(tmp_path / "t.jsonl")

    def test_so_is_a_file_that_is_not_there(self, tmp_path):
        with pytest.raises(ScriptError, match="No such file"):
            Cassette.load(tmp_path / "t.jsonl")
