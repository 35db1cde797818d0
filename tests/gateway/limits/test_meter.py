from hypothesis import given
from hypothesis import strategies as st

from vivavoce.gateway.limits.meter import Meter
from vivavoce.gateway.limits.store import Level


def meter(limit=100):
    return Meter("requests", "events:ada", limit)


def given_all(one, asked, now=0.0, *, used=0, resets_in=60.0):
    one.take(Level(asked, used + asked, resets_in), asked, now)


def test_waits_for_its_first_portion_and_asks_for_it_once():
    one = meter()
    assert one.spend(1, 0) == "wait"
    assert one.wants(1, 0) == 5
    assert one.spend(1, 0) == "wait"
    assert one.wants(1, 0) == 0, "one is under way"
    given_all(one, 5)
    assert [one.spend(1, 0) for _ in range(5)] == ["pass"] * 5
    assert one.spend(1, 0) == "wait"


def test_asks_for_the_next_before_it_is_gone():
    one = meter()
    assert one.wants(1, 0) == 5
    given_all(one, 5)
    asked = []
    for _ in range(5):
        assert one.spend(1, 0) == "pass"
        asked.append(one.wants(1, 0))
    assert asked == [0, 0, 5, 0, 0]


def test_refuses_when_there_is_no_more_until_the_window_is_over():
    one = meter()
    one.wants(1, 0)
    one.take(Level(1, 100, 20.0), 5, 0)
    assert [one.spend(1, 0), one.spend(1, 19.9)] == ["pass", "refuse"]
    assert one.wants(1, 19.9) == 0
    assert one.resets_in(15) == 5
    assert one.spend(1, 20) == "wait"
    assert one.wants(1, 20) == 5


def test_what_is_left_of_a_window_is_lost_with_it():
    one = meter()
    one.wants(1, 0)
    given_all(one, 5, resets_in=1)
    assert one.spend(1, 1) == "wait"
    assert one.wants(1, 1) == 5
    given_all(one, 5, 1)
    assert one.spend(5, 1) == "pass"
    assert one.spend(1, 1) == "wait"


def test_a_cost_above_a_portion_is_asked_for_whole_and_one_above_the_limit_never():
    one = meter()
    assert (one.spend(50, 0), one.wants(50, 0)) == ("wait", 50)
    given_all(one, 50)
    assert one.spend(50, 0) == "pass"
    assert one.spend(101, 0) == "refuse"


def test_a_cost_above_what_is_left_is_asked_for():
    one = meter()
    one.wants(1, 0)
    given_all(one, 5)
    assert (one.spend(20, 0), one.wants(20, 0)) == ("wait", 20)


def test_tells_when_it_is_near_the_limit():
    one = meter()
    one.wants(1, 0)
    given_all(one, 5, used=70)
    assert (one.near, one.remaining) == (False, 25)
    given_all(one, 5, used=75)
    assert (one.near, one.remaining) == (True, 20)
    one.spend(1, 60)
    assert not one.near


@given(
    st.integers(1, 60),
    st.lists(st.tuples(st.integers(0, 2), st.integers(1, 9), st.floats(0, 9)), max_size=120),
)
def test_meters_of_one_limit_never_spend_more_in_a_window_than_it_allows(limit, steps):
    """Three sessions of one user, whose portions come as late as the next step."""
    meters, used, spent, now, under_way = [meter(limit) for _ in range(3)], {}, {}, 0.0, []
    for which, cost, pause in steps:
        for one, amount in under_way:
            window = int(now // 60)
            granted = max(0, min(amount, limit - used.get(window, 0)))
            used[window] = used.get(window, 0) + granted
            one.take(Level(granted, used[window], 60 - now % 60), amount, now)
        under_way = []
        now += pause
        one = meters[which]
        if one.spend(cost, now) == "pass":
            spent[int(now // 60)] = spent.get(int(now // 60), 0) + cost
        if amount := one.wants(cost, now):
            under_way.append((one, amount))
    assert all(total <= limit for total in spent.values())
