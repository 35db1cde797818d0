"""Ephemeral keys that every process takes, whichever made them. Redis forgets them when they expire.

What a key is for is sealed with the key, and found by its digest: Redis has neither keys nor what they are for. While
it is gone, each process makes keys of its own, which it alone takes.
"""

import math

import msgspec

from vivavoce.errors import LinkError
from vivavoce.gateway.client_secrets import Granted, Issued, new_key
from vivavoce.gateway.digests import digest, sealing_key
from vivavoce.gateway.kept_secrets import KeptSecrets
from vivavoce.gateway.shared.link import PREFIX, Link
from vivavoce.gateway.shared.sealing import seal, unseal

__all__ = ["KeptByAll"]

ALL = f"{PREFIX}keys"
"""The digests of all keys, by when they expire."""

ISSUE = """
local now = tonumber(redis.call('TIME')[1])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
if redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[3]) then
  local first = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
  return {0, tonumber(first[2]) - now}
end
local at = now + tonumber(ARGV[2])
redis.call('HSET', KEYS[1], 'sealed', ARGV[1], 'once', ARGV[4])
redis.call('EXPIREAT', KEYS[1], at)
redis.call('ZADD', KEYS[2], at, KEYS[1])
redis.call('EXPIREAT', KEYS[2], redis.call('ZRANGE', KEYS[2], -1, -1, 'WITHSCORES')[2])
return {1, at}
"""

SPEND = """
local once = redis.call('HGET', KEYS[1], 'once')
if not once then return 0 end
if once == '1' then
  redis.call('DEL', KEYS[1])
  redis.call('ZREM', KEYS[2], KEYS[1])
end
return 1
"""


class KeptByAll:
    """Keys in Redis, at most ``limit`` at one time. ``alone`` keeps those of this process while Redis is gone."""

    def __init__(self, link: Link, alone: KeptSecrets, limit: int) -> None:
        self._link = link
        self._alone = alone
        self._limit = limit
        self._issue = link.redis.register_script(ISSUE)
        self._spend = link.redis.register_script(SPEND)

    async def issue(self, granted: Granted, *, seconds: int) -> Issued | int:
        """Make a key."""
        value = new_key()
        sealed = seal(sealing_key(value), msgspec.msgpack.encode(granted), name=digest(value))
        args: list[str | bytes | int] = [sealed, seconds, self._limit, int(granted.single_use)]
        try:
            made, number = await self._link.do(self._issue(keys=[_key(value), ALL], args=args))
        except LinkError:
            return await self._alone.issue(granted, seconds=seconds)
        return Issued(value, int(number)) if made else max(1, math.ceil(number))

    async def find(self, value: str) -> Granted | None:
        """Find it. Raises `LinkError`, where Redis might know it."""
        if (own := await self._alone.find(value)) is not None:
            return own
        sealed: bytes | None = await self._link.do(self._link.redis.hget(_key(value), "sealed"))  # type: ignore[arg-type]
        data = None if sealed is None else unseal(sealing_key(value), sealed, name=digest(value))
        return None if data is None else msgspec.msgpack.decode(data, type=Granted)

    async def spend(self, value: str) -> bool:
        """Use it. Raises `LinkError`, where Redis might know it."""
        if await self._alone.find(value) is not None:
            return await self._alone.spend(value)
        return bool(await self._link.do(self._spend(keys=[_key(value), ALL])))


def _key(value: str) -> str:
    return f"{PREFIX}key:{digest(value).hex()}"
