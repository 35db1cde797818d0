import asyncio
import base64

import numpy as np
import pytest

from tests.client.doubles import ScriptedTransport
from vivavoce.audio.pcm import decode_pcm16, from_pcm16
from vivavoce.client import asking
from vivavoce.client.asking import ask_aloud, ask_in_writing
from vivavoce.client.realtime import RealtimeClient
from vivavoce.errors import AudioFileError, ConnectionLost, ProtocolError, VivaVoceError

SPEECH = (0.5 * np.sin(np.arange(3000))).astype(np.float32)  # 125 ms, so four frames
PCM = base64.b64encode(bytes(range(100))).decode()


class Endpoint(ScriptedTransport):
    """Answers to client events by calling ``on_<event>`` or, for audio, ``on_frame`` with the frame's number."""

    def __init__(self, **reactions):
        super().__init__()
        self.reactions = reactions
        self.frames = []

    async def send(self, data):
        await super().send(data)
        event = self.sent[-1]
        if event["type"] == "input_audio_buffer.append":
            self.frames.append((asyncio.get_running_loop().time(), base64.b64decode(event["audio"])))
            self.reactions.get("on_frame", lambda *_: None)(self, len(self.frames))
        else:
            self.reactions.get("on_" + event["type"].replace(".", "_"), lambda *_: None)(self)

    def start_turn(self, item_id="u"):
        self.say({"type": "input_audio_buffer.speech_started", "item_id": item_id, "audio_start_ms": 0})

    def end_turn(self, item_id="u"):
        self.say({"type": "input_audio_buffer.speech_stopped", "item_id": item_id, "audio_end_ms": 100})
        self.say({"type": "input_audio_buffer.committed", "item_id": item_id})
        content = [{"type": "input_audio", "transcript": None}]
        item = {"id": item_id, "type": "message", "role": "user", "content": content}
        self.say({"type": "conversation.item.added", "item": item})

    def transcribe(self, words, item_id="u"):
        kind = "conversation.item.input_audio_transcription.completed"
        usage = {"type": "duration", "seconds": 1}
        self.say({"type": kind, "item_id": item_id, "content_index": 0, "transcript": words, "usage": usage})

    def fail_to_transcribe(self, item_id="u"):
        kind = "conversation.item.input_audio_transcription.failed"
        self.say({"type": kind, "item_id": item_id, "content_index": 0, "error": {"message": "no memory"}})

    def answer(self, words="Hello.", response_id="r", status="completed", **details):
        item = {"id": f"a{response_id}", "type": "message", "role": "assistant", "content": []}
        where = {"item_id": item["id"], "response_id": response_id, "output_index": 0, "content_index": 0}
        self.say({"type": "response.created", "response": {"id": response_id}})
        self.say(
            {
                "type": "response.output_item.added",
                "response_id": response_id,
                "output_index": 0,
                "item": item,
            }
        )
        self.say({"type": "conversation.item.added", "item": item})
        self.say({"type": "response.output_audio_transcript.delta", **where, "delta": words})
        self.say({"type": "response.output_audio.delta", **where, "delta": PCM})
        self.say({"type": "response.done", "response": {"id": response_id, "status": status, **details}})


def client(endpoint):
    return RealtimeClient(transport=lambda: endpoint, keep_audio=True, reconnect=False)


async def aloud(endpoint, speech_end):
    async with client(endpoint) as asking:
        return await ask_aloud(asking, SPEECH, speech_end)


async def in_writing(endpoint, question):
    async with client(endpoint) as asking:
        return await ask_in_writing(asking, question)


