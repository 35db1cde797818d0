import base64

import pytest

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
