"""Rules, limits and keys hold for all processes together."""

import asyncio

import pytest
from aiohttp import WSServerHandshakeError

from tests.gateway.routes.test_client_secrets import key
from tests.gateway.shared.houses import PATH, Guest, house

POLICY = """
default:
  max_session_seconds: {seconds}
  limits: {{sessions: 1}}
"""


def _policy(folder, seconds=600):
    path = folder / "policy.yaml"
    path.write_text(POLICY.format(seconds=seconds))
    return path


async def test_a_session_that_moves_counts_once(tmp_path):
    async with house(tmp_path) as home:
        policy = _policy(tmp_path)
        one, other = [await home.open(policy=policy) for _ in range(2)]
        guest = Guest()
        await guest.enter(one)
        assert (await other.refused())[0] == 429
        guest.breaks()
        await guest.come_back(other)
        async with asyncio.timeout(30):
            await one.sessions.emptied()
        assert (await one.refused())[0] == 429
        await guest.ws.close()
        async with asyncio.timeout(30):
            await other.sessions.emptied()
        async with one.connect() as ws:
            assert (await ws.receive_json())["type"] == "session.created"


async def test_who_moves_gets_no_more_time(tmp_path):
    async with house(tmp_path) as home:
        policy = _policy(tmp_path, seconds=2)
        one, other = [await home.open(policy=policy) for _ in range(2)]
        guest = Guest()
        await guest.enter(one)

        async def move_on():
            for where in [other, one] * 100:
                await guest.come_back(where)
                await asyncio.sleep(0.2)  # more often than the rules are looked at otherwise

        with pytest.raises((WSServerHandshakeError, TypeError)):  # it was over before, or is at once
            await move_on()
        assert len([event for event in guest.told if event["type"] == "vivavoce.resumed"]) > 1


async def test_a_key_of_one_process_opens_a_session_at_another_once(tmp_path):
    async with house(tmp_path) as home:
        one, other = await home.open(), await home.open()
        async with one.client.post(
            one.url("/v1/realtime/client_secrets?single_use=true"),
            json={"session": {"type": "realtime", "instructions": "Sell shoes."}},
        ) as answer:
            value = (await answer.json())["value"]
        headers = {"Authorization": f"Bearer {value}"}
        async with other.connect(PATH, headers=headers) as ws:
            assert (await ws.receive_json())["session"]["instructions"] == "Sell shoes."
        for running in (one, other):
            status, error, _ = await running.refused(**headers)
            assert (status, error["code"]) == (401, "invalid_api_key")


async def test_while_redis_is_gone_keys_of_before_are_not_known_to_be_wrong(tmp_path):
    async with house(tmp_path) as home:
        one = await home.open()
        headers = {"Authorization": f"Bearer {await key(one)}"}
        home.redis.kill()
        await home.redis.wait()
        status, error, answered = await one.refused(**headers)
        assert (status, error["code"], answered["Retry-After"]) == (503, "authentication_unavailable", "10")
        async with one.connect(headers={"Authorization": f"Bearer {await key(one)}"}) as ws:
            assert (await ws.receive_json())["type"] == "session.created"
