"""Recorded sessions, replayed: the engine's session sends what the recorded server sent, event by event.

`deliberate` lists every difference there is, and why. A difference that is not listed fails; so does a row of the
list that no recording shows any more.
"""

import re
from functools import cache

import pytest

from tests.conformance.deliberate import DELIBERATE
from tests.conformance.differences import (
    ABSENT,
    KEY_ORDER,
    ORDER,
    OURS_ONLY,
    RECORDED_ONLY,
    Difference,
    differences,
    normalised,
)
from tests.conformance.recording import RECORDINGS, Recording
from tests.conformance.replay import Replay
from vivavoce.engine.session.outgoing import OBFUSCATION_STEP


@cache
def replayed(recording: Recording) -> Replay:
    return Replay(recording)


@cache
def found(recording: Recording) -> tuple[Difference, ...]:
    ours = normalised(replayed(recording).events)
    return tuple(differences(normalised(recording.server), ours))


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda recording: recording.name)
class TestRecordings:
    def test_differs_only_on_purpose(self, recording):
        unexplained = [d for d in found(recording) if not any(row.covers(d) for row in DELIBERATE)]
        assert unexplained == []

    def test_every_event_has_an_id_of_its_own(self, recording):
        ids = [event["event_id"] for event in replayed(recording).events]
        assert len(set(ids)) == len(ids)
        assert all(re.fullmatch(r"event_\w{21}", event_id) for event_id in ids)
        assert all(re.match(r"event_\w{16,}", event["event_id"]) for event in recording.server)

    def test_deltas_are_padded_alike(self, recording):
        for events in (recording.server, replayed(recording).events):
            for event in events:
                if event["type"].endswith(".delta") and event["type"] != "response.output_audio.delta":
                    assert (len(event["delta"]) + len(event["obfuscation"])) % OBFUSCATION_STEP == 0


def test_every_deliberate_difference_is_still_there():
    everything = [difference for recording in RECORDINGS for difference in found(recording)]
    assert [row for row in DELIBERATE if not any(row.covers(d) for d in everything)] == []


def test_turns_are_heard_to_the_millisecond():
    """The detector's steps are those of the recorded server: no tolerance is needed."""
    heard = [recording for recording in RECORDINGS if recording.turns]
    assert sum(len(recording.turns) for recording in heard) == 4
    for recording in heard:
        assert _times(replayed(recording).events) == _times(recording.server) != []


def _times(events):
    return [event[key] for event in events for key in ("audio_start_ms", "audio_end_ms") if key in event]


ADDED = {"type": "conversation.item.added", "event_id": "event_1", "previous_item_id": "item_a"}
DELTA = {"type": "response.output_text.delta", "item_id": "item_a", "delta": "Hel", "obfuscation": "x"}
DONE = {"type": "response.output_text.done", "item_id": "item_a", "text": "Hello"}


class TestDifferences:
    """The comparison itself sees what it is there to see."""

    def test_ids_correspond_one_to_one(self):
        one = [{**ADDED, "previous_item_id": f"item_{name}"} for name in "aba"]
        assert differences(one, [{**ADDED, "previous_item_id": f"item_{name}"} for name in "xyx"]) == []
        (wrong,) = differences(one, [{**ADDED, "previous_item_id": f"item_{name}"} for name in "xyy"])
        assert (wrong.where, wrong.recorded, wrong.ours) == ("previous_item_id", "item_a", "item_y")
        assert differences(one[:2], [{**ADDED, "previous_item_id": "item_x"}] * 2) != []

    def test_ids_are_of_one_kind(self):
        assert differences([ADDED], [{**ADDED, "previous_item_id": "resp_a"}]) != []

    def test_deltas_are_one_however_they_are_cut(self):
        cut = [DELTA, DONE, {**DELTA, "delta": "lo", "obfuscation": ""}]
        assert normalised(cut) == normalised([{**DELTA, "delta": "Hello"}, DONE])

    def test_a_field_more_less_or_other(self):
        assert differences([{"type": "t", "a": 1}], [{"type": "t"}]) == [Difference("t", "a", 1, ABSENT)]
        assert differences([{"type": "t"}], [{"type": "t", "a": 1}]) == [Difference("t", "a", ABSENT, 1)]
        assert differences([{"type": "t", "a": 1}], [{"type": "t", "a": True}]) != []
        assert differences([{"type": "t", "a": [1]}], [{"type": "t", "a": [1, 2]}]) != []

    def test_the_order_of_fields(self):
        (turned,) = differences([{"type": "t", "a": 1, "b": 2}], [{"type": "t", "b": 2, "a": 1}])
        assert turned.where == KEY_ORDER

    def test_an_event_more_less_or_elsewhere(self):
        one, other = {"type": "one"}, {"type": "other"}
        assert differences([one], []) == [Difference("one", RECORDED_ONLY)]
        assert differences([], [one]) == [Difference("one", OURS_ONLY)]
        assert [found.where for found in differences([one, other], [other, one])] == [ORDER]

    def test_counted_tokens_are_numbers(self):
        done = {"type": "t", "usage": {"total_tokens": 7}}
        assert normalised([done]) == normalised([{"type": "t", "usage": {"total_tokens": 9}}])
        assert normalised([done]) != normalised([{"type": "t", "usage": {"total_tokens": "9"}}])

    def test_empty_audio_is_no_audio(self):
        audio = {"type": "response.output_audio.delta", "item_id": "item_a", "delta": "AAAA"}
        assert normalised([audio]) == normalised([{**audio, "delta": "BBBB"}])
        assert normalised([audio]) != normalised([{**audio, "delta": ""}])
