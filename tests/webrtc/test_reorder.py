import random

import numpy as np
import pytest
from aiortc.rtcrtpreceiver import RTCRtpReceiver
from aiortc.rtp import RtpPacket
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.webrtc.reorder import HELD, Reorder, reorder


def packet(number):
    made = RtpPacket(payload_type=96, sequence_number=number % 65_536, timestamp=number * 960 % 2**32)
    made._data = str(number).encode()
    return made


def passed(numbers):
    """Return the numbers of the packets that came out, for aiortc to decode."""
    buffer = Reorder(lambda *_: False)
    out = []
    for number in numbers:
        picture, frame = buffer.add(packet(number))
        assert not picture
        if frame is not None:
            assert frame.timestamp == int(frame.data) * 960 % 2**32
            out.append(int(frame.data))
    return out


@given(st.integers(0, 200_000), st.integers(0, 300))
def test_holds_the_last_few_back_and_passes_all_others(start, count):
    numbers = range(start, start + count)
    assert passed(numbers) == list(numbers)[: max(0, count - HELD)]


@given(st.data())
def test_nothing_comes_twice_or_out_of_order(data):
    numbers = data.draw(st.lists(st.integers(65_500, 65_560), max_size=120))
    out = passed(numbers)
    assert out == sorted(set(out))


def test_puts_in_order_what_is_little_late():
    assert passed([0, 2, 1, 3, 5, 4, 6, 7, 8, 9, 10])[:8] == list(range(8))


def test_what_was_lost_holds_nothing_up():
    numbers = [number for number in range(100) if number % 10 != 3]
    assert passed(numbers) == numbers[:-HELD]


def test_a_network_loses_no_more_than_it_loses():
    chance = random.Random(0)
    sent = [number for number in range(2000) if chance.random() >= 0.05]
    arrived = sorted(sent, key=lambda number: 20 * number + chance.uniform(-30, 30))
    assert len(passed(arrived)) > 0.99 * len(sent)


@given(st.integers(0, 200_000))
def test_what_is_taken_goes_no_further_and_numbers_do_not_begin_anew(start):
    taken = []
    buffer = Reorder(lambda kind, packet: not taken.append((kind, packet)))
    for number in range(start, start + 10):
        assert buffer.add(packet(number)) == (False, None)
    assert [int(one.data) for _, one in taken] == list(range(start, start + 10 - HELD))
    assert all(kind == 96 and one.timestamp == int(one.data) * 960 % 2**32 for kind, one in taken)
    numbers = [one.number for _, one in taken]
    assert np.diff(numbers).tolist() == [1] * (len(numbers) - 1)


def test_what_is_far_away_begins_anew():
    assert passed([*range(10), *range(30_000, 30_010)]) == [*range(7), *range(30_000, 30_007)]


def test_an_aiortc_that_keeps_it_elsewhere_is_noticed():
    with pytest.raises(RuntimeError, match="elsewhere"):
        reorder(object(), lambda *_: False)
    assert "__jitter_buffer" in str(RTCRtpReceiver.__init__.__code__.co_names)
