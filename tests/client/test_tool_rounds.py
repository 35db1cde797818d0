import pytest

from vivavoce.client.tool_rounds import ToolRounds
from vivavoce.protocol.items import FunctionCall
from vivavoce.protocol.responses import Response
from vivavoce.protocol.server_events import (
    ConversationItemAdded,
    InputAudioBufferSpeechStarted,
    ResponseDone,
    ResponseOutputItemDone,
    SessionCreated,
)
from vivavoce.protocol.session import RealtimeSession


class Rounds:
    """Rounds of the tools "f" and "g"; `call` and `end` return what the rounds say to it."""

    def __init__(self):
        self.rounds = ToolRounds({"f", "g"})

    def call(self, call_id, name="f", *, status="completed", placed=True, response_id="resp_1"):
        item = FunctionCall(id=f"item_{call_id}", status=status, name=name, call_id=call_id, arguments="{}")
        if placed:
            self.rounds.fold(ConversationItemAdded(item=item))
        done = ResponseOutputItemDone(response_id=response_id, output_index=0, item=item)
        return self.rounds.fold(done) is item

    def end(self, response_id="resp_1"):
        assert self.rounds.fold(ResponseDone(response=Response(id=response_id))) is None
        return self.rounds.ended(response_id)


@pytest.fixture
def rounds():
    return Rounds()


def test_the_model_goes_on_when_all_results_are_there(rounds):
    assert rounds.call("call_1")
    assert rounds.call("call_2", "g")
    assert not rounds.end()
    assert not rounds.rounds.result("call_2")
    assert rounds.rounds.result("call_1")
    assert not rounds.rounds.result("call_1"), "and only once"


def test_results_may_be_there_before_the_response_is_done(rounds):
    rounds.call("call_1")
    assert not rounds.rounds.result("call_1")
    assert rounds.end()


def test_a_response_without_calls_has_no_next(rounds):
    assert not rounds.end()
    assert not rounds.rounds.result("call_1")


def test_what_was_cut_off_or_is_out_of_band_is_not_called(rounds):
    assert not rounds.call("call_1", status="incomplete")
    assert not rounds.call("call_2", placed=False)
    assert not rounds.end()


def test_who_begins_to_speak_is_answered_with_the_results(rounds):
    rounds.call("call_1")
    rounds.end()
    rounds.rounds.fold(InputAudioBufferSpeechStarted(audio_start_ms=0, item_id="item_u"))
    assert not rounds.rounds.result("call_1")


def test_calls_of_tools_that_others_serve_are_theirs_to_end(rounds):
    assert rounds.call("call_1")
    assert not rounds.call("call_2", "theirs")
    rounds.end()
    assert not rounds.rounds.result("call_1")


def test_rounds_are_kept_apart(rounds):
    rounds.call("call_1")
    rounds.end()
    rounds.call("call_2", response_id="resp_2")
    assert rounds.rounds.result("call_1")
    assert not rounds.rounds.result("call_2")
    assert rounds.end("resp_2")


def test_rounds_are_open_until_the_model_is_to_go_on(rounds):
    assert not rounds.rounds.open
    rounds.call("call_1")
    rounds.end()
    assert rounds.rounds.open
    rounds.rounds.result("call_1")
    assert not rounds.rounds.open


def test_a_new_session_ends_the_responses_of_the_one_before(rounds):
    rounds.call("call_1")
    rounds.call("call_2", response_id="resp_2")
    rounds.rounds.result("call_2")
    rounds.rounds.fold(SessionCreated(session=RealtimeSession(id="sess_1")))
    assert rounds.rounds.result("call_1"), "which nobody will say is done"
    assert not rounds.rounds.open
