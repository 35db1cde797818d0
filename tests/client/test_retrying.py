import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.client.retrying import FATAL_CODES, Backoff, Fate, Reconnect, Window, fate
from vivavoce.errors import ConnectionFailed, ConnectionLost


class TestFate:
    @pytest.mark.parametrize("code", [1001, 1005, 1006, 1011, 1012, 1013])
    def test_what_may_pass_is_tried_again(self, code):
        assert fate(ConnectionLost(code)) is Fate.RETRY

    @pytest.mark.parametrize("code", [1002, 1003, 1007, 1008, 3000, 4000])
    def test_what_would_come_again_is_not(self, code):
        assert fate(ConnectionLost(code)) is Fate.FATAL

    def test_a_regular_end_is_one(self):
        assert fate(ConnectionLost(1000)) is Fate.ENDED

    @pytest.mark.parametrize("code", sorted(FATAL_CODES))
    @pytest.mark.parametrize("close", [1000, 1001, 1011])
    def test_an_error_says_more_than_a_close(self, code, close):
        assert fate(ConnectionLost(close), code) is Fate.FATAL

    def test_an_expired_session_goes_on_in_another(self):
        assert fate(ConnectionLost(1001, "60 minutes"), "session_expired") is Fate.RETRY

    @pytest.mark.parametrize("status", [None, 408, 429, 500, 502, 503, 504])
    def test_refusals_that_may_pass(self, status):
        assert fate(ConnectionFailed("no", status=status)) is Fate.RETRY

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 426])
    def test_refusals_that_stay(self, status):
        assert fate(ConnectionFailed("no", status=status)) is Fate.FATAL

    def test_no_money_is_no_rush_hour(self):
        assert fate(ConnectionFailed("no", status=429, code="insufficient_quota")) is Fate.FATAL


class TestBackoff:
    def test_the_first_attempt_is_made_at_once_and_the_last_is_the_last(self):
        policy = Reconnect(attempts=6, first_wait=1, longest_wait=5)
        backoff = Backoff(policy, uniform=lambda low, high: high)
        assert [backoff.wait() for _ in range(7)] == [0, 1, 2, 4, 5, 5, None]
        backoff.reset()
        assert backoff.wait() == 0

    def test_the_jitter_is_full(self):
        backoff = Backoff(Reconnect(attempts=10_000, longest_wait=8), uniform=random.Random(1).uniform)
        waits = [backoff.wait() for _ in range(2000)][10:]
        assert min(waits) < 0.1
        assert max(waits) > 7.9
        assert 3.7 < sum(waits) / len(waits) < 4.3

    def test_what_the_endpoint_asks_for_is_the_least_within_reason(self):
        backoff = Backoff(Reconnect(longest_wait=30), uniform=lambda low, high: low)
        assert backoff.wait(7) == 7
        assert backoff.wait(3600) == 30

    @given(st.integers(1, 200), st.floats(0, 100), st.floats(0, 100))
    def test_no_wait_is_longer_than_the_longest(self, attempts, first, longest):
        policy = Reconnect(attempts=attempts, first_wait=first, longest_wait=longest)
        backoff = Backoff(policy, uniform=lambda low, high: high)
        waits = [backoff.wait(60) for _ in range(attempts)]
        assert all(0 <= wait <= max(longest, 0) for wait in waits)
        assert backoff.wait() is None

    @pytest.mark.parametrize("wrong", [{"attempts": 0}, {"first_wait": -1}, {"hold": -1}, {"renew_after": 0}])
    def test_a_policy_makes_sense(self, wrong):
        with pytest.raises(ValueError, match=r"Expected .*, got"):
            Reconnect(**wrong)


class TestWindow:
    def test_of_an_hour(self):
        assert Window.of(3600) == Window(3300, 3585)

    def test_of_a_minute(self):
        assert Window.of(60) == Window(48, 57)

    def test_sooner_if_asked(self):
        assert Window.of(3600, renew_after=600) == Window(600, 720)
        assert Window.of(60, renew_after=600) == Window(48, 57)
        assert Window.of(None, renew_after=10) == Window(10, 12)

    def test_none_for_what_never_ends(self):
        assert Window.of(None) is None
        assert Window.of(0) is None
