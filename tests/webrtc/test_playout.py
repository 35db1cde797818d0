import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.webrtc.playout import FRAME_SAMPLES, MOST_SECONDS, RATE, Played, Playout


def speech(count, start=1):
    return (np.arange(start, start + count) % 30_000 + 1).astype(np.int16)


def taken(playout):
    frames = []
    while (frame := playout.take()) is not None:
        assert len(frame) == FRAME_SAMPLES
        frames.append(frame)
    return np.concatenate(frames) if frames else np.empty(0, np.int16)


def test_has_nothing_at_first():
    playout = Playout()
    assert (playout.take(), playout.waiting, playout.response_id, playout.clear()) == (None, 0, None, [])


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 2000)), max_size=20))
def test_plays_everything_once_and_in_order(chunks):
    playout, given_ = Playout(), []
    for item, count in chunks:
        given_.append(speech(count, start=len(given_)))
        playout.add("resp", item, 0, given_[-1])
    whole = np.concatenate(given_) if given_ else np.empty(0, np.int16)
    played = taken(playout)
    assert np.array_equal(played[: len(whole)], whole)
    assert not played[len(whole) :].any()
    assert len(played) - len(whole) < FRAME_SAMPLES
    assert playout.waiting == 0
    assert playout.clear() == []


@given(st.lists(st.integers(1, 5000), min_size=1, max_size=8), st.integers(0, 60))
def test_knows_how_much_of_each_item_was_played(counts, frames):
    playout = Playout()
    for number, count in enumerate(counts):
        playout.add("resp", f"item_{number}", 0, speech(count))
    for _ in range(frames):
        playout.take()
    at, expected = frames * FRAME_SAMPLES, []
    for number, count in enumerate(counts):
        if at < count:
            expected.append(Played(f"item_{number}", 0, max(0, at) * 1000 // RATE))
        at -= count
    assert playout.clear() == expected
    assert playout.take() is None


def test_an_item_that_goes_on_after_it_ran_out_is_one_item():
    playout = Playout()
    playout.add("resp", "item", 0, speech(FRAME_SAMPLES))
    taken(playout)
    playout.add("resp", "item", 0, speech(2 * FRAME_SAMPLES))
    playout.take()
    assert playout.clear() == [Played("item", 0, 40)]


def test_tells_which_response_is_next():
    playout = Playout()
    playout.add("one", "a", 0, speech(FRAME_SAMPLES))
    playout.add("two", "b", 0, speech(FRAME_SAMPLES))
    assert playout.response_id == "one"
    playout.take()
    assert playout.response_id == "two"


@pytest.mark.parametrize("seconds", [MOST_SECONDS])
def test_keeps_no_more_than_anybody_says(seconds):
    playout = Playout()
    for _ in range(seconds + 10):
        playout.add("resp", "item", 0, np.ones(RATE, np.int16))
    assert playout.waiting == seconds * RATE
