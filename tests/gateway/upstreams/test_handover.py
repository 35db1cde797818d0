import json

import pytest

from vivavoce.gateway.upstreams.handover import Handover


def _event(kind, **fields):
    return json.dumps({"type": kind, **fields}, separators=(",", ":")).encode()


CREATED = _event("session.created", session={"id": "sess_1"})
BEGUN = _event("response.created", response={"id": "resp_1"})
DELTA = _event("response.output_audio.delta", delta="AAAA")
TEXT = _event("response.output_text.delta", delta="Hi")
FAILED = _event("error", error={"type": "server_error", "message": "Oops."})
SESSION = _event("session.update", session={"type": "realtime"})
APPEND = _event("input_audio_buffer.append", audio="AAAA")
CREATE = _event("response.create")


def _done(status, **error):
    details = {"type": status, "error": error} if error else None
    return _event("response.done", response={"status": status, "status_details": details})


def _item(kind, name, **fields):
    return _event(kind, item={"id": name, "type": "message"}, **fields)


class TestBeforeTheFirstAnswer:
    def test_events_pass(self):
        handover = Handover(1000)
        assert handover.hear(CREATED) == [CREATED]
        assert handover.say(APPEND) == APPEND
        assert handover.possible
        assert not handover.idle

    def test_a_response_is_held_until_there_is_something_in_it(self):
        handover = Handover(1000)
        added = _item("conversation.item.added", "item_A")
        assert handover.hear(BEGUN) == handover.hear(added) == []
        assert handover.hear(TEXT) == [BEGUN, added, TEXT]
        assert handover.idle

    @pytest.mark.parametrize("status", ["completed", "cancelled", "incomplete"])
    def test_or_until_it_is_over(self, status):
        handover = Handover(1000)
        handover.hear(BEGUN)
        assert handover.hear(_done(status)) == [BEGUN, _done(status)]
        assert handover.idle

    @pytest.mark.parametrize(
        "event",
        [FAILED, _done("failed"), _done("failed", type="server_error"), _done("failed", type="tokens")],
    )
    def test_a_failure_of_the_endpoint_is_kept_from_the_client(self, event):
        handover = Handover(1000)
        handover.hear(BEGUN)
        assert handover.hear(event) is None
        assert handover.possible

    @pytest.mark.parametrize(
        "event",
        [
            _event("error", error={"type": "invalid_request_error"}),
            _event("error", error=1),
            _done("failed", type="invalid_request_error"),
        ],
    )
    def test_a_mistake_of_the_client_is_none(self, event):
        assert Handover(1000).hear(event) == [event]

    def test_a_session_that_listens_answers_with_words(self):
        words = _event("conversation.item.input_audio_transcription.delta", delta="a")
        handover = Handover(1000, listens_only=True)
        assert handover.hear(words) == [words]
        assert handover.idle

    def test_who_says_too_much_stays(self):
        handover = Handover(len(APPEND) * 3)
        for _ in range(3):
            handover.say(APPEND)
        assert handover.possible
        handover.hear(BEGUN)
        handover.say(APPEND)
        assert not handover.possible
        assert handover.give() is None
        assert handover.hear(FAILED) == [BEGUN, FAILED]
        assert handover.idle


class TestHandedOver:
    def test_everything_is_said_again_in_order(self):
        handover = Handover(1000)
        for event in (SESSION, APPEND, CREATE):
            handover.say(event)
        assert handover.give() == [SESSION, APPEND, CREATE]
        assert handover.handed_over
        assert handover.idle

    def test_an_item_has_the_same_name_at_both(self):
        handover = Handover(1000)
        item = {"type": "message", "role": "user", "content": []}
        said = handover.say(_event("conversation.item.create", item=item, event_id="e1"))
        sent = json.loads(said)
        assert sent["item"]["id"].startswith("item_")
        assert sent == {
            "type": "conversation.item.create",
            "item": {"id": sent["item"]["id"], **item},
            "event_id": "e1",
        }
        assert handover.give() == [said]

    @pytest.mark.parametrize(
        "event", [_item("conversation.item.create", "mine"), _event("conversation.item.create", item=1), b"{"]
    )
    def test_what_has_a_name_or_is_none_stays_as_it_is(self, event):
        assert Handover(1000).say(event) == event

    def test_what_the_client_was_told_is_not_told_again(self):
        handover = Handover(1000)
        updated = _event("session.updated", session={})
        for event in (CREATED, updated, BEGUN):
            handover.hear(event)
        assert handover.hear(FAILED) is None
        handover.give()
        assert [handover.hear(event) for event in (CREATED, updated)] == [[], []]
        assert handover.hear(updated) == [updated]
        assert handover.hear(BEGUN) == [BEGUN]
        assert handover.hear(FAILED) == [FAILED]

    def test_what_was_not_said_again_before_a_response_is_not_waited_for(self):
        handover = Handover(1000)
        started = _event("input_audio_buffer.speech_started", item_id="item_1")
        handover.hear(started)
        handover.give()
        assert handover.hear(BEGUN) == [BEGUN]
        assert handover.hear(started) == [started]

    def test_the_client_keeps_its_names_of_what_it_said(self):
        handover = Handover(1000)
        first, other = (_event("input_audio_buffer.committed", item_id=name) for name in ("item_1", "item_2"))
        handover.hear(first)
        handover.give()
        assert handover.hear(other) == []
        assert handover.hear(_item("conversation.item.done", "item_2")) == [
            _item("conversation.item.done", "item_1")
        ]
        delete = _event("conversation.item.delete", item_id="item_1")
        assert handover.say(delete) == delete.replace(b"item_1", b"item_2")
        assert handover.say(APPEND) == APPEND
        assert handover.hear(DELTA) == [DELTA]
        assert not handover.idle

    def test_limits_are_told_by_each(self):
        handover = Handover(1000)
        limits = _event("rate_limits.updated", rate_limits=[])
        handover.hear(limits)
        handover.give()
        assert handover.hear(limits) == [limits]

    def test_it_is_done_once(self):
        handover = Handover(1000)
        handover.give()
        assert handover.give() is None


def test_where_nobody_else_answers_the_client_is_told():
    handover = Handover(1000)
    handover.hear(CREATED)
    handover.hear(BEGUN)
    assert handover.hear(FAILED) is None
    assert handover.keep() == [BEGUN, FAILED]
    assert handover.idle
