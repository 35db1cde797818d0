from collections import deque

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from vivavoce.client.responses import KEY, MOST_WAITING, Responses
from vivavoce.errors import ConnectionLost, VivaVoceError
from vivavoce.protocol import errors
from vivavoce.protocol.client_events import ResponseCancel, ResponseCreate
from vivavoce.protocol.responses import Response, ResponseCreateParams
from vivavoce.protocol.server_events import ErrorEvent, ResponseCreated, ResponseDone

BESIDE = ResponseCreateParams(conversation="none")


def created(response_id, conversation_id="conv_1", **fields):
    return ResponseCreated(response=Response(id=response_id, conversation_id=conversation_id, **fields))


def done(response_id, conversation_id="conv_1", **fields):
    fields = {"status": "completed", "conversation_id": conversation_id, **fields}
    return ResponseDone(response=Response(id=response_id, **fields))


def refused(error, event_id):
    error.event_id = event_id
    return ErrorEvent.of(error)


@pytest.fixture
def responses():
    return Responses()


def test_what_is_asked_of_a_free_conversation_is_sent_at_once(responses):
    params = ResponseCreateParams(instructions="Rhyme.")
    request, sent = responses.request(params)
    (create,) = sent
    assert (create.event_id, create.response.instructions) == (request.event_id, "Rhyme.")
    assert responses.fold(created("resp_1")) == []
    assert (request.response_id, responses.active) == ("resp_1", "resp_1")
    ended = done("resp_1")
    assert responses.fold(ended) == []
    assert request.response is ended.response
    assert request.settled
    assert responses.free


def test_what_is_asked_of_a_busy_one_waits(responses):
    responses.fold(created("resp_vad"))
    first, sent = responses.request()
    second, _ = responses.request()
    assert sent == []
    (create,) = responses.fold(done("resp_vad"))
    assert create.event_id == first.event_id
    responses.fold(created("resp_1"))
    (create,) = responses.fold(done("resp_1"))
    assert create.event_id == second.event_id


def test_a_request_that_crossed_a_turn_gets_the_next_chance(responses):
    request, _ = responses.request()
    responses.fold(created("resp_vad"))  # looks as if it were the answer
    error = errors.conversation_already_has_active_response("resp_vad")
    assert responses.fold(refused(error, request.event_id)) == []
    assert request.response_id is None, "this server repeats no metadata, so it had to be taken back"
    (create,) = responses.fold(done("resp_vad"))
    assert create.event_id == request.event_id
    responses.fold(created("resp_1"))
    responses.fold(done("resp_1"))
    assert request.response.id == "resp_1"


def test_a_request_that_met_a_response_nobody_told_of_waits_for_its_end(responses):
    request, _ = responses.request()
    error = errors.conversation_already_has_active_response("resp_old")
    assert responses.fold(refused(error, request.event_id)) == []
    assert responses.fold(done("resp_beside", conversation_id=None)) == []
    (create,) = responses.fold(done("resp_old"))
    assert create.event_id == request.event_id


def test_a_request_that_is_wrong_fails_and_the_next_goes_on(responses):
    wrong, _ = responses.request()
    right, _ = responses.request()
    (create,) = responses.fold(
        refused(errors.invalid_value("response.voice", "x", ("alloy",)), wrong.event_id)
    )
    assert wrong.error.param == "response.voice"
    assert wrong.settled
    assert create.event_id == right.event_id


def test_an_error_about_something_else_changes_nothing(responses):
    request, _ = responses.request()
    assert responses.fold(refused(errors.response_cancel_not_active(), "event_other")) == []
    assert not request.settled


def test_a_turn_of_a_server_that_repeats_metadata_is_never_taken_for_the_answer(responses):
    first, _ = responses.request()
    responses.fold(created("resp_1", metadata={KEY: first.event_id}))
    responses.fold(done("resp_1"))
    second, _ = responses.request()
    responses.fold(created("resp_vad"))
    responses.fold(done("resp_vad"))
    assert not second.settled
    responses.fold(created("resp_2", metadata={KEY: second.event_id}))
    responses.fold(done("resp_2"))
    assert second.response.id == "resp_2"


