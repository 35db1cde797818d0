import base64
import json

from hypothesis import given
from hypothesis import strategies as st

from vivavoce.client.interruption import Clear, Play, Send, VoiceLoop
from vivavoce.protocol.codec import decode_server_event, encode

SECOND = bytes(48_000)
FRAME = bytes(1920)


def event(kind, **fields):
    return decode_server_event(json.dumps({"type": kind, "event_id": "event_1", **fields}))


def created(response_id="r1"):
    return event("response.created", response={"id": response_id})


def done(response_id="r1", status="cancelled"):
    return event("response.done", response={"id": response_id, "status": status})


def audio(response_id="r1", item_id="a", pcm=SECOND):
    delta = base64.b64encode(pcm).decode()
    where = {"item_id": item_id, "response_id": response_id, "output_index": 0, "content_index": 0}
    return event("response.output_audio.delta", **where, delta=delta)


STARTED = event("input_audio_buffer.speech_started", item_id="u", audio_start_ms=0)


def sent(actions):
    return [json.loads(encode(action.event)) for action in actions if isinstance(action, Send)]


def types(actions):
    return [one["type"] for one in sent(actions)]


def speaking(**options):
    loop = VoiceLoop(**options)
    loop.take(created(), 0)
    assert loop.take(audio(), 0) == [Play(SECOND)]
    return loop


def truncation(ms, item_id="a"):
    return {"type": "conversation.item.truncate", "item_id": item_id, "content_index": 0, "audio_end_ms": ms}


class TestHandsFree:
    def test_all_that_is_heard_is_sent(self):
        actions = VoiceLoop().hear(FRAME)
        assert sent(actions) == [
            {"type": "input_audio_buffer.append", "audio": base64.b64encode(FRAME).decode()}
        ]

    def test_speaking_over_an_answer_stops_it_and_tells_what_was_heard(self):
        actions = speaking().take(STARTED, 12_000)
        assert actions[0] == Clear()
        assert sent(actions) == [truncation(500)]

    def test_what_still_comes_of_it_is_not_played(self):
        loop = speaking()
        loop.take(STARTED, 12_000)
        assert loop.take(audio(), 0) == []
        assert loop.take(done(), 0) == []

    def test_the_next_answer_is_played(self):
        loop = speaking()
        for one in (STARTED, done(), created("r2")):
            loop.take(one, 12_000)
        assert loop.take(audio("r2", "b"), 0) == [Play(SECOND)]
        assert sent(loop.take(STARTED, 2_400)) == [truncation(100, "b")]

    def test_an_answer_that_was_heard_to_its_end_is_left_alone(self):
        loop = speaking()
        loop.take(done(status="completed"), 24_000)
        assert loop.take(STARTED, 24_000) == []

    def test_an_answer_that_is_over_but_still_playing_is_stopped(self):
        loop = speaking()
        loop.take(done(status="completed"), 6_000)
        assert sent(loop.take(STARTED, 6_000)) == [truncation(250)]

    def test_speaking_before_the_first_sound_drops_what_comes(self):
        loop = VoiceLoop()
        loop.take(created(), 0)
        assert loop.take(STARTED, 0) == []
        assert loop.take(audio(), 0) == []

    def test_the_key_does_nothing(self):
        loop = speaking()
        assert loop.press(0) == []
        assert loop.release() == []
        assert loop.talking


