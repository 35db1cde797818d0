import base64

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.audio.formats import decode
from vivavoce.audio.pcm import from_pcm16
from vivavoce.client.remote_player import RemotePlayer
from vivavoce.client.speaking import Speaking
from vivavoce.protocol.client_events import ConversationItemTruncate
from vivavoce.protocol.items import MessageItem
from vivavoce.protocol.responses import Response, ResponseAudio, ResponseAudioOutput
from vivavoce.protocol.server_events import (
    InputAudioBufferSpeechStarted,
    ResponseCreated,
    ResponseDone,
    ResponseOutputAudioDelta,
    ResponseOutputAudioDone,
    SessionCreated,
    SessionUpdated,
)
from vivavoce.protocol.session import AudioPcma, AudioPcmu, RealtimeSession, ServerVad

STARTED = InputAudioBufferSpeechStarted(audio_start_ms=0, item_id="u")


def audio(samples, response_id="resp_1", item_id="item_1"):
    delta = base64.b64encode(np.full(samples, 1000, "<i2").tobytes()).decode()
    return ResponseOutputAudioDelta(
        response_id=response_id, item_id=item_id, output_index=0, content_index=0, delta=delta
    )


class Loudspeaker:
    """Plays when it is told to `listen`."""

    def __init__(self):
        self.queued = 0
        self.heard = 0

    def play(self, samples):
        self.queued += len(samples)

    def clear(self):
        self.queued = self.heard = 0

    def listen(self, samples):
        played = min(samples, self.queued)
        self.queued -= played
        self.heard += played


@pytest.fixture
def speaker():
    return Loudspeaker()


@pytest.fixture
def speaking(speaker):
    return Speaking(speaker)


def test_what_comes_is_played(speaking, speaker):
    assert speaking.take(audio(2400)) == []
    assert speaker.queued == 2400


def test_it_plays_until_all_is_heard(speaking, speaker):
    assert not speaking.playing
    speaking.take(audio(2400))
    speaker.listen(2399)
    assert speaking.playing
    speaker.listen(1)
    assert not speaking.playing


def test_who_begins_to_speak_silences_it(speaking, speaker):
    speaking.take(audio(24_000))
    speaker.listen(12_000)
    truncation = ConversationItemTruncate(item_id="item_1", content_index=0, audio_end_ms=500)
    assert speaking.take(STARTED) == [truncation]
    assert speaker.queued == 0


def test_the_rest_of_a_response_that_was_silenced_is_not_played(speaking, speaker):
    speaking.take(audio(24_000))
    speaking.silence()
    speaking.take(audio(24_000))
    assert speaker.queued == 0
    speaking.take(audio(24_000, "resp_2", "item_2"))
    assert speaker.queued == 24_000


def finished(item_id="item_1", response_id="resp_1"):
    return ResponseOutputAudioDone(response_id=response_id, item_id=item_id, output_index=0, content_index=0)


def test_where_nothing_is_played_nothing_is_told(speaking, speaker):
    assert speaking.take(STARTED) == []
    speaking.take(audio(2400))
    speaking.take(finished())
    speaker.listen(2400)
    assert speaking.take(STARTED) == []


def test_an_answer_that_is_still_being_made_is_cut_where_it_is_heard_to_the_end_of_what_came(
    speaking, speaker
):
    speaking.take(audio(2400))
    speaker.listen(2400)
    truncation = ConversationItemTruncate(item_id="item_1", content_index=0, audio_end_ms=100)
    assert speaking.take(STARTED) == [truncation], "the endpoint has made more of it"
    assert speaking.take(STARTED) == []


def test_a_response_that_had_not_begun_to_sound_is_not_played_either(speaking, speaker):
    speaking.take(ResponseCreated(response=Response(id="resp_1")))
    speaking.take(STARTED)
    speaking.take(audio(2400))
    assert speaker.queued == 0


