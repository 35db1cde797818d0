from hypothesis import given, settings
from hypothesis import strategies as st

from vivavoce.gateway.history.clock import JOIN_MS, Clock, milliseconds

SECOND = 24_000
CHUNK = SECOND // 25


def test_a_microphone_is_placed_by_when_it_is_heard():
    clock = Clock(50.0)
    begins = [clock.heard(51.04 + chunk * 0.04, CHUNK) for chunk in range(3)]
    assert begins == [SECOND, SECOND + CHUNK, SECOND + 2 * CHUNK]


def test_jitter_leaves_no_gap():
    clock = Clock(0.0)
    late = [0.04, 0.15, 0.155, 0.16, 0.2, 0.33]
    begins = [clock.heard(now, CHUNK) for now in late]
    assert begins == [chunk * CHUNK for chunk in range(len(late))]


def test_a_pause_is_one():
    clock = Clock(0.0)
    clock.heard(0.04, CHUNK)
    assert clock.heard(3.0, CHUNK) == 3 * SECOND - CHUNK


def test_a_file_takes_the_clock_with_it():
    clock = Clock(0.0)
    clock.heard(0.1, 10 * SECOND)
    assert clock.now(0.2) == 10 * SECOND
    assert clock.spoken(0.3, SECOND) == 10 * SECOND


def test_an_answer_goes_on_without_gaps_though_it_comes_at_once():
    clock = Clock(0.0)
    assert [clock.spoken(2.0, SECOND), clock.spoken(2.1, SECOND), clock.spoken(4.5, SECOND)] == [
        2 * SECOND,
        3 * SECOND,
        4 * SECOND + SECOND // 2,
    ]


def test_the_next_answer_follows_what_is_still_being_heard():
    clock = Clock(0.0)
    clock.spoken(1.0, 5 * SECOND)
    assert clock.spoken(2.0, SECOND) == 6 * SECOND


def test_an_item_begins_when_it_comes_and_chunks_of_one_join():
    clock = Clock(0.0)
    assert clock.spoken(0.1, 100, first=True) == SECOND // 10
    assert clock.spoken(0.15, 100) == SECOND // 10 + 100
    assert clock.spoken(0.2, 100, first=True) == SECOND // 5


def test_what_is_cut_off_makes_room():
    clock = Clock(0.0)
    clock.spoken(1.0, 5 * SECOND)
    clock.cut(3 * SECOND)
    assert clock.spoken(3.5, SECOND) == 3 * SECOND + SECOND // 2
    clock.cut(100 * SECOND)
    assert clock.assistant.end == 4 * SECOND + SECOND // 2


def test_tells_where_a_moment_of_the_audio_lies():
    clock = Clock(0.0)
    clock.heard(1.0, SECOND)
    clock.heard(5.0, SECOND)
    assert clock.user.position(SECOND // 2) == SECOND // 2
    assert clock.user.position(SECOND + 100) == 4 * SECOND + 100
    assert clock.user.total == 2 * SECOND


def test_milliseconds():
    assert milliseconds(SECOND) == 1000
    assert milliseconds(36) == 2


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0, 0.5), st.integers(1, SECOND)), max_size=40))
def test_nothing_overlaps_and_nothing_is_later_than_it_came(chunks):
    clock, now, end = Clock(0.0), 0.0, 0
    for wait, size in chunks:
        now += wait
        begin = clock.heard(now, size)
        assert begin >= end
        assert begin - end == 0 or begin - end > JOIN_MS * SECOND // 1000
        end = begin + size
    assert clock.user.total == sum(size for _, size in chunks)
    assert clock.user.end == end
