import base64

import pytest

from tests.engine.session.driver import Driver, types, user
from vivavoce.engine.session import effects
from vivavoce.engine.session.idle import Idle
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.responses import Response, ResponseAudio, ResponseAudioOutput
from vivavoce.protocol.session import AudioPcm, AudioPcma

PLACE = {"item_id": "item_1", "output_index": 0, "content_index": 0}


class Sent:
    """An `Idle`, and what is sent while its clock stands at `at`."""

    def __init__(self):
        self.idle = Idle()
        self.at = 0

    def send(self, event):
        self.idle.sent(event, self.at)

    def answer(self, *spoken, name="resp_1", until=0, conversation="conv_1", audio_format=None):
        """Send a response that speaks so many bytes, and is done when the clock stands at ``until``."""
        audio = ResponseAudio(output=ResponseAudioOutput(format=audio_format or AudioPcm()))
        response = Response(id=name, conversation_id=conversation, audio=audio)
        self.send(ev.ResponseCreated(response=response))
        for size in spoken:
            delta = base64.b64encode(bytes(size)).decode()
            self.send(ev.ResponseOutputAudioDelta(response_id=name, **PLACE, delta=delta))
        self.at = max(self.at, until)
        self.send(ev.ResponseDone(response=response))


@pytest.fixture
def sent():
    return Sent()


def test_before_the_first_answer_there_is_no_silence(sent):
    sent.idle.nothing_said(100)
    assert sent.idle.since is None
    assert not sent.idle.over(10**9, 1)


def test_begins_when_the_answer_has_been_played(sent):
    sent.at = 1000
    sent.answer(2 * 500, 2 * 251, 2, until=1200)
    assert sent.idle.since == 1000 + 500 + 251 + 1
    assert not sent.idle.over(1751, 0)
    assert not sent.idle.over(1752 + 99, 100)
    assert sent.idle.over(1752 + 100, 100)


def test_begins_not_before_the_answer_is_complete(sent):
    sent.answer(2 * 500, until=5000)
    assert sent.idle.since == 5000


def test_a_telephone_plays_three_times_as_long(sent):
    sent.answer(500, audio_format=AudioPcma())
    assert sent.idle.since == 1500


def test_ends_with_speech_and_with_the_next_answer(sent):
    sent.answer()
    sent.send(ev.InputAudioBufferSpeechStarted(audio_start_ms=0, item_id="item_2"))
    assert sent.idle.since is None
    sent.answer()
    sent.send(ev.ResponseCreated(response=Response(id="resp_2", conversation_id="conv_1")))
    assert sent.idle.since is None


def test_speech_during_the_answer_that_goes_on_does_not_last(sent):
    sent.answer()
    sent.send(ev.InputAudioBufferSpeechStopped(audio_end_ms=0, item_id="item_2"))
    assert sent.idle.since is None


def test_what_only_sounded_like_speech_does_not_end_it_for_good(sent):
    sent.answer()
    sent.send(ev.InputAudioBufferSpeechStarted(audio_start_ms=0, item_id="item_2"))
    sent.idle.nothing_said(700)
    assert sent.idle.since == 700


def test_nor_does_it_begin_one_during_an_answer(sent):
    sent.answer()
    sent.send(ev.ResponseCreated(response=Response(id="resp_2", conversation_id="conv_1")))
    sent.idle.nothing_said(700)
    assert sent.idle.since is None


def test_a_response_out_of_band_is_not_played(sent):
    sent.answer()
    sent.at = 500
    sent.answer(2 * 400, name="resp_2", conversation=None)
    assert sent.idle.since == 0


def test_who_truncates_plays_no_longer(sent):
    sent.answer(2 * 5000)
    sent.at = 200
    truncated = ev.ConversationItemTruncated(item_id="item_1", content_index=0, audio_end_ms=1)
    sent.send(truncated)
    assert sent.idle.since == 200
    sent.at = 300
    sent.send(truncated)
    assert sent.idle.since == 200


def test_is_told_of_once(sent):
    sent.answer()
    sent.idle.told(answered=True)
    assert sent.idle.since is None
    sent.answer()  # to that very silence
    sent.idle.nothing_said(10)
    assert sent.idle.since is None
    sent.answer()  # to something that was said
    assert sent.idle.since == 0


def test_without_an_answer_to_it_the_next_one_counts(sent):
    sent.answer()
    sent.idle.told(answered=False)
    sent.answer()
    assert sent.idle.since == 0


def test_can_be_counted_anew(sent):
    sent.idle.restart(300)
    assert sent.idle.since is None
    sent.answer()
    sent.idle.restart(300)
    assert sent.idle.since == 300
    sent.idle.restart(200)
    assert sent.idle.since == 300


def waiting(**detection):
    """A session that has given an answer of one second, and waits for six seconds after it."""
    fields = {"type": "server_vad", "idle_timeout_ms": 6000, **detection}
    driver = Driver(audio={"input": {"turn_detection": fields, "transcription": {"model": "whisper-1"}}})
    driver.client("conversation.item.create", item=user("Hello."))
    driver.client("response.create")
    driver.write("Hello there. ")
    driver.speak(1.0)
    return driver


