import base64
import json

import numpy as np
import pytest

from vivavoce.audio import formats
from vivavoce.client.turns import Turns

VOICE = (8000 * np.sin(np.arange(24_000))).astype(np.int16)
SILENCE = np.zeros(24_000, np.int16)


class Session:
    """Events with their times, in seconds."""

    def __init__(self):
        self.turns = Turns()

    def says(self, t, kind, **fields):
        self.turns.feed(t, "S", json.dumps({"type": kind, "event_id": "e", **fields}))

    def does(self, t, kind, **fields):
        self.turns.feed(t, "C", json.dumps({"type": kind, **fields}))

    def hears(self, t, pcm, name="audio/pcm"):
        """Take audio in frames of 40 ms, each sent when it has been spoken; it begins at ``t``."""
        for at in range(0, len(pcm), 960):
            audio = base64.b64encode(formats.encode(pcm[at : at + 960], name)).decode()
            self.does(t + (at + 960) / 24_000, "input_audio_buffer.append", audio=audio)

    def item(self, t, role, item_id, text=""):
        content = [{"type": "input_text", "text": text}] if text else []
        item = {"id": item_id, "type": "message", "role": role, "content": content}
        self.says(t, "conversation.item.added", item=item)

    def answers(self, t, response_id, words, *, sound=True):
        where = {
            "response_id": response_id,
            "item_id": f"a{response_id}",
            "output_index": 0,
            "content_index": 0,
        }
        item = {"id": where["item_id"], "type": "message", "role": "assistant", "content": []}
        self.says(t, "response.created", response={"id": response_id})
        self.says(t, "response.output_item.added", response_id=response_id, output_index=0, item=item)
        self.says(t, "conversation.item.added", item=item)
        kind = "response.output_audio_transcript.delta" if sound else "response.output_text.delta"
        self.says(t + 0.5, kind, **where, delta=words)
        if sound:
            self.says(t + 0.75, "response.output_audio.delta", **where, delta="AAAA")
        self.says(t + 1, "response.done", response={"id": response_id, "status": "completed"})

    def transcribes(self, t, item_id, words):
        kind = "conversation.item.input_audio_transcription.completed"
        usage = {"type": "duration", "seconds": 1}
        self.says(t, kind, item_id=item_id, content_index=0, transcript=words, usage=usage)


@pytest.fixture
def session():
    return Session()


def test_written_turns_count_from_the_request(session):
    session.does(1, "conversation.item.create", item={"id": "u", "type": "message", "role": "user"})
    session.does(1, "response.create")
    session.item(1.1, "user", "u", "Hi")
    session.answers(1.2, "r", "Hello.", sound=False)
    (turn,) = session.turns.turns
    assert (turn.question, turn.answer, turn.status) == ("Hi", "Hello.", "completed")
    assert turn.stages.first_text == pytest.approx(700)
    assert turn.stages.first_audio is turn.stages.turn_decided is None


@pytest.mark.parametrize("name", ["audio/pcm", "audio/pcmu"])
def test_spoken_turns_count_from_where_the_voice_fell_silent(session, name):
    audio = {"input": {"format": {"type": name}}}
    session.says(0, "session.updated", session={"id": "s", "type": "realtime", "audio": audio})
    session.hears(0, np.concatenate([VOICE, SILENCE]), name)
    session.says(1.4, "input_audio_buffer.speech_stopped", item_id="u", audio_end_ms=0)
    session.says(1.4, "input_audio_buffer.committed", item_id="u")
    session.item(1.4, "user", "u")
    session.answers(1.5, "r", "Noon.")
    session.transcribes(1.6, "u", "What time is it?")
    (turn,) = session.turns.turns
    assert turn.question == "What time is it?"
    assert turn.stages.turn_decided == pytest.approx(400, abs=25)
    assert turn.stages.transcript_final == pytest.approx(600, abs=25)
    assert turn.stages.first_text == pytest.approx(1000, abs=25)
    assert turn.stages.first_audio == pytest.approx(1250, abs=25)


def test_each_turn_has_its_own_speech(session):
    session.hears(-0.2, np.concatenate([SILENCE[:4800], VOICE]))
    session.says(1.2, "input_audio_buffer.committed", item_id="u1")
    session.transcribes(1.2, "u1", "One")
    session.answers(1.3, "r1", "First.")
    session.hears(4.9, np.concatenate([SILENCE[:4800], VOICE]))
    session.says(6.3, "input_audio_buffer.committed", item_id="u2")
    session.answers(6.4, "r2", "Second.")
    one, two = session.turns.turns
    assert (one.question, one.answer, two.answer) == ("One", "First.", "Second.")
    assert one.stages.turn_decided == pytest.approx(200, abs=25)
    assert one.stages.transcript_final == pytest.approx(200, abs=25)
    assert two.stages.turn_decided == pytest.approx(200, abs=25)


def test_where_no_voice_is_found_the_decision_counts(session):
    session.says(1, "input_audio_buffer.committed", item_id="u")
    session.answers(1.1, "r", "What?")
    assert session.turns.turns[0].stages.turn_decided == 0


def test_what_answers_nothing_new_counts_from_its_request(session):
    session.answers(0, "r1", "Wait.")
    session.does(3, "response.create")
    session.answers(3.5, "r2", "It rains.")
    assert [turn.question for turn in session.turns.turns] == ["", ""]
    assert session.turns.turns[0].stages.first_text == pytest.approx(500)
    assert session.turns.turns[1].stages.first_text == pytest.approx(1000)


def test_a_turn_that_does_not_end_is_told_too(session):
    session.says(0, "response.created", response={"id": "r"})
    assert session.turns.turns[0].status == "in_progress"


@pytest.mark.parametrize(
    "data", ["no JSON", b"\xff", "[]", '{"type": "input_audio_buffer.append", "audio": "x"}']
)
def test_what_is_no_event_is_passed_over(session, data):
    session.turns.feed(0, "C", data)
    session.turns.feed(0, "S", data)
    assert session.turns.turns == []


def test_only_the_last_minutes_are_kept(session, monkeypatch):
    monkeypatch.setattr("vivavoce.client.turns.LONGEST_SECONDS", 1)
    session.hears(0, np.concatenate([VOICE, SILENCE, SILENCE]))
    session.says(3, "input_audio_buffer.committed", item_id="u")
    session.answers(3, "r", "What?")
    assert session.turns.turns[0].stages.turn_decided == 0
