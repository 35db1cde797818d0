import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.audio.jitter import JitterBuffer

RATE = 1000  # a sample is a millisecond


def ramp(start, count):
    return np.arange(start, start + count, dtype=np.float32)


def pulled(buffer, count):
    out = np.full(count, np.nan, np.float32)
    written = buffer.pull(out)
    return out, written


def test_it_waits_until_there_is_enough():
    buffer = JitterBuffer(RATE)
    buffer.push(ramp(1, 100))
    out, written = pulled(buffer, 20)
    assert (written, out.any()) == (0, False)
    buffer.push(ramp(101, 20))
    out, written = pulled(buffer, 20)
    assert written == 20
    assert out.tolist() == ramp(1, 20).tolist()


def test_it_waits_no_longer_than_what_it_waits_for_would_last():
    buffer = JitterBuffer(RATE)
    buffer.push(ramp(1, 30))
    assert [pulled(buffer, 20)[1] for _ in range(9)] == [0] * 6 + [20, 10, 0]


def test_an_empty_buffer_does_not_count_as_waiting():
    buffer = JitterBuffer(RATE)
    for _ in range(100):
        pulled(buffer, 20)
    buffer.push(ramp(1, 30))
    assert pulled(buffer, 20)[1] == 0


def test_when_chunks_run_out_it_waits_again():
    buffer = JitterBuffer(RATE)
    buffer.push(ramp(1, 130))
    out, written = pulled(buffer, 200)
    assert written == 130
    assert not out[130:].any()
    buffer.push(ramp(131, 50))
    assert pulled(buffer, 20)[1] == 0
    buffer.push(ramp(181, 70))
    assert pulled(buffer, 20)[0].tolist() == ramp(131, 20).tolist()


def test_clearing_fades_what_plays_and_drops_the_rest():
    buffer = JitterBuffer(RATE)
    buffer.push(np.ones(200, np.float32))
    pulled(buffer, 50)
    buffer.clear()
    out, _ = pulled(buffer, 20)
    assert out[:5] == pytest.approx([1, 0.8, 0.6, 0.4, 0.2])
    assert not out[5:].any()
    assert (buffer.played, buffer.buffered) == (0, 0)


def test_what_comes_after_clearing_counts_from_its_own_beginning():
    buffer = JitterBuffer(RATE)
    buffer.push(np.ones(200, np.float32))
    pulled(buffer, 50)
    buffer.clear()
    buffer.push(ramp(1, 200))
    out, _ = pulled(buffer, 25)
    assert out[5:].tolist() == ramp(1, 20).tolist()
    assert buffer.played == 20


def test_clearing_while_it_waits_is_silent():
    buffer = JitterBuffer(RATE)
    buffer.push(np.ones(50, np.float32))
    buffer.clear()
    assert (buffer.buffered, buffer.played) == (0, 0)


@given(
    chunks=st.lists(st.integers(0, 300), max_size=20),
    pulls=st.lists(st.integers(1, 200), min_size=1, max_size=40),
)
def test_nothing_is_lost_doubled_or_moved(chunks, pulls):
    buffer = JitterBuffer(RATE)
    pushed = 0
    got = []
    for index, count in enumerate(pulls):
        if index < len(chunks):
            buffer.push(ramp(1 + pushed, chunks[index]))
            pushed += chunks[index]
        out, written = pulled(buffer, count)
        got += out[:written].tolist()
        assert not out[written:].any()
    assert got == ramp(1, len(got)).tolist()
    assert buffer.played == len(got)
    assert buffer.buffered == pushed - len(got)
