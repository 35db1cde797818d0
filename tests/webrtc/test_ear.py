import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.webrtc.buzz import buzz, distance, packets
from vivavoce.webrtc.ear import GUESSED, MOST_MISSED_SECONDS, Ear, Packet
from vivavoce.webrtc.playout import FRAME_SAMPLES, RATE

TICKS = 960
"""Of 20 ms."""
SENT = packets(buzz(100))


def packet(number, *, later=0, data=None, first=0):
    """Return a packet; ``later`` ticks of a pause came before it."""
    timestamp = (first + number * TICKS + later) % 2**32
    return Packet(number, timestamp, SENT[number % len(SENT)] if data is None else data)


def heard(some):
    ear = Ear()
    return np.concatenate([ear.hear(one) for one in some])


WHOLE = heard(packet(number) for number in range(100))


def test_hears_what_is_said_in_its_time():
    assert len(WHOLE) == 100 * FRAME_SAMPLES


@given(st.sets(st.integers(1, 98), max_size=60), st.integers(0, 2**32 - 1))
def test_time_goes_on_whatever_is_lost_and_wherever_times_begin_anew(lost, first):
    arrived = [packet(number, first=first) for number in range(100) if number not in lost]
    assert len(heard(arrived)) == len(WHOLE)


def test_one_packet_that_is_lost_is_hardly_missed():
    lost = set(range(5, 95, 10))
    pcm = heard(packet(number) for number in range(100) if number not in lost)
    frames, said = np.split(pcm, 100), np.split(WHOLE, 100)
    assert np.mean([distance(frames[number], said[number]) for number in lost]) < 0.1


def test_many_that_are_lost_become_silence():
    pcm = heard([*(packet(number) for number in range(50)), packet(49 + 3 * GUESSED)])
    quiet = np.split(pcm, len(pcm) // FRAME_SAMPLES)[50 + GUESSED : -2]
    assert len(quiet) == 2 * GUESSED - 2
    assert not np.concatenate(quiet).any()


def test_a_pause_is_silence():
    pcm = heard([packet(0), packet(1, later=10 * TICKS)])
    pause = pcm[FRAME_SAMPLES:-FRAME_SAMPLES]
    assert len(pause) == 10 * FRAME_SAMPLES
    assert not pause.any()


def test_who_only_wants_what_is_said_hears_no_pause_but_what_was_lost():
    ear = Ear(pauses=False)
    pause, long_pause = 10 * TICKS, 3600 * 48_000
    packets = packet(0), packet(1, later=pause), packet(1 + 3 * GUESSED, later=long_pause)
    assert [len(ear.hear(one)) // FRAME_SAMPLES for one in packets] == [1, 1, 3 * GUESSED]


def test_a_long_pause_does_not_become_a_long_silence():
    pcm = heard([packet(0), packet(1, later=3600 * 48_000)])
    assert len(pcm) == MOST_MISSED_SECONDS * RATE + 2 * FRAME_SAMPLES


def test_what_is_no_packet_is_heard_as_one_that_was_lost():
    pcm = heard(packet(number, data=b"\xff\xff\xff" if number == 5 else None) for number in range(10))
    assert len(pcm) == 10 * FRAME_SAMPLES


@given(st.lists(st.tuples(st.integers(0, 2**20), st.integers(0, 2**32 - 1), st.binary(max_size=40))))
def test_whatever_comes_it_never_fails_and_never_speaks_for_long(some):
    ear = Ear()
    for number, timestamp, data in some:
        assert len(ear.hear(Packet(number, timestamp, data))) <= (MOST_MISSED_SECONDS + 1) * RATE


@pytest.mark.parametrize("count", [1, 2, 3])
def test_longer_packets_are_made_up_for_in_their_length(count):
    """Three frames in one packet, as some peers send them (RFC 6716, 3.2.5: code 3)."""
    data = bytes([SENT[1][0] | 3, count]) + SENT[1][1:] * count
    some = [Packet(number, number * count * TICKS, data) for number in (0, 1, 3)]
    assert len(heard(some)) == 4 * count * FRAME_SAMPLES
