import base64
import json

import numpy as np
import pytest

from vivavoce.audio.formats import PCMU, decode, encode
from vivavoce.errors import ProtocolError
from vivavoce.protocol.codec import Frame
from vivavoce.webrtc.playout import FRAME_SAMPLES
from vivavoce.webrtc.talk import Talk, ToEndpoint, ToPeer


def frame(kind, **fields):
    return Frame(json.dumps({"type": kind, "event_id": "event_1", **fields}))


def audio(samples, response="resp_1", item="item_1", pcm=None):
    pcm = np.full(samples, 1000, "<i2") if pcm is None else pcm
    delta = base64.b64encode(pcm.tobytes() if isinstance(pcm, np.ndarray) else pcm).decode()
    return frame(
        "response.output_audio.delta",
        response_id=response,
        item_id=item,
        output_index=0,
        content_index=0,
        delta=delta,
    )


def done(response="resp_1"):
    return frame("response.done", response={"object": "realtime.response", "id": response, "output": []})


TONE = (8000 * np.sin(np.arange(2400) / 20)).astype(np.int16)
OF_TODAY = {"audio": {way: {"format": {"type": PCMU}} for way in ("input", "output")}}
OF_THE_BETA = {"input_audio_format": "g711_ulaw", "output_audio_format": "g711_ulaw"}
STARTED = frame("input_audio_buffer.speech_started", audio_start_ms=0, item_id="item_u")


def told(outputs):
    """Return the events for the peer and those for the endpoint."""
    events = [(type(one), json.loads(one.frame.data)) for one in outputs]
    return [e for kind, e in events if issubclass(kind, ToPeer)], [
        e for kind, e in events if kind is ToEndpoint
    ]


def played(talk, frames):
    """Play so many frames; return what was told meanwhile."""
    outputs = []
    for _ in range(frames):
        outputs += talk.next_frame()[1]
    return outputs


class TestSpeaking:
    def test_speech_goes_up_in_40_ms(self):
        talk = Talk()
        spoken = np.arange(1000, dtype=np.int16)
        outputs = [out for at in range(0, 1000, 100) for out in talk.speak(spoken[at : at + 100])]
        _, up = told(outputs)
        assert [event["type"] for event in up] == ["input_audio_buffer.append"]
        heard = np.frombuffer(base64.b64decode(up[0]["audio"]), "<i2")
        assert np.array_equal(heard, spoken[:1000])

    @pytest.mark.parametrize("session", [OF_TODAY, OF_THE_BETA], ids=["today", "beta"])
    def test_speaks_the_sessions_format(self, session):
        talk = Talk()
        assert told(talk.receive(frame("session.updated", session=session)))[0]
        (event,) = told(talk.speak(TONE))[1]
        assert abs(len(base64.b64decode(event["audio"])) - 800) < 20
        talk.receive(audio(0, pcm=encode(TONE, PCMU)))
        pcm, _ = talk.next_frame()
        assert np.array_equal(pcm, decode(encode(TONE, PCMU), PCMU)[:FRAME_SAMPLES])

    @pytest.mark.parametrize("own", [OF_TODAY, OF_THE_BETA], ids=["today", "beta"])
    def test_a_response_keeps_the_format_that_it_began_with(self, own):
        talk = Talk()
        talk.receive(frame("response.created", response={**own, "id": "resp_1"}))
        talk.receive(frame("session.updated", session={"output_audio_format": "g711_alaw"}))
        talk.receive(audio(0, pcm=encode(TONE, PCMU)))
        assert np.array_equal(talk.next_frame()[0], decode(encode(TONE, PCMU), PCMU)[:FRAME_SAMPLES])

    @pytest.mark.parametrize(
        "reply",
        [frame("session.updated", session=OF_TODAY), frame("error", error={"type": "x", "message": "no"})],
        ids=["taken", "refused"],
    )
    def test_speech_waits_until_another_format_is_agreed_on(self, reply):
        talk = Talk()
        talk.tell(frame("session.update", session=OF_TODAY).data)
        assert talk.speak(TONE) == []
        talk.receive(reply)
        (event,) = told(talk.speak(TONE[:10]))[1]
        bytes_of_each = 2 if reply.type == "error" else 1 / 3
        assert abs(len(base64.b64decode(event["audio"])) - 2410 * bytes_of_each) < 20

    def test_speech_waits_for_no_more_than_a_second(self):
        talk = Talk()
        talk.tell(frame("session.update", session=OF_THE_BETA).data)
        outputs = [talk.speak(TONE) for _ in range(11)]
        assert [len(one) for one in outputs] == [0] * 9 + [1, 1]

    def test_events_of_the_data_channel_go_up(self):
        (output,) = Talk().tell('{"type":"response.create"}')
        assert output == ToEndpoint(Frame('{"type":"response.create"}'))

    def test_what_is_no_event_is_refused(self):
        with pytest.raises(ProtocolError):
            Talk().tell("hello")


