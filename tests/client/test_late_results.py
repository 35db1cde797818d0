import json
import random

import pytest

from vivavoce.client.late_results import LateResults
from vivavoce.protocol.ids import Ids
from vivavoce.protocol.items import FunctionCall
from vivavoce.protocol.server_events import (
    InputAudioBufferCleared,
    InputAudioBufferSpeechStarted,
    InputAudioBufferSpeechStopped,
    SessionCreated,
)
from vivavoce.protocol.session import RealtimeSession

CALL = FunctionCall(name="book", call_id="call_1", arguments='{"table": 7}')
STARTED = InputAudioBufferSpeechStarted(audio_start_ms=0, item_id="item_1")
STOPPED = InputAudioBufferSpeechStopped(audio_end_ms=1, item_id="item_1")


@pytest.fixture
def late():
    late = LateResults(Ids(random.Random(1)))
    late.add(CALL, "booked")
    return late


def test_a_result_is_told_as_a_call_and_its_output(late):
    call, output = late.due(free=True)
    assert (call.name, call.arguments) == (CALL.name, CALL.arguments)
    assert output.call_id == call.call_id != CALL.call_id, "which has its output already"
    told = json.loads(output.output)
    assert (told["status"], told["result"]) == ("done", "booked")
    assert "Tell the user" in told["note"]
    assert late.due(free=True) == [], "and it is told once"


def test_a_result_of_several_parts_keeps_them():
    late = LateResults(Ids(random.Random(1)))
    late.add(CALL, '{"table": 7, "time": "20:00"}')
    assert json.loads(late.due(free=True)[1].output)["result"] == {"table": 7, "time": "20:00"}


@pytest.mark.parametrize("result", ["no JSON", "[" * 8000, '{"cut": "of'])
def test_a_result_of_any_other_kind_is_text(result):
    late = LateResults(Ids(random.Random(1)))
    late.add(CALL, result)
    assert json.loads(late.due(free=True)[1].output)["result"] == result


def test_all_that_are_there_are_told_together(late):
    late.add(CALL, "booked again")
    items = late.due(free=True)
    assert [json.loads(item.output)["result"] for item in items[1::2]] == ["booked", "booked again"]
    assert len({item.call_id for item in items}) == 2


def test_nobody_is_interrupted(late):
    assert late.due(free=False) == []
    late.fold(STARTED)
    assert late.due(free=True) == []
    late.fold(STOPPED)
    assert late.due(free=True)


@pytest.mark.parametrize(
    "end", [InputAudioBufferCleared(), SessionCreated(session=RealtimeSession(id="sess_1"))]
)
def test_speech_that_is_dropped_is_over_too(late, end):
    late.fold(STARTED)
    late.fold(end)
    assert late.due(free=True)