class TestPushToTalk:
    def test_only_what_is_said_while_the_key_is_down_is_sent(self):
        loop = VoiceLoop(push_to_talk=True)
        assert loop.hear(FRAME) == []
        assert loop.press(0) == []
        assert types(loop.hear(FRAME)) == ["input_audio_buffer.append"]
        for _ in range(2):
            loop.hear(FRAME)
        assert types(loop.release()) == ["input_audio_buffer.commit", "response.create"]
        assert loop.hear(FRAME) == []

    def test_too_short_a_press_means_nothing(self):
        loop = VoiceLoop(push_to_talk=True)
        loop.press(0)
        loop.hear(FRAME)
        loop.hear(FRAME)
        assert types(loop.release()) == ["input_audio_buffer.clear"]

    def test_pressing_stops_the_answer_and_cancels_it(self):
        actions = speaking(push_to_talk=True).press(12_000)
        assert actions[0] == Clear()
        assert sent(actions) == [truncation(500), {"type": "response.cancel", "response_id": "r1"}]

    def test_after_the_answer_there_is_nothing_to_cancel(self):
        loop = speaking(push_to_talk=True)
        loop.take(done(status="completed"), 0)
        assert types(loop.press(12_000)) == ["conversation.item.truncate"]

    def test_the_answer_waits_until_the_cancelled_one_is_over(self):
        loop = speaking(push_to_talk=True)
        loop.press(0)
        for _ in range(3):
            loop.hear(FRAME)
        assert types(loop.release()) == ["input_audio_buffer.commit"]
        assert types(loop.take(done(), 0)) == ["response.create"]
        assert loop.take(done(), 0) == []

    def test_pressing_again_takes_the_question_back(self):
        loop = speaking(push_to_talk=True)
        loop.press(0)
        for _ in range(3):
            loop.hear(FRAME)
        loop.release()
        loop.press(0)
        assert loop.take(done(), 0) == []

    def test_pressing_before_the_answer_begins_cancels_it_when_it_does(self):
        loop = VoiceLoop(push_to_talk=True)
        loop.press(0)
        loop.hear(SECOND)
        loop.release()
        assert loop.press(0) == []
        assert sent(loop.take(created(), 0)) == [{"type": "response.cancel", "response_id": "r1"}]
        assert loop.take(audio(), 0) == []
        loop.hear(SECOND)
        assert types(loop.release()) == ["input_audio_buffer.commit"]
        assert types(loop.take(done(), 0)) == ["response.create"]

    def test_an_answer_on_its_way_is_waited_for(self):
        loop = VoiceLoop(push_to_talk=True)
        for _ in range(2):
            loop.press(0)
            loop.hear(SECOND)
            actions = loop.release()
        assert types(actions) == ["input_audio_buffer.commit"]

    def test_an_answer_that_was_refused_is_not_waited_for(self):
        loop = VoiceLoop(push_to_talk=True)
        loop.press(0)
        loop.hear(SECOND)
        loop.release()
        loop.take(event("error", error={"type": "invalid_request_error", "message": "no"}), 0)
        loop.press(0)
        loop.hear(SECOND)
        assert types(loop.release()) == ["input_audio_buffer.commit", "response.create"]

    def test_pressing_twice_is_pressing_once(self):
        loop = speaking(push_to_talk=True)
        assert loop.press(0) != []
        assert loop.press(0) == []
        loop.release()
        assert loop.release() == []


STEPS = st.lists(
    st.sampled_from(["created", "audio", "done", "started", "press", "release", "hear", "play"]), max_size=60
)


@given(push_to_talk=st.booleans(), steps=STEPS)
def test_whatever_happens_the_protocol_is_kept(push_to_talk, steps):  # noqa: PLR0912 - one branch for each step
    """A response is asked for only when none is active; never more is truncated than was received and heard."""
    loop = VoiceLoop(push_to_talk=push_to_talk)
    number = heard = queued = 0
    active, received = False, {}
    for step in steps:
        actions = []
        match step:
            case "created" if not active:
                number += 1
                active = True
                actions = loop.take(created(f"r{number}"), heard)
            case "audio" if active:
                received[f"a{number}"] = received.get(f"a{number}", 0) + 1000
                actions = loop.take(audio(f"r{number}", f"a{number}"), heard)
            case "done" if active:
                active = False
                actions = loop.take(done(f"r{number}"), heard)
            case "started":
                actions = loop.take(STARTED, heard)
            case "press":
                actions = loop.press(heard)
            case "release":
                actions = loop.release()
            case "hear":
                actions = loop.hear(SECOND)
            case "play":
                heard = min(queued, heard + 12_000)
        for action in actions:
            match action:
                case Play(pcm):
                    queued += len(pcm) // 2
                case Clear():
                    unheard = queued - heard
                    heard = queued = 0
                    assert unheard > 0
        for one in sent(actions):
            assert one["type"] != "response.create" or not active
            assert one["type"] != "response.cancel" or active
            assert 0 <= one.get("audio_end_ms", 0) <= received.get(one.get("item_id"), 0)


def test_an_answer_is_interrupted_after_another_was_heard_to_its_end():
    loop = speaking()
    loop.take(done(status="completed"), 24_000)
    assert loop.take(STARTED, 24_000) == []
    loop.take(created("r2"), 24_000)
    loop.take(audio("r2", "b"), 24_000)
    actions = loop.take(STARTED, 36_000)
    assert actions[0] == Clear()
    assert sent(actions) == [truncation(500, "b")]