class TestAloud:
    async def test_a_question_is_said_at_the_pace_of_speech_and_answered(self):
        def on_frame(endpoint, number):
            match number:
                case 1:
                    endpoint.start_turn()
                case 6:
                    endpoint.end_turn()
                    endpoint.answer()
                    endpoint.transcribe("How are you?")

        endpoint = Endpoint(on_frame=on_frame)
        began = asyncio.get_running_loop().time()
        answer = await aloud(endpoint, 0.12)
        assert (answer.question, answer.text, answer.pcm) == ("How are you?", "Hello.", bytes(range(100)))
        assert (answer.turns, answer.status) == (1, "completed")
        heard = from_pcm16(decode_pcm16(b"".join(pcm for _, pcm in endpoint.frames)))
        assert np.abs(heard[: len(SPEECH)] - SPEECH).max() < 1e-4
        assert not heard[len(SPEECH) :].any()
        for number, (time, pcm) in enumerate(endpoint.frames, 1):
            assert len(pcm) == 1920
            assert time - began >= number * 0.04 - 0.002
        stages = answer.stages
        assert 0.24 - 0.12 - 0.01 < stages.turn_decided / 1000 < 2
        assert stages.turn_decided <= stages.first_text <= stages.first_audio <= stages.transcript_final

    async def test_a_transcript_that_never_comes_is_not_waited_for_long(self, monkeypatch):
        monkeypatch.setattr(asking, "TRANSCRIPT_SECONDS", 0.01)

        def on_frame(endpoint, number):
            if number == 5:
                endpoint.start_turn()
                endpoint.end_turn()
                endpoint.answer()

        answer = await aloud(Endpoint(on_frame=on_frame), 0.12)
        assert (answer.question, answer.text) == ("", "Hello.")
        assert answer.stages.transcript_final is None

    async def test_when_the_question_goes_on_the_last_answer_is_taken(self):
        def on_frame(endpoint, number):
            match number:
                case 1:
                    endpoint.start_turn("u0")
                    endpoint.end_turn("u0")
                    endpoint.transcribe("How", "u0")
                    endpoint.answer("What?", "r0")
                case 3:
                    endpoint.start_turn()
                case 6:
                    endpoint.end_turn()
                    endpoint.transcribe("are you?")
                    endpoint.answer("Fine.", "r1")

        answer = await aloud(Endpoint(on_frame=on_frame), 0.12)
        assert (answer.question, answer.text, answer.turns) == ("How are you?", "Fine.", 2)

    async def test_an_answer_before_the_end_of_the_recording_is_an_answer(self):
        def on_frame(endpoint, number):
            if number == 1:
                endpoint.start_turn()
                endpoint.end_turn()
                endpoint.transcribe("Hi")
                endpoint.answer()

        endpoint = Endpoint(on_frame=on_frame)
        answer = await aloud(endpoint, 0.12)
        assert answer.text == "Hello."
        assert len(endpoint.frames) >= 4

    async def test_an_endpoint_that_hears_nothing_is_not_waited_for_long(self, monkeypatch):
        monkeypatch.setattr(asking, "PATIENCE_SECONDS", 0.05)
        with pytest.raises(AudioFileError, match="heard no speech"):
            await aloud(Endpoint(), 0.12)

    async def test_an_endpoint_that_could_not_understand_says_so(self, monkeypatch):
        monkeypatch.setattr(asking, "PATIENCE_SECONDS", 1.0)

        def on_frame(endpoint, number):
            if number == 5:
                endpoint.start_turn()
                endpoint.end_turn()
                endpoint.fail_to_transcribe()

        with pytest.raises(VivaVoceError, match="could not recognise the question: no memory"):
            await aloud(Endpoint(on_frame=on_frame), 0.12)

    async def test_a_model_that_hears_for_itself_answers_without_a_transcript(self):
        def on_frame(endpoint, number):
            if number == 5:
                endpoint.start_turn()
                endpoint.end_turn()
                endpoint.fail_to_transcribe()
                endpoint.answer()

        assert (await aloud(Endpoint(on_frame=on_frame), 0.12)).text == "Hello."

    async def test_speech_that_begins_late_gets_its_time(self, monkeypatch):
        monkeypatch.setattr(asking, "PATIENCE_SECONDS", 0.2)

        def on_frame(endpoint, number):
            match number:
                case 5:
                    endpoint.start_turn()
                case 11:
                    endpoint.end_turn()
                    endpoint.transcribe("Hi")
                    endpoint.answer()

        assert (await aloud(Endpoint(on_frame=on_frame), 0.12)).text == "Hello."

    async def test_an_endpoint_that_goes_away_is_an_error(self):
        endpoint = Endpoint(on_frame=lambda endpoint, _: endpoint.lose(1001, "bye"))
        with pytest.raises(ConnectionLost, match="bye"):
            await aloud(endpoint, 0.12)


class TestInWriting:
    async def test_a_question_is_written_and_answered(self):
        endpoint = Endpoint(on_response_create=lambda endpoint: endpoint.answer("Paris."))
        answer = await in_writing(endpoint, "What is the capital of France?")
        assert (answer.text, answer.pcm, answer.turns) == ("Paris.", bytes(range(100)), 0)
        assert endpoint.sent_types() == ["conversation.item.create", "response.create"]
        item = endpoint.sent[0]["item"]
        assert item["content"] == [{"type": "input_text", "text": "What is the capital of France?"}]
        assert answer.stages.turn_decided is None
        assert 0 <= answer.stages.first_text <= answer.stages.first_audio

    @pytest.mark.parametrize(
        ("details", "why"),
        [
            ({"type": "failed", "error": {"message": "The model is tired."}}, "The model is tired."),
            (None, "no reason given"),
        ],
    )
    async def test_a_response_that_failed_is_an_error(self, details, why):
        endpoint = Endpoint(
            on_response_create=lambda endpoint: endpoint.answer(status="failed", status_details=details)
        )
        with pytest.raises(VivaVoceError, match=f"could not answer: {why}"):
            await in_writing(endpoint, "Hello?")

    async def test_an_error_is_raised_with_its_facts(self):
        def refuse(endpoint):
            endpoint.say({"type": "error", "error": {"message": "No quota.", "code": "insufficient_quota"}})

        with pytest.raises(ProtocolError, match="No quota") as caught:
            await in_writing(Endpoint(on_response_create=refuse), "Hello?")
        assert caught.value.code == "insufficient_quota"

    async def test_an_endpoint_that_says_nothing_is_given_up(self, monkeypatch):
        monkeypatch.setattr(asking, "STALL_SECONDS", 0.01)
        with pytest.raises(VivaVoceError, match=r"said nothing for 0\.01 s"):
            await in_writing(Endpoint(), "Hello?")
