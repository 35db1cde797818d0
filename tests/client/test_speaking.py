import base64

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.client.speaking import Speaking
from vivavoce.protocol.client_events import ConversationItemTruncate
from vivavoce.protocol.server_events import InputAudioBufferSpeechStarted, ResponseOutputAudioDelta

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


def test_where_nothing_is_played_nothing_is_told(speaking, speaker):
    assert speaking.take(STARTED) == []
    speaking.take(audio(2400))
    speaker.listen(2400)
    assert speaking.take(STARTED) == []


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
    number, received, heard = 1, {}, {}
    queue = []
    for step, samples in steps:
        match step:
            case "next":
                number += 1
            case "audio":
                before = speaker.queued
                speaking.take(audio(samples, f"resp_{number}", f"item_{number}"))
                if speaker.queued > before:
                    received[f"item_{number}"] = received.get(f"item_{number}", 0) + samples
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
                unheard = {item for item, left in queue if left}
                told = {one.item_id: one.audio_end_ms for one in speaking.take(STARTED)}
                assert told == {item: heard.get(item, 0) // 24 for item in unheard}
                queue.clear()
