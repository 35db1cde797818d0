import json
from pathlib import Path

import pytest

from vivavoce.client.latency import Stages, TurnLatency
from vivavoce.protocol.codec import decode_server_event

WIRE = Path(__file__).parents[1] / "wire"


def event(kind, **fields):
    return decode_server_event(json.dumps({"type": kind, "event_id": "event_1", **fields}))


def started(item_id):
    return event("input_audio_buffer.speech_started", item_id=item_id, audio_start_ms=0)


def stopped(item_id):
    return event("input_audio_buffer.speech_stopped", item_id=item_id, audio_end_ms=1000)


def committed(item_id):
    return event("input_audio_buffer.committed", item_id=item_id)


def transcribed(item_id):
    kind = "conversation.item.input_audio_transcription.completed"
    usage = {"type": "duration", "seconds": 1}
    return event(kind, item_id=item_id, content_index=0, transcript="Hello.", usage=usage)


def response(response_id):
    return event("response.created", response={"id": response_id})


def delta(kind, response_id):
    return event(
        f"response.{kind}.delta",
        response_id=response_id,
        item_id="a",
        output_index=0,
        content_index=0,
        delta="QQ==",
    )


def measured(anchor, *timed):
    latency = TurnLatency()
    latency.anchor = anchor
    for time, what in timed:
        latency.feed(time, what)
    return latency


SPOKEN = [
    (8.0, started("u1")),
    (10.25, stopped("u1")),
    (10.26, committed("u1")),
    (10.27, response("r1")),
    (10.5, delta("output_audio_transcript", "r1")),
    (10.6, delta("output_audio", "r1")),
    (10.65, transcribed("u1")),
    (10.7, delta("output_audio_transcript", "r1")),
    (10.8, delta("output_audio", "r1")),
]


def rounded(stages):
    return Stages(*(getattr(stages, name) and round(getattr(stages, name)) for name in Stages.__slots__))


def test_stages_count_from_the_anchor_and_take_the_first_of_each():
    latency = measured(10.0, *SPOKEN)
    assert rounded(latency.stages) == Stages(250, 650, 500, 600)
    assert latency.turns == 1


def test_a_written_turn_has_no_hearing():
    timed = [
        (1.1, response("r1")),
        (1.2, delta("output_audio_transcript", "r1")),
        (1.3, delta("output_audio", "r1")),
    ]
    assert rounded(measured(1.0, *timed).stages) == Stages(None, None, 200, 300)


def test_an_answer_in_writing_counts_as_text():
    timed = [(1.1, response("r1")), (1.2, delta("output_text", "r1"))]
    assert rounded(measured(1.0, *timed).stages) == Stages(first_text=200)


def test_when_the_speaker_goes_on_the_last_turn_counts():
    cut = [
        (8.0, started("u0")),
        (9.0, stopped("u0")),
        (9.1, response("r0")),
        (9.2, delta("output_audio", "r0")),
        (9.3, started("u1")),
        (9.4, delta("output_audio", "r0")),
        (9.5, transcribed("u0")),
    ]
    latency = measured(10.0, *cut, *SPOKEN[1:])
    assert rounded(latency.stages) == Stages(250, 650, 500, 600)
    assert latency.turns == 2


def test_a_turn_decided_too_early_is_negative():
    assert rounded(measured(10.0, (8.0, started("u1")), (9.9, stopped("u1"))).stages).turn_decided == -100


def test_push_to_talk_is_decided_by_the_commit():
    assert rounded(measured(10.0, (10.1, committed("u1"))).stages).turn_decided == 100


def test_deltas_of_another_response_do_not_count():
    timed = [(1.1, response("r1")), (1.2, delta("output_audio", "r0"))]
    assert measured(1.0, *timed).stages.first_audio is None


def test_without_an_anchor_there_is_no_answer():
    with pytest.raises(ValueError, match="anchor"):
        _ = TurnLatency().stages


def test_a_recorded_turn_has_every_stage():
    latency = TurnLatency()
    latency.anchor = 0
    frames = (WIRE / "test_openai_ws__test_audio_in_server_vad_turn.jsonl").read_text().splitlines()
    for time, line in enumerate(frames):
        frame = json.loads(line)
        if frame["dir"] == "S":
            latency.feed(time, decode_server_event(json.dumps(frame["event"])))
    stages = latency.stages
    assert 0 < stages.turn_decided < stages.first_text < stages.first_audio
    assert stages.transcript_final > stages.turn_decided
