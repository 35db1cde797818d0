import json

from vivavoce.gateway.opening import ANYONE, Opening
from vivavoce.gateway.operations.measuring import Measuring
from vivavoce.gateway.passage import Counts, End, Passage
from vivavoce.protocol.session_params import RealtimeSessionParams

USAGE = {
    "total_tokens": 30,
    "input_tokens": 20,
    "output_tokens": 10,
    "input_token_details": {"text_tokens": 5, "audio_tokens": 15, "cached_tokens": 0},
    "output_token_details": {"text_tokens": 4, "audio_tokens": 6},
}


def opening(model="gpt-realtime-2.1"):
    return Opening("sess_1", ANYONE, model, RealtimeSessionParams(), "ga", 0.0)


class Notes:
    """Takes down what it is told."""

    def __init__(self):
        self.heard = []

    def __getattr__(self, name):
        return lambda *facts: self.heard.append((name, *facts))

    def of(self, name):
        return [facts for kind, *facts in self.heard if kind == name]


def measured(model="gpt-realtime-2.1"):
    notes, counts = Notes(), Counts()
    return notes, Passage([Measuring(opening(model), counts, notes)], counts=counts)


def says(passage, now, kind, **fields):
    """Let the endpoint say something, by the way that the bridge takes; return whether nobody looked at it."""
    data = json.dumps({"type": kind, "event_id": "event_1", **fields}).encode()
    unseen = passage.lets_down(data, kind)
    if unseen:
        passage.saw_down(data, kind, now)
    else:
        assert [output.data for output in passage.receive(data, now)] == [data]
    return unseen


def done(**fields):
    response = {"object": "realtime.response", "id": "resp_1", "status": "completed", "output": [], **fields}
    return {"response": response}


class TestTurns:
    def test_each_part_is_timed_from_the_end_of_the_turn(self):
        notes, passage = measured()
        says(passage, 10.0, "input_audio_buffer.speech_stopped", audio_end_ms=900, item_id="item_1")
        says(passage, 10.1, "input_audio_buffer.committed", item_id="item_1")
        says(passage, 10.2, "response.created", **done(status="in_progress"))
        says(passage, 10.5, "response.output_audio_transcript.delta", delta="Hi")
        says(passage, 10.6, "response.output_audio.delta", delta="AAAA")
        says(
            passage,
            10.7,
            "conversation.item.input_audio_transcription.completed",
            item_id="item_1",
            content_index=0,
            transcript="Hello.",
            usage={"type": "tokens", "total_tokens": 7, "input_tokens": 5, "output_tokens": 2},
        )
        parts = {part: round(seconds, 3) for part, seconds in notes.of("took")}
        assert parts == {"response": 0.2, "first_text": 0.5, "first_audio": 0.6, "transcript": 0.7}
        assert notes.of("transcribed") == [["gpt-realtime-2.1", 7]]

    def test_without_voice_activity_the_turn_ends_with_its_commit(self):
        notes, passage = measured()
        says(passage, 1.0, "input_audio_buffer.committed", item_id="item_1")
        says(passage, 1.5, "response.created", **done(status="in_progress"))
        assert notes.of("took") == [["response", 0.5]]

    def test_in_writing_it_ends_with_the_question(self):
        notes, passage = measured()
        passage.hear(b'{"type":"response.create"}', 2.0)
        says(passage, 2.25, "response.created", **done(status="in_progress"))
        says(passage, 2.5, "response.output_text.delta", delta="Hi")
        assert notes.of("took") == [["response", 0.25], ["first_text", 0.5]]

    def test_audio_after_the_first_passes_unseen(self):
        notes, passage = measured()
        says(passage, 0.0, "response.created", **done(status="in_progress"))
        looked = [not says(passage, 1.0 + n, "response.output_audio.delta", delta="AAAA") for n in range(6)]
        assert looked == [True, True, False, False, False, False]  # the second is looked up anew
        assert notes.of("took")[1:] == [["first_audio", 1.0]]

    def test_what_never_comes_is_not_waited_for_beyond_its_response(self):
        notes, passage = measured()
        says(passage, 0.0, "response.created", **done(status="in_progress"))
        says(passage, 1.0, "response.done", **done())
        says(passage, 2.0, "response.output_audio.delta", delta="AAAA")
        assert [part for part, _ in notes.of("took")] == ["response"]


class TestSums:
    def test_events_are_told_once_a_second_and_at_the_end(self):
        notes, passage = measured()
        for _ in range(3):
            data = b'{"type":"input_audio_buffer.append","audio":"AAAA"}'
            if passage.lets_up(data, "input_audio_buffer.append"):
                passage.saw_up(data, "input_audio_buffer.append", 0.0)
            else:
                passage.hear(data, 0.0)
        passage.tick(1.0)
        passage.tick(2.0)
        says(passage, 2.5, "input_audio_buffer.cleared")
        passage.ended(End(1000), 3.0)
        assert notes.of("passed") == [
            ["up", "input_audio_buffer.append", 3],
            ["down", "input_audio_buffer.cleared", 1],
        ]
        assert notes.of("began") == [[opening()]]
        assert notes.of("ended") == [[opening(), 1000]]

    def test_what_a_response_used_and_cost(self):
        notes, passage = measured()
        says(passage, 0.0, "response.done", **done(usage=USAGE))
        [(model, tokens, dollars)] = notes.of("used")
        assert (model, tokens.text, tokens.audio, tokens.audio_output) == ("gpt-realtime-2.1", 5, 15, 6)
        assert round(dollars * 1e6) == 5 * 4 + 15 * 32 + 4 * 24 + 6 * 64
        assert notes.of("answered") == [["completed"]]

    def test_a_model_without_a_price_costs_nothing_that_is_known(self):
        notes, passage = measured("qwen")
        says(passage, 0.0, "response.done", **done(usage=USAGE))
        assert notes.of("used")[0][2] is None

    def test_errors_by_their_codes(self):
        notes, passage = measured()
        says(
            passage, 0.0, "error", error={"type": "invalid_request_error", "code": "no_such", "message": "x"}
        )
        says(passage, 0.0, "error", error={"type": "server_error", "message": "x"})
        assert notes.of("erred") == [["no_such"], ["server_error"]]
