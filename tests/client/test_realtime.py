import asyncio
import base64

import numpy as np
import pytest

from tests.client.doubles import ScriptedTransport
from tests.engine import fakes
from vivavoce.client.realtime import RealtimeClient
from vivavoce.client.remote_player import RemotePlayer
from vivavoce.engine import Engine
from vivavoce.engine.models.protocols import ArgumentsDelta, CallStarted, Finished, TextDelta
from vivavoce.engine.profiles import Loaded
from vivavoce.errors import ConnectionLost, ProtocolError, SpeechTooShort, VivaVoceError
from vivavoce.protocol.responses import ResponseCreateParams
from vivavoce.protocol.server_events import ErrorEvent, InputAudioBufferSpeechStopped
from vivavoce.protocol.session_params import ServerVadParams


class Calling:
    """A language model that calls every function it may, once, and then says what came of it."""

    name = "calling"

    def __init__(self, *arguments):
        self.arguments = arguments or ("{}",)

    async def prepare(self, prompt):
        pass

    async def generate(self, prompt, *, max_tokens, temperature=0.4):
        results = [message.text for message in prompt.messages if message.role == "tool"]
        if results:
            yield TextDelta(" and ".join(results))
        else:
            for function, arguments in zip(prompt.functions, self.arguments, strict=False):
                yield CallStarted(function.name)
                yield ArgumentsDelta(arguments)
        yield Finished("stop", 20, 5)


@pytest.fixture
async def engine():
    """An engine that hears "What time is it?" and answers "Hi there."; its language model can be replaced."""
    models = fakes.models(words="What time is it?")

    async def load(_):
        async def close():
            pass

        return Loaded(models, {}, 2000, close)

    async with Engine(load=load) as engine:
        yield engine


@pytest.fixture
def client(engine):
    return RealtimeClient(transport=engine.connect)


def use(engine, language_model):
    from dataclasses import replace

    engine._loaded = replace(
        engine._loaded, models=replace(engine._loaded.models, language_model=language_model)
    )


def words(client):
    return [(item.role, item.words) for item in client.conversation.items if item.type == "message"]


class TestTurns:
    async def test_in_writing(self, client):
        async with client:
            await client.update_session(output_modalities=["text"])
            response = await (await client.send_text("Hello"))
            assert response.status == "completed"
            assert words(client) == [("user", "Hello"), ("assistant", "Hi there.")]
            assert client.usage.responses == 1
            assert client.usage.tokens.output == response.usage.output_tokens > 0

    async def test_several_questions_wait_for_each_other(self, client):
        async with client:
            await client.update_session(output_modalities=["text"])
            replies = [await client.send_text(text) for text in ("One", "Two", "Three")]
            assert {(await reply).status for reply in replies} == {"completed"}
            assert len({reply.response_id for reply in replies}) == 3

    async def test_push_to_talk(self, client):
        async with client:
            await client.update_session(turn_detection=None, transcription=True)
            await client.send_audio(np.full(16_000, 0.2, np.float32), rate=16_000)
            response = await (await client.commit())
            assert response.status == "completed"
            assert ("user", "What time is it?") in words(client)

    @pytest.mark.parametrize("name", ["audio/pcmu", "audio/pcma"])
    async def test_by_telephone(self, engine, name):
        speaker = Loudspeaker()
        async with RealtimeClient(transport=engine.connect, speaker=speaker, keep_audio=True) as client:
            changes = {"input_format": name, "output_format": name, "turn_detection": None}
            await client.update_session(**changes, transcription=True)
            await client.send_audio(np.full(16_000, 0.2, np.float32), rate=16_000)
            assert (await (await client.commit())).status == "completed"
            assert ("user", "What time is it?") in words(client)
            spoken = sum(len(item.audio) for item in client.conversation.items)
            assert speaker.queued == 3 * spoken > 0, "eight bytes to the millisecond, and 24 samples"

    async def test_too_short_to_be_a_turn(self, client):
        errors = []
        client.on("error", errors.append)
        async with client:
            await client.update_session(turn_detection=None)
            await client.send_audio(np.full(800, 0.2, np.float32), rate=16_000)
            with pytest.raises(SpeechTooShort, match="got 50 ms"):
                await client.commit()
            await client.update_session()
        assert errors == []

    async def test_a_microphone_with_a_key(self, client):
        async def ear():
            for _ in range(10):
                yield np.full(2400, 0.2, np.float32)
            heard.set()
            await asyncio.get_running_loop().create_future()

        heard = asyncio.Event()
        async with client:
            await client.update_session(turn_detection=None, transcription=True)
            async with client.microphone(ear(), push_to_talk=True) as microphone:
                microphone.press()
                await heard.wait()
                reply = await microphone.release()
                assert (await reply).status == "completed"
            assert ("user", "What time is it?") in words(client)

    async def test_by_voice(self, client):
        async with client:
            tone = np.full(24_000, 0.2, np.float32)
            await client.send_audio(np.concatenate([tone, np.zeros(24_000, np.float32)]))
            async for event in client:
                if isinstance(event, InputAudioBufferSpeechStopped):
                    break
            stream = client.events()
            async for event in stream:
                if event.type == "response.done":
                    break
            assert words(client)[-1] == ("assistant", "Hi there.")

    async def test_pcm_bytes_and_other_rates_come_out_alike(self):
        transport = ScriptedTransport()
        async with RealtimeClient(transport=lambda: transport) as client:
            await client.send_audio(np.zeros(2400, "<i2").tobytes())
            await client.send_audio(np.zeros(800, np.float32), rate=8000)
            await client.commit()
            await transport.until_sent(9)
        sizes = [len(base64.b64decode(event["audio"])) for event in transport.sent[:7]]
        assert sizes == [1920, 1920, 960, 1824, 1920, 960, 96], "2 ms wait in the filter for the next sound"
        assert transport.sent_types()[7:] == ["input_audio_buffer.commit", "response.create"]

    async def test_out_of_band(self, client):
        async with client:
            params = ResponseCreateParams(conversation="none", output_modalities=["text"])
            response = await (await client.create_response(params))
            assert response.conversation_id is None
            assert client.conversation.items == []