class TestPlaying:
    def test_speech_is_played_and_not_told(self):
        talk = Talk()
        assert talk.receive(audio(FRAME_SAMPLES)) == []
        pcm, outputs = talk.next_frame()
        assert np.array_equal(pcm, np.full(FRAME_SAMPLES, 1000))
        peer, up = told(outputs)
        assert [(e["type"], e["response_id"]) for e in peer] == [("output_audio_buffer.started", "resp_1")]
        assert up == []

    def test_stops_when_all_has_been_played_and_the_response_is_done(self):
        talk = Talk()
        talk.receive(audio(3 * FRAME_SAMPLES))
        played(talk, 1)
        assert [e["type"] for e in told(talk.receive(done()))[0]] == ["response.done"]
        assert [e["type"] for e in told(played(talk, 2))[0]] == ["output_audio_buffer.stopped"]

    def test_stops_when_the_response_is_done_after_all_has_been_played(self):
        talk = Talk()
        talk.receive(audio(FRAME_SAMPLES))
        played(talk, 3)
        assert [e["type"] for e in told(talk.receive(done()))[0]] == [
            "response.done",
            "output_audio_buffer.stopped",
        ]

    def test_one_response_after_the_other(self):
        talk = Talk()
        for response in ("resp_1", "resp_2"):
            talk.receive(audio(2 * FRAME_SAMPLES, response, f"item_{response}"))
            talk.receive(done(response))
        peer, _ = told(played(talk, 5))
        assert [(e["type"].rsplit(".")[1], e["response_id"]) for e in peer] == [
            ("started", "resp_1"),
            ("stopped", "resp_1"),
            ("started", "resp_2"),
            ("stopped", "resp_2"),
        ]

    def test_what_is_no_audio_is_silence(self):
        talk = Talk()
        assert talk.receive(audio(0, pcm=b"x")) == []
        assert talk.next_frame() == (None, [])


class TestInterrupting:
    def test_who_begins_to_speak_silences_at_once_and_is_told_what_was_heard(self):
        talk = Talk()
        talk.receive(audio(10 * FRAME_SAMPLES))
        played(talk, 4)
        peer, up = told(talk.receive(STARTED))
        assert [e["type"] for e in peer] == [
            "input_audio_buffer.speech_started",
            "output_audio_buffer.cleared",
        ]
        assert [(e["type"], e["item_id"], e["content_index"], e["audio_end_ms"]) for e in up] == [
            ("conversation.item.truncate", "item_1", 0, 80)
        ]
        assert talk.next_frame() == (None, [])

    def test_nothing_more_of_a_silenced_response_is_played(self):
        talk = Talk()
        talk.receive(audio(10 * FRAME_SAMPLES))
        played(talk, 1)
        talk.receive(STARTED)
        talk.receive(audio(FRAME_SAMPLES))
        assert talk.next_frame() == (None, [])
        talk.receive(audio(FRAME_SAMPLES, "resp_2", "item_2"))
        assert told(talk.next_frame()[1])[0][0]["response_id"] == "resp_2"

    def test_what_was_received_and_not_begun_is_truncated_at_zero(self):
        talk = Talk()
        talk.receive(audio(FRAME_SAMPLES))
        assert told(talk.receive(STARTED))[1][0]["audio_end_ms"] == 0

    def test_silence_is_not_interrupted(self):
        talk = Talk()
        assert len(talk.receive(STARTED)) == 1
        talk.receive(audio(FRAME_SAMPLES))
        talk.receive(done())
        played(talk, 2)
        assert len(talk.receive(STARTED)) == 1

    @pytest.mark.parametrize("beta", [False, True], ids=["today", "beta"])
    @pytest.mark.parametrize(
        ("detection", "silenced"),
        [
            ({"type": "server_vad", "interrupt_response": False}, False),
            ({"type": "semantic_vad", "interrupt_response": True}, True),
            ({"type": "server_vad", "interrupt_response": None}, True),
            ({"type": "server_vad"}, True),
            (None, True),
        ],
    )
    def test_a_session_may_say_that_nobody_is_interrupted(self, beta, detection, silenced):
        talk = Talk()
        session = {"turn_detection": detection}
        talk.receive(frame("session.updated", session=session if beta else {"audio": {"input": session}}))
        talk.receive(audio(10 * FRAME_SAMPLES))
        played(talk, 4)
        peer, up = told(talk.receive(STARTED))
        assert (len(peer), len(up)) == ((2, 1) if silenced else (1, 0))
        talk.receive(audio(10 * FRAME_SAMPLES))
        assert (talk.next_frame()[0] is None) is silenced

    def test_the_peer_may_ask_for_silence(self):
        talk = Talk()
        assert talk.tell('{"type":"output_audio_buffer.clear"}') == []
        talk.receive(audio(4 * FRAME_SAMPLES))
        played(talk, 2)
        peer, up = told(talk.tell('{"type":"output_audio_buffer.clear"}'))
        assert [e["type"] for e in peer] == ["output_audio_buffer.cleared"]
        assert up[0]["audio_end_ms"] == 40

    def test_a_truncation_that_came_too_late_is_nobodys_error(self):
        talk = Talk()
        talk.receive(audio(4 * FRAME_SAMPLES))
        (truncate,) = told(talk.receive(STARTED))[1]

        def error(event_id):
            wrong = {"type": "invalid_request_error", "message": "No.", "event_id": event_id}
            return frame("error", error=wrong)

        assert talk.receive(error(truncate["event_id"])) == []
        assert len(talk.receive(error("another"))) == 1
