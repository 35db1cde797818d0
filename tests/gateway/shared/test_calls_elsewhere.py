"""Calls that another process has."""

import asyncio

from tests.gateway.routes.test_calls import CALLS, calling, only_this_machine  # noqa: F401 - a fixture
from tests.gateway.shared.houses import house
from vivavoce.gateway.opening import Caller
from vivavoce.gateway.shared.processes import CallElsewhere


async def _hang_up(running, call_id):
    async with running.client.post(running.url(f"{CALLS}/{call_id}/hangup")) as response:
        return response.status


async def test_are_hung_up_from_everywhere_and_controlled_from_where_they_are(tmp_path):
    async with house(tmp_path) as home:
        one, other = await home.open(), await home.open()
        async with calling(one) as caller:
            call_id = caller.location.rpartition("/")[2]
            assert (await caller.told())["type"] == "session.created"
            status, error, _ = await other.refused(f"/v1/realtime?call_id={call_id}")
            assert (status, error["code"], error["param"]) == (421, "call_elsewhere", "call_id")
            assert one.processes.name in error["message"]
            assert await _hang_up(other, "rtc_unknown") == 404
            assert await _hang_up(other, call_id) == 200
            async with asyncio.timeout(30):
                await one.sessions.emptied()
            assert await _hang_up(other, call_id) == 404


async def test_whose_process_says_nothing_are_told_to_be_elsewhere(tmp_path):
    async with house(tmp_path) as home:
        one = await home.open()
        await one.processes.directory._link.redis.hset(
            "vivavoce:call:rtc_1", mapping={"holder": "gone", "user": "anyone"}
        )
        assert await _hang_up(one, "rtc_1") == 421


async def test_of_others_are_known_to_be_theirs(tmp_path):
    async with house(tmp_path) as home:
        one = await home.open()
        await home.asked("hset", "vivavoce:call:rtc_1", "holder", "other", "user", "ada")
        for caller, theirs in (
            (Caller("ada"), True),
            (Caller("bob"), False),
            (Caller("root", admin=True), True),
        ):
            assert await one.processes.find_call("rtc_1", caller) == CallElsewhere("other", theirs=theirs)
        assert await one.processes.find_call("rtc_2", Caller("ada")) is None
        assert (await one.refused("/v1/realtime?call_id=rtc_1"))[0] == 404
