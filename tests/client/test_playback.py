from hypothesis import given
from hypothesis import strategies as st

from vivavoce.client.playback import Heard, Playback

RATE = 24_000


def test_an_item_that_is_heard_in_part_is_told_in_milliseconds():
    playback = Playback(RATE)
    playback.receive("item_1", 0, 24_000)
    assert playback.playing(12_000) == Heard("item_1", 0, 500)
    assert playback.interrupt(12_000) == [Heard("item_1", 0, 500)]


def test_chunks_of_one_part_are_one():
    playback = Playback(RATE)
    for _ in range(10):
        playback.receive("item_1", 0, 2_400)
    assert playback.received == 24_000
    assert playback.interrupt(23_999) == [Heard("item_1", 0, 999)]


def test_what_waits_behind_it_was_not_heard_at_all():
    playback = Playback(RATE)
    playback.receive("item_1", 0, 24_000)
    playback.receive("item_2", 1, 24_000)
    assert playback.interrupt(12_000) == [Heard("item_1", 0, 500), Heard("item_2", 1, 0)]


def test_what_has_been_heard_to_its_end_needs_no_truncating():
    playback = Playback(RATE)
    playback.receive("item_1", 0, 24_000)
    playback.receive("item_2", 0, 24_000)
    assert playback.playing(30_000) == Heard("item_2", 0, 250)
    assert playback.interrupt(48_000) == []


def test_a_speaker_that_played_everything_counts_on():
    playback = Playback(RATE)
    playback.receive("item_1", 0, 24_000)
    assert playback.interrupt(24_000) == []
    playback.receive("item_2", 0, 48_000)
    assert playback.interrupt(36_000) == [Heard("item_2", 0, 500)]
    playback.receive("item_3", 0, 48_000)
    assert playback.interrupt(2_400) == [Heard("item_3", 0, 100)], "it was cleared"


def test_nothing_is_playing_before_and_after():
    playback = Playback(RATE)
    assert playback.playing(0) is None
    playback.receive("item_1", 0, 240)
    assert playback.playing(240) is None


def test_after_an_interruption_the_count_begins_anew():
    playback = Playback(RATE)
    playback.receive("item_1", 0, 24_000)
    playback.interrupt(12_000)
    assert playback.received == 0
    playback.receive("item_2", 0, 24_000)
    assert playback.playing(2_400) == Heard("item_2", 0, 100)


def test_a_part_that_comes_in_pieces_is_told_once_and_as_a_whole():
    playback = Playback(RATE)
    for item_id in ("item_1", "item_2", "item_1"):
        playback.receive(item_id, 0, 24_000)
    assert playback.interrupt(60_000) == [Heard("item_1", 0, 1500)]


def test_what_is_growing_is_never_wholly_heard():
    playback = Playback(RATE)
    playback.receive("item_1", 0, 24_000)
    playback.receive("item_2", 0, 24_000)
    assert playback.interrupt(48_000, growing={("item_2", 0)}) == [Heard("item_2", 0, 1000)]
    assert playback.received == 0


def test_what_is_forgotten_still_counts_for_the_speaker():
    playback = Playback(RATE)
    playback.receive("item_1", 0, 24_000)
    playback.receive("item_2", 0, 24_000)
    playback.forget(24_000)
    assert playback.heard_at("item_1", 0, 100) is None
    assert playback.interrupt(36_000) == [Heard("item_2", 0, 500)]
    playback.receive("item_3", 0, 24_000)
    playback.forget(24_000)
    playback.receive("item_4", 0, 24_000)
    assert playback.interrupt(36_000) == [Heard("item_4", 0, 500)]


def test_a_position_in_an_item_is_one_of_the_speaker():
    playback = Playback(RATE)
    for item_id in ("item_1", "item_2", "item_1"):
        playback.receive(item_id, 0, 24_000)
    assert playback.heard_at("item_1", 0, 500) == 12_000
    assert playback.heard_at("item_2", 0, 500) == 36_000
    assert playback.heard_at("item_1", 0, 1500) == 60_000
    assert playback.heard_at("item_1", 0, 9999) == 72_000, "no more than was received"
    assert playback.heard_at("item_2", 0, -5) == 24_000
    assert playback.heard_at("item_3", 0, 500) is None


@given(
    pieces=st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), st.integers(1, 100_000)), max_size=20),
    heard=st.integers(0, 3_000_000),
)
def test_never_more_is_heard_than_was_received(pieces, heard):
    playback = Playback(RATE)
    for item_id, samples in pieces:
        playback.receive(item_id, 0, samples)
    received = playback.received
    assert received == sum(samples for _, samples in pieces)
    unheard = playback.interrupt(heard)
    assert bool(unheard) == (heard < received)
    for position in unheard:
        total = sum(samples for item_id, samples in pieces if item_id == position.item_id)
        assert 0 <= position.audio_end_ms <= total * 1000 // RATE