class TestSession:
    async def test_is_what_the_endpoint_says(self, client):
        async with client:
            session = await client.update_session(
                instructions="Rhyme.", turn_detection=ServerVadParams(threshold=0.7)
            )
            assert session is client.session
            assert session.instructions == "Rhyme."
            assert session.audio.input.turn_detection.threshold == 0.7

    async def test_what_is_refused_is_raised_where_it_was_asked(self, client):
        async with client:
            with pytest.raises(ProtocolError, match="nobody") as refused:
                await client.update_session(voice="nobody")
            assert refused.value.param == "session.audio.output.voice"
            assert (await client.update_session(voice="alloy")).audio.output.voice == "alloy"

    async def test_what_cannot_be_is_not_even_sent(self, client):
        async with client:
            with pytest.raises(TypeError, match="no 'mood'"):
                await client.update_session(mood="sunny")


class TestTools:
    async def test_are_called_and_their_results_answered(self, engine, client):
        use(engine, Calling('{"city": "Rome"}'))

        @client.tool
        async def get_weather(city: str) -> str:
            """Tell the weather."""
            return f"sunny in {city}"

        async with client:
            await client.update_session(output_modalities=["text"])
            await client.send_text("How is the weather?")
            async for event in client:
                if event.type == "response.output_text.done":
                    break
            assert words(client)[-1] == ("assistant", "sunny in Rome")
            assert client.session.tools[0].name == "get_weather"

    async def test_several_at_once_and_one_answer(self, engine, client):
        use(engine, Calling("{}", "{}"))
        both = asyncio.Barrier(2)

        async def meet() -> str:
            await both.wait()
            return "met"

        client.tool(name="one")(meet)
        client.tool(name="two")(meet)
        async with client:
            await client.update_session(output_modalities=["text"])
            await client.send_text("Go")
            async for event in client:
                if event.type == "response.output_text.done":
                    break
            assert words(client)[-1] == ("assistant", "met and met")

    async def test_come_and_go_while_connected(self, client):
        async with client:

            @client.tool
            def now() -> str: ...

            assert [tool.name for tool in (await client.update_session()).tools] == ["now"]
            client.remove_tool("now")
            assert (await client.update_session()).tools == []

    async def test_end_with_the_session(self, engine, client):
        use(engine, Calling())
        started, cancelled = asyncio.Event(), asyncio.Event()

        @client.tool
        async def forever() -> None:
            started.set()
            try:
                await asyncio.Event().wait()
            finally:
                cancelled.set()

        async with client:
            await client.send_text("Go")
            await started.wait()
        assert cancelled.is_set()


class TestReplies:
    async def test_cancelled_ones_say_so(self, engine, client):
        language_model = fakes.ScriptedLanguageModel("Hi", None)
        use(engine, language_model)
        async with client:
            await client.update_session(output_modalities=["text"])
            first, second = await client.send_text("One"), await client.send_text("Two")
            async for event in client:
                if event.type == "response.output_text.delta":
                    break
            client.cancel(second)
            client.cancel(first)
            assert (await first).status == "cancelled"
            with pytest.raises(VivaVoceError, match="before it began"):
                await second

    async def test_refused_ones_say_why(self, client):
        async with client:
            reply = await client.create_response(ResponseCreateParams(output_modalities=[]))
            with pytest.raises(ProtocolError, match="modalities"):
                await reply

    async def test_nobody_has_to_wait_for_them(self, client):
        async with client:
            await client.create_response(ResponseCreateParams(output_modalities=[]))
            async for event in client:
                if isinstance(event, ErrorEvent):
                    break

    async def test_end_when_the_line_breaks(self):
        transport = ScriptedTransport()
        async with RealtimeClient(transport=lambda: transport, reconnect=False) as client:
            reply = await client.send_text("Hello")
            updating = asyncio.create_task(client.update_session(voice="marin"))
            await asyncio.sleep(0)
            assert client.lost is None
            transport.lose(1011, "no memory")
            for waiting in (reply, updating):
                with pytest.raises(ConnectionLost, match="no memory"):
                    await waiting
            assert client.lost.code == 1011
            with pytest.raises(ConnectionLost):
                await client.send_text("Still there?")
            with pytest.raises(ConnectionLost):
                async for _ in client:
                    pass