def timed_out(events):
    return [event for event in events if event["type"] == "input_audio_buffer.timeout_triggered"]


class TestSession:
    def test_asks_after_a_while(self):
        driver = waiting()
        driver.hear(*[(0.096, 0.1)] * 72)
        assert not timed_out(driver.events)
        events = driver.hear((0.096, 0.1))
        assert types(events) == [
            "input_audio_buffer.timeout_triggered",
            "input_audio_buffer.committed",
            "conversation.item.added",
            "conversation.item.done",
        ]
        told, committed, added, _ = events
        assert told["audio_start_ms"] == 1000
        assert 7000 <= told["audio_end_ms"] < 7000 + 32
        assert told["item_id"] == committed["item_id"] == added["item"]["id"]
        (retrieved,) = driver.client("conversation.item.retrieve", item_id=told["item_id"])
        silence = base64.b64decode(retrieved["item"]["content"][0]["audio"])
        assert len(silence) == 48 * (told["audio_end_ms"] - told["audio_start_ms"])
        assert "response.created" in types(driver.recognise(""))
        asked = driver.last(effects.Generate).prompt.messages[-1]
        assert asked.role == "system"
        assert "silent for 6 seconds" in asked.text

    def test_hears_what_was_said_all_the_same(self):
        driver = waiting()
        driver.hear((7.1, 0.1))
        driver.recognise("Psst.")
        assert driver.last(effects.Generate).prompt.messages[-1].text == "Psst."

    def test_asks_once(self):
        driver = waiting()
        driver.hear((7.1, 0.1))
        driver.recognise("")
        driver.write("Are you there? ")
        driver.speak(1.0)
        driver.hear((9.0, 0.1))
        driver.hear((0.3, 0.9), (9.0, 0.1))  # a cough is no answer
        driver.recognise("")
        driver.hear((9.0, 0.1))
        assert len(timed_out(driver.events)) == 1

    def test_asks_again_after_another_answer(self):
        driver = waiting()
        driver.hear((7.1, 0.1))
        driver.recognise("")
        driver.write("Are you there? ")
        driver.speak(1.0)
        driver.hear((1.0, 0.9), (0.3, 0.1))
        driver.recognise("Yes.")
        driver.write("Good. ")
        driver.speak(1.0)
        driver.hear((7.1, 0.1))
        assert len(timed_out(driver.events)) == 2

    def test_speech_comes_before_it(self):
        driver = waiting()
        driver.hear((6.9, 0.1), (1.0, 0.9), (9.0, 0.1))
        assert not timed_out(driver.events)

    def test_so_does_the_first_moment_of_speech(self):
        driver = waiting()
        driver.hear((6.976, 0.1), (0.064, 0.9))
        assert not timed_out(driver.events)
        driver.hear((0.032, 0.1))
        assert timed_out(driver.events)

    def test_a_cough_does_not_silence_it(self):
        driver = waiting()
        driver.hear((3.0, 0.1), (0.3, 0.9), (0.3, 0.1))
        driver.recognise("")
        driver.hear((5.9, 0.1))
        assert not timed_out(driver.events)
        driver.hear((0.2, 0.1))
        assert timed_out(driver.events)

    @pytest.mark.parametrize("how", ["clear", "commit", "update"])
    def test_is_counted_anew(self, how):
        driver = waiting()
        driver.hear((6.0, 0.1))
        if how != "update":
            driver.client(f"input_audio_buffer.{how}")
        else:
            for detection in (None, {"type": "server_vad", "idle_timeout_ms": 6000}):
                audio = {"input": {"turn_detection": detection}}
                driver.client("session.update", session={"type": "realtime", "audio": audio})
        driver.hear((5.9, 0.1))
        assert not timed_out(driver.events)
        driver.hear((0.2, 0.1))
        assert timed_out(driver.events)

    def test_tells_and_leaves_the_response_to_the_client(self):
        driver = waiting(create_response=False)
        events = driver.hear((7.1, 0.1))
        assert timed_out(events)
        assert "response.created" not in types(driver.recognise(""))
        assert "response.created" in types(driver.client("response.create"))

    def test_is_not_asked_for_by_default(self):
        driver = waiting(idle_timeout_ms=None)
        driver.hear((30.0, 0.1))
        assert not timed_out(driver.events)

    @pytest.mark.parametrize("timeout", [4999, 30_001, 0, "6000"])
    def test_has_its_limits(self, timeout):
        driver = Driver()
        detection = {"type": "server_vad", "idle_timeout_ms": timeout}
        audio = {"input": {"turn_detection": detection}}
        (refused,) = driver.client("session.update", session={"type": "realtime", "audio": audio})
        assert refused["type"] == "error"
        assert refused["error"]["param"] == "session.audio.input.turn_detection.idle_timeout_ms"

    def test_is_no_matter_of_semantic_vad(self):
        driver = Driver()
        detection = {"type": "semantic_vad", "idle_timeout_ms": 6000}
        audio = {"input": {"turn_detection": detection}}
        (refused,) = driver.client("session.update", session={"type": "realtime", "audio": audio})
        assert refused["error"]["code"] == "unknown_parameter"
