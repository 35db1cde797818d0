import asyncio

import pytest

from tests.gateway.auth.knocking import bearer
from tests.gateway.doubles import gateway
from tests.gateway.limits.places import redis_server
from vivavoce.errors import VivaVoceError
from vivavoce.gateway.auth.keys import make, write
from vivavoce.gateway.limits.limiter import choose_store
from vivavoce.gateway.limits.store import DAY, MemoryStore
from vivavoce.gateway.settings import GatewaySettings


@pytest.fixture
def house(tmp_path):
    """Return a maker of settings with a policy, and the keys of ada and bob."""
    values, keys = zip(*(make(name, now=0) for name in ("ada", "bob")), strict=True)
    write(tmp_path / "keys.json", keys)

    def settings(policy):
        (tmp_path / "policy.yaml").write_text(policy)
        return {"policy": tmp_path / "policy.yaml", "keys_file": tmp_path / "keys.json"}

    return settings, *values


async def test_one_session_more_is_refused_at_the_door_and_let_in_when_another_ends(house):
    settings, ada, bob = house
    async with gateway(**settings("default: {limits: {sessions: 1}}"), retry_after_seconds=7) as running:
        async with running.connect(headers=bearer(ada)):
            status, error, headers = await running.refused(**bearer(ada))
            assert (status, error["code"], error["type"]) == (429, "rate_limit_exceeded", "rate_limit_error")
            assert headers["Retry-After"] == "7"
            async with running.connect(headers=bearer(bob)):
                pass
        async with asyncio.timeout(30):
            while await running.limiter.store.enter("ada", "a-try", 1, None) != "welcome":  # noqa: ASYNC110
                await asyncio.sleep(0)
        await running.limiter.store.leave("ada", "a-try")
        async with running.connect(headers=bearer(ada)) as ws:
            assert (await ws.receive_json())["type"] == "session.created"


async def test_of_all_users_together(house):
    settings, ada, bob = house
    async with gateway(**settings("sessions: 1")) as running, running.connect(headers=bearer(ada)):
        status, error, _ = await running.refused(**bearer(bob))
        assert (status, error["message"]) == (429, "All 1 sessions of all users are open.")


@pytest.mark.parametrize("budget", ["tokens_per_day: 10", "dollars_per_day: 0.00001"])
async def test_a_spent_budget_is_refused_at_the_door(house, budget):
    settings, ada, bob = house
    async with gateway(**settings(f"default: {{limits: {{{budget}}}}}")) as running:
        store = running.limiter.store
        await store.add("tokens:ada", 10, DAY)
        await store.add("dollars:ada", 10, DAY)
        status, error, headers = await running.refused(**bearer(ada))
        assert (status, error["code"]) == (429, "rate_limit_exceeded")
        assert 0 < int(headers["Retry-After"]) <= DAY + 1
        async with running.connect(headers=bearer(bob)):
            pass


async def test_limits_hold_in_a_session(house):
    settings, ada, _ = house
    async with (
        gateway(**settings("default: {limits: {events_per_minute: 1}}")) as running,
        running.connect(headers=bearer(ada)) as ws,
    ):
        await ws.receive_json()
        events = [{"type": "response.cancel", "event_id": str(n)} for n in range(50)]
        for event in events:
            await ws.send_json(event)
        kinds = []
        while len(kinds) < len(events):
            kind = (await ws.receive_json())["type"]
            kinds += [kind] if kind != "rate_limits.updated" else []
        assert 1 <= kinds.count("echo") <= 2, "a minute may have ended meanwhile"
        assert kinds.count("error") >= 47


async def test_two_gateways_with_one_redis_share_their_limits(house, tmp_path):
    settings, ada, _ = house
    async with redis_server(tmp_path) as (url, _):
        shared = {**settings("default: {limits: {sessions: 1}}"), "redis_url": url}
        async with gateway(**shared) as one, gateway(**shared) as other, one.connect(headers=bearer(ada)):
            assert (await other.refused(**bearer(ada)))[0] == 429


def test_without_redis_each_process_counts_for_itself():
    assert isinstance(choose_store(GatewaySettings()), MemoryStore)


def test_an_address_that_is_none_is_told_without_repeating_it():
    with pytest.raises(VivaVoceError, match="VIVAVOCE_REDIS_URL: expected an address") as caught:
        choose_store(GatewaySettings(redis_url="http://:password-of-mine@a.example"))
    assert "password-of-mine" not in str(caught.value)