def test_two_responses_at_a_time_are_both_silenced(speaking, speaker):
    speaking.take(audio(2400, "resp_1", "item_1"))
    speaking.take(audio(2400, "resp_2", "item_2"))
    assert len(speaking.take(STARTED)) == 2
    speaking.take(audio(2400, "resp_1", "item_1"))
    speaking.take(audio(2400, "resp_2", "item_2"))
    assert speaker.queued == 0


def test_what_is_in_no_conversation_cannot_be_truncated_there(speaker):
    speaking = Speaking(speaker, placed=lambda item_id: item_id == "item_2")
    speaking.take(audio(2400, "resp_1", "item_1"))
    speaking.take(audio(2400, "resp_2", "item_2"))
    assert [one.item_id for one in speaking.take(STARTED)] == ["item_2"]
    assert speaker.queued == 0


@pytest.mark.parametrize(("interrupts", "left"), [(True, 0), (False, 2400)])
def test_a_session_that_is_not_to_be_interrupted_is_not(speaking, speaker, interrupts, left):
    session = RealtimeSession(model="gpt-realtime", id="sess_1")
    session.audio.input.turn_detection = ServerVad(interrupt_response=interrupts)
    speaking.take(SessionUpdated(session=session))
    speaking.take(audio(2400))
    assert len(speaking.take(STARTED)) == int(interrupts)
    assert speaker.queued == left


def test_what_is_no_audio_is_not_played(speaking, speaker):
    for delta in ("é", "", "AAAA"):
        event = audio(1)
        event.delta = delta
        speaking.take(event)
    assert speaker.queued == 1, "three bytes are one sample"


def spoken_in(name):
    """Return a session that speaks in this format."""
    session = RealtimeSession(model="gpt-realtime", id="sess_1")
    session.audio.output.format = {"audio/pcmu": AudioPcmu(), "audio/pcma": AudioPcma()}[name]
    return session


@pytest.mark.parametrize("name", ["audio/pcmu", "audio/pcma"])
class TestTelephoneAudio:
    DATA = bytes(range(256)) * 10

    def deltas(self, size):
        for start in range(0, len(self.DATA), size):
            event = audio(0)
            event.delta = base64.b64encode(self.DATA[start : start + size]).decode()
            yield event

    @pytest.mark.parametrize("size", [7, 160, 2560])
    def test_is_played_whole_and_without_seams(self, name, size):
        played = []
        speaking = Speaking(RemotePlayer(lambda samples: played.extend(samples.tolist()), lambda: None))
        speaking.take(SessionCreated(session=spoken_in(name)))
        for event in self.deltas(size):
            speaking.take(event)
        speaking.take(finished())
        assert played == from_pcm16(decode(self.DATA, name)).tolist()

    def test_is_truncated_in_milliseconds(self, name, speaking, speaker):
        speaking.take(SessionCreated(session=spoken_in(name)))
        for event in self.deltas(160):
            speaking.take(event)
        speaker.listen(2400)
        assert [one.audio_end_ms for one in speaking.take(STARTED)] == [100]

    def test_one_response_may_be_in_another_format(self, name, speaking, speaker):
        response = Response(id="resp_1", audio=ResponseAudio(output=ResponseAudioOutput(format=AudioPcma())))
        speaking.take(
            SessionCreated(session=spoken_in("audio/pcmu") if name == "audio/pcmu" else spoken_in(name))
        )
        speaking.take(ResponseCreated(response=response))
        for event in self.deltas(2560):
            speaking.take(event)
        speaking.take(finished())
        assert speaker.queued == 7680
        speaking.take(ResponseDone(response=response))
        speaking.take(audio(800, "resp_2", "item_2"))
        assert speaker.queued > 7680 + 3 * 1600 - 60, "two bytes are two samples again"

    def test_the_end_of_a_response_gives_out_what_is_held_back(self, name, speaking, speaker):
        speaking.take(SessionCreated(session=spoken_in(name)))
        for event in self.deltas(2560):
            speaking.take(event)
        assert speaker.queued < 7680
        item = MessageItem(id="item_1", role="assistant", content=[])
        speaking.take(ResponseDone(response=Response(id="resp_1", output=[item])))
        assert speaker.queued == 7680


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("audio"), st.integers(1, 50_000)),
        st.tuples(st.just("report"), st.integers(0, 200_000)),
        st.tuples(st.just("item"), st.integers(0, 10_000)),
        st.tuples(st.just("early"), st.integers(0, 200_000)),
        st.tuples(
            st.sampled_from(["speech", "created", "audio done", "done", "delete", "silence"]), st.just(0)
        ),
    ),
    max_size=60,
)