class TestCancel:
    def test_the_one_that_is_active(self, responses):
        assert responses.cancel() == []
        responses.fold(created("resp_vad"))
        assert responses.cancel() == [ResponseCancel(response_id="resp_vad")]

    def test_one_that_waits_is_forgotten(self, responses):
        responses.fold(created("resp_vad"))
        request, _ = responses.request()
        assert responses.cancel(request) == []
        assert "cancelled before" in str(request.error)
        assert responses.fold(done("resp_vad")) == []

    def test_one_that_is_on_its_way_ends_as_it_begins(self, responses):
        request, _ = responses.request()
        assert responses.cancel(request) == []
        assert responses.fold(created("resp_1")) == [ResponseCancel(response_id="resp_1")]

    def test_one_that_runs_and_one_that_ended(self, responses):
        request, _ = responses.request()
        responses.fold(created("resp_1"))
        assert responses.cancel(request) == [ResponseCancel(response_id="resp_1")]
        responses.fold(done("resp_1", status="cancelled"))
        assert responses.cancel(request) == []


class TestOutOfBand:
    def test_runs_beside_the_conversation(self, responses):
        responses.fold(created("resp_vad"))
        request, (create,) = responses.request(BESIDE)
        metadata = create.response.metadata
        assert metadata == {KEY: request.event_id}
        responses.fold(created("resp_1", None, metadata=metadata))
        assert responses.active == "resp_vad"
        responses.fold(done("resp_1", None, metadata=metadata))
        assert request.response.id == "resp_1"

    def test_several_begin_in_any_order(self, responses):
        first, _ = responses.request(BESIDE)
        second, _ = responses.request(BESIDE)
        responses.fold(created("resp_2", None, metadata={KEY: second.event_id}))
        responses.fold(created("resp_1", None, metadata={KEY: first.event_id}))
        assert (first.response_id, second.response_id) == ("resp_1", "resp_2")

    def test_a_server_that_repeats_no_metadata_is_taken_in_order(self, responses):
        first, _ = responses.request(BESIDE)
        second, _ = responses.request(BESIDE)
        responses.fold(created("resp_1", None))
        responses.fold(created("resp_2", None))
        assert (first.response_id, second.response_id) == ("resp_1", "resp_2")

    def test_what_the_caller_said_of_it_stays(self, responses):
        params = ResponseCreateParams(conversation="none", metadata={"topic": "mood"})
        request, (create,) = responses.request(params)
        assert create.response.metadata["topic"] == "mood"
        assert request.params.metadata == {"topic": "mood"}

    def test_refused(self, responses):
        request, _ = responses.request(BESIDE)
        responses.fold(refused(errors.invalid_value("response.voice", "x", ()), request.event_id))
        assert request.settled


def test_waiting_is_bounded(responses):
    responses.fold(created("resp_vad"))
    for _ in range(MOST_WAITING):
        responses.request()
    with pytest.raises(VivaVoceError, match="64 responses are waiting"):
        responses.request()


def test_a_lost_connection_ends_them_all(responses):
    running, _ = responses.request()
    responses.fold(created("resp_1"))
    waiting, _ = responses.request()
    beside, _ = responses.request(BESIDE)
    lost = ConnectionLost(1006)
    assert set(responses.lost(lost)) == {running, waiting, beside}
    assert {request.error for request in (running, waiting, beside)} == {lost}
    assert responses.free


class TestInterruption:
    LOST = ConnectionLost(1006)

    def begun(self, responses, params=None, response_id="resp_1"):
        request, (create,) = responses.request(params)
        conversation_id = None if params is BESIDE else "conv_1"
        responses.fold(created(response_id, conversation_id, metadata=create.response.metadata))
        return request

    @pytest.mark.parametrize("params", [None, BESIDE])
    def test_what_had_begun_to_be_heard_ends(self, responses, params):
        request = self.begun(responses, params)
        assert responses.interrupted(["resp_1"], self.LOST) == []
        assert request.error is self.LOST
        assert responses.free

    @pytest.mark.parametrize("params", [None, BESIDE])
    def test_what_had_not_is_waited_for(self, responses, params):
        request = self.begun(responses, params)
        assert responses.interrupted([], self.LOST) == []
        assert (request.settled, request.response_id) == (False, None)
        metadata = {KEY: request.event_id}
        conversation_id = None if params is BESIDE else "conv_1"
        responses.fold(created("resp_2", conversation_id, metadata=metadata))
        assert request.response_id == "resp_2"
        responses.fold(done("resp_2", conversation_id))
        assert request.response.id == "resp_2"

    def test_what_waits_has_its_turn(self, responses):
        self.begun(responses)
        waiting, sent = responses.request()
        assert sent == []
        (create,) = responses.interrupted(["resp_1"], self.LOST)
        assert create.event_id == waiting.event_id


