import pytest

from vivavoce.client.prices import PRICES

from .doubles import STARTED_AT, Session, audio, response

USAGE = {
    "total_tokens": 300,
    "input_tokens": 200,
    "output_tokens": 100,
    "input_token_details": {
        "text_tokens": 50,
        "audio_tokens": 150,
        "cached_tokens": 30,
        "cached_tokens_details": {"text_tokens": 20, "audio_tokens": 10},
    },
    "output_token_details": {"text_tokens": 20, "audio_tokens": 80},
}


def answer(talk, response_id="resp_1", **fields):
    talk.down("response.created", response=response(response_id, "in_progress", conversation_id="conv_1"))
    talk.down("response.output_audio.delta", response_id=response_id, item_id="i", delta=audio(100))
    talk.down("response.done", response=response(response_id, conversation_id="conv_1", **fields))
    return talk.tick().responses[response_id]


def test_tokens_are_kept_by_modality_with_what_they_cost():
    row = answer(Session(model="gpt-realtime-2"), usage=USAGE)
    kept = {name: row[f"{name}_tokens"] for name in ("text", "audio", "text_cached", "audio_output")}
    assert kept == {"text": 50, "audio": 150, "text_cached": 20, "audio_output": 80}
    price = PRICES["gpt-realtime-2"]
    expected = 30 * price.text + 20 * price.text_cached + 140 * price.audio + 10 * price.audio_cached
    expected += 20 * price.text_output + 80 * price.audio_output
    assert row["cost"] == pytest.approx(expected / 1e6)
    assert row["usage"]["total_tokens"] == 300


def test_a_model_without_known_prices_costs_nobody_knows_what():
    assert answer(Session(model="qwen"), usage=USAGE)["cost"] is None


def test_a_response_may_use_nothing():
    row = answer(Session(), usage=None)
    assert "usage" not in row
    assert row["conversation_id"] == "conv_1"


def test_absurd_numbers_of_tokens_are_cut_down():
    row = answer(Session(), usage={"input_tokens": 10**400, "input_token_details": None})
    assert row["text_tokens"] == 2**31 - 1


class TestLatency:
    def test_counts_from_the_end_of_the_turn(self):
        talk = Session()
        talk.down("input_audio_buffer.speech_stopped", item_id="u", audio_end_ms=0)
        talk.wait(0.2).down("response.created", response=response("r", "in_progress"))
        talk.wait(0.3).down(
            "response.output_audio_transcript.delta", response_id="r", item_id="i", delta="Hi"
        )
        talk.wait(0.1).down("response.output_audio.delta", response_id="r", item_id="i", delta=audio(100))
        talk.wait(0.1).down("response.output_audio.delta", response_id="r", item_id="i", delta=audio(100))
        row = talk.tick().responses["r"]
        assert (row["first_output_ms"], row["first_audio_ms"]) == (500, 600)
        assert row["created_at"] == pytest.approx(STARTED_AT + 0.2)

    @pytest.mark.parametrize("how", ["response.create", "commit"])
    def test_counts_from_when_it_was_asked_for(self, how):
        talk = Session()
        if how == "commit":
            talk.down("input_audio_buffer.committed", item_id="u")
        else:
            talk.up("response.create")
        talk.wait(0.25).down("response.created", response=response("r", "in_progress"))
        talk.down("response.output_audio.delta", response_id="r", item_id="i", delta=audio(100))
        assert talk.tick().responses["r"]["first_audio_ms"] == 250

    def test_a_response_of_its_own_accord_counts_from_its_beginning(self):
        assert answer(Session())["first_audio_ms"] == 0


class TestEnds:
    def test_the_reason_is_kept(self):
        row = answer(
            Session(), status="cancelled", status_details={"type": "cancelled", "reason": "turn_detected"}
        )
        assert (row["status"], row["reason"]) == ("cancelled", "turn_detected")

    def test_the_error_of_one_that_failed_is_kept_by_its_code(self):
        failure = {"type": "failed", "error": {"code": "rate_limit_exceeded"}}
        assert answer(Session(), status="failed", status_details=failure)["reason"] == "rate_limit_exceeded"

    def test_one_that_is_never_done_is_incomplete(self):
        talk = Session()
        talk.down("response.created", response=response("r", "in_progress"))
        assert talk.tick().responses["r"]["status"] == "in_progress"
        row = talk.wait(2).end(1006).responses["r"]
        assert (row["status"], row["reason"]) == ("incomplete", "session_ended")
        assert row["done_at"] == STARTED_AT + 2

    def test_one_that_nobody_saw_begin_is_kept(self):
        talk = Session()
        talk.wait(1).down("session.created", session={"type": "realtime", "id": "s", "expires_at": 0})
        talk.wait(1).down("response.done", response=response("r"))
        assert talk.tick().responses["r"]["created_at"] == STARTED_AT + 1