class Endpoint:
    """What an endpoint would say to a truncation: it knows what it has sent of which item."""

    def __init__(self):
        self.sent = {}
        self.deleted = set()

    def check(self, truncations):
        for one in truncations:
            assert one.item_id not in self.deleted
            assert 0 <= one.audio_end_ms <= self.sent[one.item_id] / 24
            self.sent[one.item_id] = one.audio_end_ms * 24
        assert len({one.item_id for one in truncations}) == len(truncations)


@given(STEPS)
def test_no_player_and_no_order_of_events_leads_to_a_truncation_that_would_be_refused(steps):
    """Positions may be wrong, late, or of an item that is gone; events may come in an order that makes no sense."""
    endpoint, number = Endpoint(), 0
    player = RemotePlayer(lambda _: None, lambda: None)
    speaking = Speaking(player, lambda item_id: item_id not in endpoint.deleted, player.playback)
    for step, amount in steps:
        response_id, item_id = f"resp_{number}", f"item_{number}"
        match step:
            case "created":
                number += 1
                speaking.take(ResponseCreated(response=Response(id=f"resp_{number}")))
            case "audio":
                endpoint.sent[item_id] = endpoint.sent.get(item_id, 0) + amount
                speaking.take(audio(amount, response_id, item_id))
            case "report":
                player.report(amount)
            case "early":
                player.report(amount, cleared=player.cleared - 1)
            case "item":
                player.report_item(item_id, amount)
            case "audio done":
                speaking.take(finished(item_id, response_id))
            case "done":
                item = MessageItem(id=item_id, role="assistant", content=[])
                speaking.take(ResponseDone(response=Response(id=response_id, output=[item])))
            case "delete":
                endpoint.deleted.add(item_id)
            case "speech":
                endpoint.check(speaking.take(STARTED))
            case "silence":
                endpoint.check(speaking.silence())
        assert player.heard <= player.playback.received


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("audio"), st.integers(1, 50_000)),
            st.tuples(st.just("listen"), st.integers(0, 50_000)),
            st.just(("speech", 0)),
            st.just(("next", 0)),
        ),
        max_size=40,
    )
)
def test_exactly_what_was_heard_is_told(steps):
    """Whatever comes in whatever order: a truncation names what the speaker played of that item, and no more."""
    speaker = Loudspeaker()
    speaking = Speaking(speaker)
    number, heard = 1, {}
    queue, growing = [], set()
    for step, samples in steps:
        match step:
            case "next":
                speaking.take(finished(f"item_{number}", f"resp_{number}"))
                growing.clear()
                number += 1
            case "audio":
                before = speaker.queued
                speaking.take(audio(samples, f"resp_{number}", f"item_{number}"))
                if speaker.queued > before:
                    growing = {f"item_{number}"}
                    queue.append([f"item_{number}", samples])
            case "listen":
                left = min(samples, speaker.queued)
                speaker.listen(samples)
                while left:
                    played = min(left, queue[0][1])
                    heard[queue[0][0]] = heard.get(queue[0][0], 0) + played
                    queue[0][1] -= played
                    left -= played
                    if not queue[0][1]:
                        queue.pop(0)
            case "speech":
                unheard = growing | {item for item, left in queue if left}
                told = {one.item_id: one.audio_end_ms for one in speaking.take(STARTED)}
                assert told == {item: heard.get(item, 0) // 24 for item in unheard}
                queue.clear()
                growing.clear()
