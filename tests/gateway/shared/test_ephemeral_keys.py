import asyncio
from contextlib import asynccontextmanager

import pytest

from tests.gateway.limits.places import redis_server
from vivavoce.errors import LinkError
from vivavoce.gateway.client_secrets import ClientSecrets, Granted
from vivavoce.gateway.kept_secrets import KeptHere
from vivavoce.gateway.opening import Caller
from vivavoce.gateway.shared.ephemeral_keys import ALL, KeptByAll
from vivavoce.gateway.shared.link import Link
from vivavoce.protocol.session_params import RealtimeSessionParams, TranscriptionSessionParams

ADA = Granted(RealtimeSessionParams(instructions="Be kind.", tools=[]), Caller("ada", key="k", group="g"))
ONCE = Granted(TranscriptionSessionParams(), single_use=True)


@asynccontextmanager
async def processes(folder, count=2, limit=100):
    """Yield the keys of so many processes, and the process of Redis."""
    async with redis_server(folder) as (url, redis):
        links = [Link(url) for _ in range(count)]
        yield [KeptByAll(link, KeptHere(ClientSecrets(limit)), limit) for link in links], redis
        for link in links:
            await link.close()


async def test_one_process_takes_what_another_made(tmp_path):
    async with processes(tmp_path) as ([one, other], _):
        issued = await one.issue(ADA, seconds=60)
        assert await other.find(issued.value) == ADA
        assert await other.spend(issued.value)
        assert await one.spend(issued.value)
        assert await other.find("ek_guessed") is None
        assert not await other.spend("ek_guessed")


async def test_one_for_a_single_session_opens_one_wherever_it_is_tried(tmp_path):
    async with processes(tmp_path, 4) as (places, _):
        issued = await places[0].issue(ONCE, seconds=60)
        spent = await asyncio.gather(*(place.spend(issued.value) for place in places for _ in range(5)))
        assert spent.count(True) == 1
        assert await places[0].find(issued.value) is None


async def test_redis_forgets_them_and_can_read_nothing(tmp_path):
    async with processes(tmp_path) as ([one, _], _):
        redis = one._link.redis
        now = (await redis.time())[0]
        issued = await one.issue(ADA, seconds=60)
        assert now + 60 <= issued.expires_at <= now + 90
        names = [name async for name in redis.scan_iter() if name != ALL.encode()]
        [name] = names
        assert await redis.expiretime(name) == await redis.expiretime(ALL) == issued.expires_at
        everything = b"".join([name, *(await redis.hgetall(name)).values()])
        for secret in (issued.value.encode(), issued.value[3:].encode(), b"kind", b"ada"):
            assert secret not in everything


async def test_there_is_a_limit_for_all_together(tmp_path):
    async with processes(tmp_path, limit=3) as ([one, other], _):
        made = await asyncio.gather(*(place.issue(ADA, seconds=60) for place in (one, other) * 4))
        waits = [each for each in made if isinstance(each, int)]
        assert len(waits) == 5
        assert all(0 < wait <= 60 for wait in waits)
        assert isinstance(await other.issue(ADA, seconds=60), int)
        await one._link.redis.delete(ALL)
        single = await one.issue(ONCE, seconds=60)
        for _ in range(2):
            await one.issue(ADA, seconds=60)
        assert await other.spend(single.value)
        assert not isinstance(await other.issue(ADA, seconds=60), int), "a key that is used up makes room"


async def test_while_redis_is_gone_each_process_takes_its_own(tmp_path):
    async with processes(tmp_path) as ([one, other], redis):
        before = await one.issue(ADA, seconds=60)
        redis.kill()
        await redis.wait()
        own = await one.issue(ONCE, seconds=60)
        assert await one.find(own.value) == ONCE
        assert await one.spend(own.value)
        for place in (one, other):
            with pytest.raises(LinkError):
                await place.find(before.value)
            with pytest.raises(LinkError):
                await place.spend(before.value)
