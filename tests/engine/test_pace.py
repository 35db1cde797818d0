from hypothesis import given
from hypothesis import strategies as st

from vivavoce.engine.pace import BEHIND_S, CALM_S, RECOVERED_S, Pace, Playhead

LATE, UNEASY, WELL = BEHIND_S + 0.01, (BEHIND_S + RECOVERED_S) / 2, RECOVERED_S


def test_in_time_it_is_not_behind():
    pace = Pace()
    for now in range(100):
        pace.observe(BEHIND_S, now)
        assert not pace.behind(now)


def test_once_late_it_is_behind_until_it_was_well_for_long_enough():
    pace = Pace()
    pace.observe(LATE, 10.0)
    pace.observe(WELL, 10.1)
    assert pace.behind(10.1)
    assert pace.behind(10 + CALM_S - 0.1)
    assert not pace.behind(10 + CALM_S)


def test_while_behind_less_is_forgiven():
    pace = Pace()
    pace.observe(LATE, 0.0)
    pace.observe(UNEASY, CALM_S - 1)
    assert pace.behind(2 * CALM_S - 1.1)
    assert not pace.behind(2 * CALM_S - 1)
    pace.observe(UNEASY, 2 * CALM_S)
    assert not pace.behind(2 * CALM_S)


def test_it_can_fall_behind_again():
    pace = Pace()
    pace.observe(LATE, 0.0)
    pace.observe(LATE, 100.0)
    assert pace.behind(100.0)


@given(st.lists(st.tuples(st.floats(0, 2), st.floats(0.01, 10))))
def test_it_is_behind_only_after_something_was_late_and_always_recovers(steps):
    pace, now, ever_late = Pace(), 0.0, False
    for late, step in steps:
        now += step
        pace.observe(late, now)
        ever_late |= late > BEHIND_S
        assert pace.behind(now) <= ever_late
        assert pace.behind(now) or late <= BEHIND_S
    assert not pace.behind(now + CALM_S)


def test_speech_that_comes_in_time_is_early_by_what_is_still_to_be_played():
    playhead = Playhead()
    assert playhead.arrived(1.0, 10.0) == 0
    assert playhead.arrived(1.0, 10.5) == -0.5
    assert playhead.arrived(1.0, 10.5) == -1.5


def test_speech_that_was_waited_for_is_late_once():
    playhead = Playhead()
    playhead.arrived(1.0, 10.0)
    assert playhead.arrived(2.0, 14.0) == 3.0
    assert playhead.arrived(1.0, 16.0) == 0
    assert playhead.arrived(1.0, 17.5) == 0.5
