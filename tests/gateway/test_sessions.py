import asyncio

import pytest

from vivavoce.gateway.sessions import PLAIN_LIMIT, Sessions, limit


class Held:
    """Stands in for a bridge: notes how it was ended."""

    ended = None

    def end(self, code, reason):
        self.ended = (code, reason)


@pytest.mark.parametrize(
    ("wanted", "held", "there_may_be"),
    [(None, None, PLAIN_LIMIT), (40, None, 40), (None, 3, 3), (2, 3, 2), (9, 3, 3)],
)
def test_there_may_be_what_is_wanted_and_held(wanted, held, there_may_be):
    assert limit(wanted, held) == there_may_be


class TestPlaces:
    async def test_the_last_place_is_given_once(self):
        sessions = Sessions(lambda: 2, retry_after=5)
        assert sessions.capacity == 2
        with sessions.hold():
            assert sessions.refuse() is None
            with sessions.hold():
                refusal = sessions.refuse()
                assert (refusal.status, refusal.code, refusal.retry_after) == (
                    503,
                    "session_limit_reached",
                    5,
                )
                assert len(sessions) == 2
            assert sessions.refuse() is None
        assert len(sessions) == 0

    async def test_whoever_stands_beside_a_session_takes_none(self):
        sessions = Sessions(lambda: 1, retry_after=5)
        with sessions.hold():
            assert sessions.refuse(beside=True) is None
            with sessions.hold(beside=True):
                assert len(sessions) == 1
        with sessions.hold(beside=True):
            assert sessions.refuse() is None
            ending = asyncio.create_task(sessions.end_all(1001, "bye"))
            await asyncio.sleep(0)
            assert not ending.done()
            assert sessions.refuse(beside=True).code == "going_away"
        await ending

    async def test_their_number_may_change(self):
        places = 0
        sessions = Sessions(lambda: places, retry_after=5)
        assert sessions.refuse().code == "session_limit_reached"
        places = 1
        assert sessions.refuse() is None

    async def test_a_session_that_fails_leaves_its_place(self):
        sessions = Sessions(lambda: 1, retry_after=5)
        with pytest.raises(ZeroDivisionError), sessions.hold():
            1 / 0  # noqa: B018
        assert sessions.refuse() is None


class TestEndAll:
    async def test_returns_at_once_when_there_are_none(self):
        await Sessions(lambda: 1, retry_after=5).end_all(1001, "bye")

    async def test_ends_each_and_waits_until_they_are_gone(self):
        sessions, one, two = Sessions(lambda: 3, retry_after=5), Held(), Held()
        with sessions.hold() as first:
            first.take(one)
            with sessions.hold() as second:
                second.take(two)
                ending = asyncio.create_task(sessions.end_all(1001, "bye"))
                await asyncio.sleep(0)
                assert one.ended == two.ended == (1001, "bye")
            assert not ending.done()
        await ending

    async def test_ends_who_is_not_there_yet_as_soon_as_they_come(self):
        sessions, late = Sessions(lambda: 1, retry_after=5), Held()
        with sessions.hold() as place:
            ending = asyncio.create_task(sessions.end_all(1001, "bye"))
            await asyncio.sleep(0)
            place.take(late)
            assert late.ended == (1001, "bye")
        await ending

    async def test_lets_nobody_in_any_more(self):
        sessions = Sessions(lambda: 3, retry_after=5)
        await sessions.end_all(1001, "bye")
        assert sessions.refuse().code == "going_away"
