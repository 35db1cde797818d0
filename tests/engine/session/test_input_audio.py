import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.engine.session.input_audio import InputAudio, ms, samples


def audio(*lengths):
    buffer = InputAudio()
    count = 0
    for length in lengths:
        buffer.append(np.arange(count, count + length, dtype=np.int16))
        count += length
    return buffer


def test_positions_are_of_all_audio_ever():
    buffer = audio(100, 50)
    assert list(buffer.take(120)) == list(range(120))
    buffer.append(np.arange(150, 160, dtype=np.int16))
    assert (buffer.start, buffer.end) == (120, 160)
    assert list(buffer.since(155)) == [155, 156, 157, 158, 159]
    buffer.clear()
    assert (buffer.start, buffer.end, len(buffer)) == (160, 160, 0)


def test_what_is_gone_is_gone():
    buffer = audio(10, 10, 10)
    buffer.drop_before(15)
    assert buffer.start == 10
    assert list(buffer.since(0, 12)) == [10, 11]


def test_taking_from_a_start_leaves_nothing_before_it():
    buffer = audio(30)
    assert list(buffer.take(20, start=5)) == list(range(5, 20))
    assert list(buffer.take()) == list(range(20, 30))


@pytest.mark.parametrize(("milliseconds", "count"), [(0, 0), (1, 24), (300, 7200)])
def test_units(milliseconds, count):
    assert samples(milliseconds) == count
    assert ms(count) == milliseconds


@given(st.lists(st.integers(0, 20), max_size=10), st.lists(st.integers(0, 150), max_size=10))
def test_no_sample_is_lost_or_doubled(lengths, cuts):
    buffer = audio(*lengths)
    taken = [sample for cut in cuts for sample in buffer.take(cut)] if sorted(cuts) == cuts else []
    taken += list(buffer.take())
    assert taken == list(range(sum(lengths)))