class TestWhatItFollowsOn:
    REFUSED = errors.commit_empty(0)

    def test_it_ends_with_the_error_of_that(self, responses):
        request, _ = responses.request(after=["event_1", "event_2"])
        assert responses.fold(refused(self.REFUSED, "event_3")) == []
        assert not request.settled
        assert responses.fold(refused(self.REFUSED, "event_2")) == []
        assert request.error.code == "input_audio_buffer_commit_empty"
        (cancel,) = responses.fold(created("resp_1"))
        assert cancel.response_id == "resp_1"
        responses.fold(done("resp_1", status="cancelled"))
        assert responses.free

    def test_a_response_that_runs_is_cancelled(self, responses):
        request, _ = responses.request(after=["event_1"])
        responses.fold(created("resp_1"))
        (cancel,) = responses.fold(refused(self.REFUSED, "event_1"))
        assert cancel.response_id == "resp_1"
        assert request.error is not None

    def test_one_that_waits_never_begins(self, responses):
        responses.fold(created("resp_vad"))
        request, _ = responses.request(after=["event_1"])
        assert responses.fold(refused(self.REFUSED, "event_1")) == []
        assert request.error.code == "input_audio_buffer_commit_empty"
        assert responses.fold(done("resp_vad")) == []


class Line(RuleBasedStateMachine):
    """A server that makes responses of its own, at the other end of a slow line."""

    def __init__(self):
        super().__init__()
        self.responses = Responses()
        self.requests = []
        self.up = deque()
        self.down = deque()
        self.active = None
        self.count = 0
        self.made = {}
        self.ask(beside=False)
        for _ in range(3):
            self.server()
            self.client()

    def send(self, events):
        self.up.extend(events)

    @rule(beside=st.booleans())
    def ask(self, beside):
        request, events = self.responses.request(BESIDE if beside else None)
        self.requests.append(request)
        self.send(events)

    @rule(data=st.data())
    def cancel(self, data):
        if self.requests:
            self.send(self.responses.cancel(data.draw(st.sampled_from(self.requests))))

    @rule()
    def turn(self):
        if self.active is None:
            self.begin(None)

    @rule()
    def end(self):
        if self.active is not None:
            self.down.append(done(self.active))
            self.active = None

    @rule()
    def server(self):
        if not self.up:
            return
        event = self.up.popleft()
        if isinstance(event, ResponseCancel):
            if event.response_id == self.active:
                self.down.append(done(self.active, status="cancelled"))
                self.active = None
        elif event.response.conversation == "none":
            self.count += 1
            self.made[event.event_id] = f"resp_{self.count}"
            for make in (created, done):
                self.down.append(make(f"resp_{self.count}", None, metadata=event.response.metadata))
        elif self.active is not None:
            error = errors.conversation_already_has_active_response(self.active)
            self.down.append(refused(error, event.event_id))
        else:
            self.begin(event.event_id, event.response.metadata)

    @rule()
    def client(self):
        if self.down:
            self.send(self.responses.fold(self.down.popleft()))

    def begin(self, event_id, metadata=None):
        self.count += 1
        self.active = f"resp_{self.count}"
        self.made[event_id] = self.active
        self.down.append(created(self.active, metadata=metadata))

    @invariant()
    def one_request_at_a_time_is_on_its_way(self):
        asked = [e for e in self.up if isinstance(e, ResponseCreate) and e.response.conversation != "none"]
        assert len(asked) <= 1

    def teardown(self):
        for _ in range(10 * (len(self.requests) + 10)):
            self.server()
            self.client()
            self.end()
        for request in self.requests:
            assert request.settled
            if request.response is not None:
                assert request.response.id == self.made[request.event_id]
        assert self.responses.free


TestLine = Line.TestCase
TestLine.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
