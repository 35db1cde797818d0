from hypothesis import given
from hypothesis import strategies as st

from vivavoce.engine.pace import BEHIND_S, CALM_S, RECOVERED_S, Pace

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