class Loudspeaker:
    def __init__(self):
        self.queued = self.heard = 0

    def play(self, samples):
        self.queued += len(samples)

    def clear(self):
        self.queued = self.heard = 0


class TestInterruption:
    @pytest.fixture
    def speaker(self):
        return Loudspeaker()

    @pytest.fixture
    def client(self, engine, speaker):
        use(engine, fakes.ScriptedLanguageModel("Once upon a time. ", None, "The end."))
        return RealtimeClient(transport=engine.connect, speaker=speaker)

    async def until(self, client, kind):
        while (event := await anext(client.__aiter__())).type != kind:
            pass
        return event

    async def test_by_a_call(self, client, speaker):
        async with client:
            reply = await client.send_text("Tell me a story")
            await self.until(client, "response.output_audio.delta")
            speaker.heard = 600
            client.interrupt()
            assert (await reply).status == "cancelled"
            truncated = await self.until(client, "conversation.item.truncated")
            assert truncated.audio_end_ms == 25
            assert speaker.queued == 0

    async def test_by_speech(self, client, speaker):
        async with client:
            reply = await client.send_text("Tell me a story")
            await self.until(client, "response.output_audio.delta")
            await client.send_audio(np.full(24_000, 0.2, np.float32))
            response = await reply
            assert response.status_details.reason == "turn_detected"
            assert (await self.until(client, "conversation.item.truncated")).audio_end_ms == 0

    async def test_of_a_player_elsewhere(self, engine):
        use(engine, fakes.ScriptedLanguageModel("Once upon a time. ", None, "The end."))
        sent = []
        player = RemotePlayer(lambda samples: sent.append(len(samples)), lambda: sent.append("clear"))
        async with RealtimeClient(transport=engine.connect, speaker=player) as client:
            reply = await client.send_text("Tell me a story")
            delta = await self.until(client, "response.output_audio.delta")
            player.report_item(delta.item_id, 25)
            client.interrupt()
            assert (await reply).status == "cancelled"
            truncated = await self.until(client, "conversation.item.truncated")
            assert (truncated.item_id, truncated.audio_end_ms) == (delta.item_id, 25)
        assert sent[-1] == "clear"

    async def test_what_comes_too_late_is_no_error(self, engine, speaker):
        async with RealtimeClient(transport=engine.connect, speaker=speaker) as client:
            errors = []
            client.on("error", errors.append)
            reply = await client.send_text("Hello")
            await self.until(client, "response.output_audio.delta")
            client._following.responses.active = (
                reply.response_id
            )  # as if `response.done` were still on the line
            await reply
            client._following.responses.active = reply.response_id
            client.interrupt()
            client.interrupt()
            await client.update_session()
            assert errors == []


class TestEvents:
    async def test_streams_have_what_comes_from_now_on(self, client):
        async with client:
            await client.update_session()
            stream = client.events()
            await client.update_session()
            assert (await anext(stream)).type == "session.updated"
        assert [event.type async for event in stream] == []
        assert [event.type async for event in client] == ["session.created"] + ["session.updated"] * 2
        assert [event async for event in client.events()] == []

    async def test_handlers_of_the_conversation(self, client):
        told, later = [], asyncio.Queue()
        async with client:
            client.on("conversation.item.appended", lambda change: told.append(change.item.role))
            off = client.on("conversation.updated", lambda _: told.append("updated"))
            off()

            async def completed(change):
                await later.put(change.item.words.strip())

            client.on("conversation.item.completed", completed)
            await client.update_session(output_modalities=["text"])
            await (await client.send_text("Hello"))
            assert told == ["user", "assistant"]
            assert [await later.get() for _ in range(2)] == ["Hello", words(client)[-1][1]]

    async def test_handlers(self, client):
        seen, later = [], asyncio.Event()

        async def handle(event):
            later.set()

        remove = client.on("session.updated", seen.append)
        client.on("*", handle)
        async with client:
            await client.update_session()
            remove()
            await client.update_session()
            await later.wait()
        assert [event.type for event in seen] == ["session.updated"]

    async def test_what_is_no_event_ends_the_session(self):
        transport = ScriptedTransport()
        async with RealtimeClient(transport=lambda: transport) as client:
            transport.say_raw("[1]")
            with pytest.raises(ConnectionLost, match="1002"):
                async for _ in client:
                    pass

    async def test_a_client_is_for_one_session(self, client):
        async with client:
            with pytest.raises(VivaVoceError, match="of its own"):
                await client.connect()
        await client.close()
